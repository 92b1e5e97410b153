"""How one input of the fuzzer is told apart: a plan of so many bytes, then the stream that a client sends.

This file alone decides how a stream is cut, so that both targets, and the corpus made for them, agree on it.
"""

# ruff: noqa: ANN001, ANN201, INP001 - scripts, with the tests' freedom from annotations

from __future__ import annotations

CUTS = 3  # bytes of every plan that are sizes of pieces


def cut(stream, sizes):
    """Cut a stream into pieces of these sizes, over and over; a size of 0 is all that is left."""
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)] or len(stream)
        pieces.append(stream[at : at + size])
        at += size
        turn += 1
    return pieces


def one_by_one(stream):
    """Cut a stream into its bytes."""
    return cut(stream, b"\1")
