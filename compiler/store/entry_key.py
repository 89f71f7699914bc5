"""Keys of stored entries: flat mappings of readable fields that say everything an entry depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

Key = Mapping[str, str]


def key_digest(key: Key) -> str:
    """The name under which an entry is stored: SHA-256 of the key's fields, whatever their order, in hexadecimal."""
    text = json.dumps(dict(key), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
