"""Strings of both kinds."""

from pathlib import PurePosixPath

import pytest

from sessile.graph import compat


def test_bytes_and_text():
    assert compat.as_bytes("é") == b"\xc3\xa9" and compat.as_bytes(b"a") == compat.as_bytes(bytearray(b"a")) == b"a"
    assert compat.as_bytes("é", "latin-1") == b"\xe9"
    assert compat.as_text(b"\xc3\xa9") == compat.as_str("é") == "é"
    assert [compat.as_str_any(value) for value in (b"a", "b", 1)] == ["a", "b", "1"]
    assert compat.path_to_str(PurePosixPath("a/b")) == "a/b" and compat.path_to_str("c") == "c"


@pytest.mark.parametrize("convert", [compat.as_bytes, compat.as_text])
def test_what_is_no_string(convert):
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 1"):
        convert(1)
