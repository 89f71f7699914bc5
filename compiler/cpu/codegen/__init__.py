"""Generators of kernel source: from fused instructions to loops over pointers and sizes."""
