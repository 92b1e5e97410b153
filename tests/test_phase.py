"""What a connection can be doing."""

from __future__ import annotations

from aioserve.phase import Phase


def test_every_phase_is_said_in_other_words():
    assert len({phase.value for phase in Phase}) == len(Phase) == 6
