"""Programs as C libraries: a header, an object, a static and a shared library that need C's library alone."""
