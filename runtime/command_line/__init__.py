"""The command `sessile`: compiles, runs, shows and measures models, and looks after the store of kernels.

It lives with the runtime, not with the compiler, since most of its commands need sessions. `main.py` holds the list of
commands; the module of a command is imported when that command is called.
"""
