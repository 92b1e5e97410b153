"""Make a finding smaller: ``python -m fuzz.shrink parser FILE`` prints what is left and what is wrong.

This file decides when two failures are the same: by type and by the first words of what they say. It is our
own, as libFuzzer's ``-minimize_crash`` would start the target's file as a program.
"""

# ruff: noqa: ANN001, ANN201, BLE001, INP001, T201 - a script

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

WORDS = 3


def failure_of(test, data):
    """Return what is wrong with an input, or None."""
    try:
        test(data)
    except Exception as error:
        words = [word for word in str(error).split() if word.isalpha()]
        return type(error), words[:WORDS], str(error)
    return None


def shrink(test, data):
    """Take away pieces, large ones first, as long as the same is wrong."""
    wanted = failure_of(test, data)
    size = len(data) // 2 if wanted else 0
    while size:
        at = 0
        while at < len(data):
            smaller = data[:at] + data[at + size :]
            failure = failure_of(test, smaller)
            if failure and failure[:2] == wanted[:2]:
                data = smaller
            else:
                at += size
        size //= 2
    return data


def main():
    """Shrink one finding."""
    target, path = sys.argv[1:]
    module = import_module(f"fuzz.{target}")
    data = shrink(module.test_one_input, Path(path).read_bytes())
    failure = failure_of(module.test_one_input, data)
    print(f"plan: {data[: module.PLAN]!r}\nstream: {data[module.PLAN :]!r}")
    print(f"{failure[0].__name__}: {failure[2]}" if failure else "nothing is wrong with it")


if __name__ == "__main__":
    main()
