from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import aioserve
from aioserve.units.place import Place


def test_script_is_run_again_by_its_absolute_path(monkeypatch, tmp_path):
    script = tmp_path / "bin" / "aioserve"
    script.parent.mkdir()
    script.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/aioserve", "--print-unit"])

    place = Place.here()

    assert place.program == (str(script),)
    assert place.folder == str(tmp_path)
    assert place.installed == (sys.prefix, sys.base_prefix, str(Path(aioserve.__file__).parents[1]))
    assert place.environment == os.environ


@pytest.mark.parametrize("name", ["aioserve", "__main__.py", "nothing"])
def test_what_cannot_be_started_is_run_by_python(monkeypatch, tmp_path, name):
    (tmp_path / "aioserve").mkdir()
    (tmp_path / "__main__.py").touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / name)])

    assert Place.here().program == (sys.executable, "-m", "aioserve")


@pytest.mark.parametrize(
    ("name", "path"), [("x", "/srv/web/x"), ("./x/../y/", "/srv/web/y"), ("/x", "/x"), (".", "/srv/web")]
)
def test_name_is_meant_from_the_current_folder(name, path):
    assert Place(("/bin/x",), "/srv/web").path(name) == path
