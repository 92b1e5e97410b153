"""Our code is loaded without a look for garbage."""

from __future__ import annotations

import gc

import pytest

from aioserve.loading import quickly


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_is_not_looked_for_meanwhile(was_on):
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with quickly():
            assert not gc.isenabled()
        assert gc.isenabled() is was_on
        with pytest.raises(ImportError), quickly():
            raise ImportError
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
