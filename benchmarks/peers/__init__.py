"""One module for each peer: `prepare(case)` returns a function without arguments that does the work once."""
