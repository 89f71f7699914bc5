"""Options and fixtures that all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# The examples of a test are the same in each run; `--hypothesis-profile=explore` draws others. No test is timed.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")

# Nothing is stored on disk, nor found there, but for tests that name a folder of their own.
os.environ["SESSILE_CACHE_DIR"] = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what comes out to the golden files")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten instead of compared with."""
    return bool(request.config.getoption("--update-golden"))
