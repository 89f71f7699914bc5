"""One module for each peer: `prepare(case)` returns a function that does the work once, or None if it cannot."""
