"""`python -m sessile.doctor`: what this installation has, and what is missing."""

from sessile.runtime.doctor import main, report

__all__ = ["main", "report"]

if __name__ == "__main__":
    main()
