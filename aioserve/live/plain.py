"""The view for scripts: one line a second.

This file decides what stands on it: names and numbers, always the same ones in the same order.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aioserve.observe.snapshot import CONNECTION_STATES, STATUS_CLASSES

if TYPE_CHECKING:
    from aioserve.live.rates import History
    from aioserve.observe.snapshot import Snapshot


def format_line(history: History, latest: Snapshot) -> str:
    """Write ``2026-11-24T06:00:00+0000 state=serving requests/s=1234.0 2xx/s=1230.0 ... p99_ms=1.20 ...``.

    Rates are of the last second, durations of the last ten; ``-`` stands for what there is not.
    """
    rates, durations = history.rates, history.durations
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(latest.time))
    numbers = {
        "requests/s": f"{rates.requests:.1f}",
        **{
            f"{name}/s": f"{rate:.1f}"
            for name, rate in zip(STATUS_CLASSES[1:], rates.classes[1:], strict=True)
        },
        "refused/s": f"{rates.refused:.1f}",
        "p50_ms": f"{durations.median * 1000:.2f}" if durations else "-",
        "p99_ms": f"{durations.p99 * 1000:.2f}" if durations else "-",
        "max_ms": f"{durations.highest * 1000:.2f}" if durations else "-",
        "connections": sum(latest.connections),
        **dict(zip(CONNECTION_STATES, latest.connections, strict=True)),
        "workers": len(latest.workers),
        "errors": sum(row[-1] for row in latest.requests),
        "restarts": latest.restarts,
    }
    return f"{moment} state={latest.state} " + " ".join(f"{name}={value}" for name, value in numbers.items())
