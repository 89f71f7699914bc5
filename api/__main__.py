"""`python -m sessile`: the command line (`sessile --help` says the same)."""

from sessile.runtime.command_line.main import main

if __name__ == "__main__":
    main()
