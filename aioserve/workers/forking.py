"""How a process of ours is made by the parent.

This file decides what every new one begins with: signals wait while there are two of us, so that none is
taken by the wrong one; what is the parent's is let go; and what is sent to the whole group is left to the
parent.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aioserve.workers.signals import JOB_CONTROL, block, leave_to_parent, unblock

if TYPE_CHECKING:
    from collections.abc import Callable


def fork(leave: Callable[[], None]) -> int:
    """Make a process, and return its number; in the new one 0.

    Args:
        leave: called in the new process, to let go of what is the parent's.

    Raises:
        OSError: there is no room for another.
    """
    mask = block()
    try:
        pid = os.fork()
        if not pid:
            mask -= {*JOB_CONTROL}  # which the parent has wait, where it writes
            leave()
            leave_to_parent()
        return pid
    finally:
        unblock(mask)
