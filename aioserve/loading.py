"""How our own code is loaded.

This file decides that nobody looks for garbage meanwhile: what is loaded stays, and looking at it again and
again took a twentieth of the start. An application is loaded as it would be anywhere.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quickly() -> Iterator[None]:
    """Import within this block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
