"""Compilation ahead of time: graphs to programs without variables, and to bundles that need no graph to run."""
