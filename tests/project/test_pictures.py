"""The pictures of docs/see.md show what a terminal would show today."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LINKED = re.findall(r"\]\((pictures/\w+\.svg)\)", (DOCS / "see.md").read_text("utf-8"))


def texts_of(path):
    """Return what is written in a picture: rich's own form may change."""
    parts = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text("utf-8"))
    return [html.unescape(part).replace("\xa0", " ").strip() for part in parts]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    script = f"import sys; sys.path.insert(0, {str(DOCS)!r}); import pathlib, pictures; "
    words = [sys.executable, "-c", f"{script}pictures.main(pathlib.Path({str(folder)!r}))"]
    subprocess.run(words, check=True)
    return folder


@pytest.mark.parametrize("name", LINKED)
def test_picture_is_fresh(drawn, name):
    """``python docs/pictures.py`` makes it so."""
    assert texts_of(DOCS / name) == texts_of(drawn / Path(name).name)


def test_every_picture_is_linked():
    assert sorted(LINKED) == sorted(f"pictures/{path.name}" for path in (DOCS / "pictures").iterdir())


def test_pictures_load_nothing_from_elsewhere():
    for path in (DOCS / "pictures").iterdir():
        assert "url(http" not in path.read_text("utf-8")
