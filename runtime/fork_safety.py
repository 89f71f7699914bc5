"""Locks in the child of a fork: threads of the parent that held one are not there to let go of it.

Who has locks says so once, and gets a call in the child, where no other thread runs yet.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class LockOwner(Protocol):
    """An object with locks."""

    def renew_locks(self) -> None:
        """Takes new locks in the place of the old ones."""


_owners: weakref.WeakSet[LockOwner] = weakref.WeakSet()


def renew_locks_in_children(owner: LockOwner) -> None:
    """Lets `owner` renew its locks in each child that is forked while it lives; renews them now, too."""
    owner.renew_locks()
    _owners.add(owner)


def _renew_all() -> None:
    for owner in list(_owners):
        owner.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
