from __future__ import annotations

import sys
from inspect import signature
from math import inf
from subprocess import run

from aioserve.settings import Settings
from aioserve.workers.audience import Audience
from aioserve.workers.nobody import Nobody


def test_nobody_is_told_nothing_and_waits_for_nothing():
    nobody = Nobody()
    settings = Settings()
    nobody.attend(None, None, None, None)
    nobody.begins()
    nobody.tell(1e9)
    nobody.close(is_copy=True)

    assert nobody.reports is None
    assert nobody.quieten(settings) is settings
    assert nobody.next_due() == inf


def test_it_can_be_asked_for_all_that_an_audience_can():
    asked = [name for name in vars(Audience) if not name.startswith("_")]

    assert asked
    for name in asked:
        assert signature(getattr(Nobody, name)) == signature(getattr(Audience, name)), name


def test_nothing_that_only_an_audience_needs_is_loaded_for_it():
    program = (
        "import sys, aioserve.workers.supervisor, aioserve.workers.nobody\n"
        "print(*(name for name in sys.modules if name.startswith('aioserve.')))"
    )
    loaded = run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "aioserve.workers.nobody" in loaded
    for name in ("workers.audience", "workers.stage", "observe.snapshot", "live.control"):
        assert f"aioserve.{name}" not in loaded
