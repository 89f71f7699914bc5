"""Benchmarks: sessile and its peers on the same work, on the same machine, in the same run."""
