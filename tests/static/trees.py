"""A folder with something of everything in it, and what the tests of files ask of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aioserve.static.tree import Found

CANARY = b"not for you"
INDEX = ("index.html", "index.txt")


def build(base: Path) -> Path:
    """Make a root with something of everything in it, and a canary beside it."""
    outside = base / "outside"
    outside.mkdir()
    for name in ("file.txt", "index.html", "root.txt"):
        (outside / name).write_bytes(CANARY)
    root = base / "root"
    for name in (
        "folder/inner",
        "empty",
        "texts",
        ".hidden",
        ".well-known",
        "index-folder/index.html",
        "new\nline",
    ):
        (root / name).mkdir(parents=True)
    for name in (
        "file.txt",
        "index.html",
        "two words.txt",
        "percent%2e.txt",
        "semi;colon",
        ".env",
        "folder/file.txt",
        "folder/index.html",
        "folder/.secret",
        "folder/inner/file.txt",
        "texts/index.txt",
        ".hidden/file.txt",
        ".hidden/index.html",
        ".well-known/token",
        ".well-known/.secret",
    ):
        (root / name).write_text(name)
    for name, target in {
        "link-to-file": "file.txt",
        "link-to-folder": "folder",
        "link-to-hidden": ".env",
        "link-to-hidden-folder": ".hidden",
        "link-absolute": root / "folder",
        "link-out": outside,
        "link-to-canary": outside / "file.txt",
        "link-up": "..",
        "link-out-and-in": "../root/file.txt",
        "loop": "loop",
        "dangling": "nowhere",
        "empty/index.html": outside / "index.html",
        "folder/link-up": "..",
        "folder/link-up-too-far": "../..",
    }.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    os.mkfifo(root / "fifo.html")
    return root


def names_of(path: str) -> tuple[bytes, ...]:
    """Split a path of names that are text."""
    return tuple(os.fsencode(path).split(b"/"))


def count_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are all that is wanted


def content(outcome) -> bytes:
    assert isinstance(outcome, Found)
    with outcome.file:
        return outcome.file.read()


@contextmanager
def root_for_anybody():
    """Make the root below folders that anybody may enter, unlike those of `tmp_path`."""
    with TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        root = build(Path(base))
        yield root
        for folder, inner, _ in os.walk(base):
            for name in inner:
                Path(folder, name).chmod(0o755)  # so that who made it may remove it


@contextmanager
def ordinary_user():
    """For whom permissions hold: root may read everything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def before_call(name: str, number: int, act):
    """Do something just before a function of `os` is called for the number-th time."""
    real, count = getattr(os, name), 0

    def call(*args, **kwargs):
        nonlocal count
        count += 1
        if count == number:
            act()
        return real(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, call)
        yield
    assert count >= number
