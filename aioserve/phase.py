"""What a connection can be doing."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """What a connection is doing."""

    WAITING = "for a request, of which a part may have come"
    ANSWERING = "a request"
    DISCARDING = "what its handler did not read of a body"
    LEAVING = "after its last answer, so that the client gets to read it"
    DETACHED = "and another protocol's"
    LOST = "for good"
