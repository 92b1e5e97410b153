"""Which files matter, by their names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aioserve.settings import Application, Look, Process, Settings
from aioserve.workers.sources import Sources, sources_of


def sources(app="app:Handler", app_dir=".", config=None, **process):
    """Return those of settings."""
    settings = Settings(
        application=Application(app, app_dir), process=Process(reload=True, **process), look=Look(config)
    )
    return sources_of(settings)


# Where they are


def test_there_are_none_where_nothing_is_to_be_loaded_anew_by_itself():
    assert sources_of(Settings(application=Application("app:Handler"))) is None


@pytest.mark.parametrize(
    ("app", "app_dir", "folders"),
    [
        pytest.param("app:Handler", ".", ["."], id="the current folder"),
        pytest.param("app:Handler", "/srv/site", ["/srv/site"], id="that of --app-dir"),
        pytest.param("./app.py:Handler", "/srv/site", ["/srv/site"], id="a file in it"),
        pytest.param("app.py:Handler", "/srv/site", ["/srv/site"], id="a file in it by its name alone"),
        pytest.param("inner/app.py:Handler", "/srv/site", ["/srv/site"], id="a file beneath it"),
        pytest.param("../app.py:Handler", "/srv/site", ["/srv"], id="a file above it"),
        pytest.param("/opt/app.py:Handler", "/srv/site", ["/opt", "/srv/site"], id="a file elsewhere"),
        pytest.param(None, "/srv/site", [], id="no application"),
    ],
)
def test_they_are_in_the_folder_of_the_application_and_of_its_file(app, app_dir, folders):
    assert sources(app, app_dir).folders == tuple(map(os.path.abspath, folders))


def test_folders_that_are_named_take_the_place_of_those():
    assert sources(reload_dirs=("/srv/lib", "/opt")).folders == ("/opt", "/srv/lib")


def test_folder_beneath_another_is_not_looked_at_twice():
    named = ("/srv/lib/inner", "/srv/lib2", "/srv/lib", "/srv/lib/")

    assert sources(reload_dirs=named).folders == ("/srv/lib", "/srv/lib2")


def test_links_stay_what_they_are(tmp_path):
    """When a link leads elsewhere, that is another folder."""
    (tmp_path / "one").mkdir()
    (tmp_path / "current").symlink_to("one")

    assert sources(app_dir=str(tmp_path / "current")).folders == (str(tmp_path / "current"),)


def test_configuration_file_is_one_wherever_it_is():
    assert sources(config="/etc/aioserve.toml").config == "/etc/aioserve.toml"


# How they are named


@pytest.mark.parametrize(
    "path",
    [
        "app.py",
        "package/deep/inside/app.py",
        "with a blank.py",
        "tests/test_app.py",
    ],
)
def test_python_files_matter_at_any_depth(path):
    assert Sources(("/srv/other", "/srv/site")).matter(f"/srv/site/{path}")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/srv/site/page.html", id="no Python"),
        pytest.param("/srv/site2/app.py", id="beside the folder"),
        pytest.param("/srv/app.py", id="above it"),
        pytest.param("/srv/site", id="the folder itself"),
        pytest.param("/srv/site/__pycache__/app.py", id="a cache"),
        pytest.param("/srv/site/.git/hooks/post.py", id="git"),
        pytest.param("/srv/site/.venv/bin/activate_this.py", id="a hidden environment"),
        pytest.param("/srv/site/env/lib/python3.11/site-packages/click/core.py", id="an environment"),
        pytest.param("/srv/site/node_modules/node-gyp/gyp.py", id="packages of Node"),
        pytest.param("/srv/site/.#app.py", id="Emacs' lock"),
        pytest.param("/srv/site/flycheck_app.py", id="flycheck"),
    ],
)
def test_others_do_not(path):
    assert not Sources(("/srv/site",)).matter(path)


@pytest.mark.parametrize(
    "name",
    [".app.py.swp", ".app.py.swx", "app.py~", "#app.py#", "4913", "app.py___jb_tmp___", "app.pyc", "app.tmp"],
)
def test_what_editors_write_beside_a_file_never_matters(name):
    assert not Sources(("/srv/site",), ("*",)).matter(f"/srv/site/{name}")
    assert Sources(("/srv/site",), ("*",)).matter("/srv/site/.env")


def test_hidden_folder_above_the_one_that_is_looked_at_does_not_matter():
    assert Sources(("/home/ada/.local/site",)).matter("/home/ada/.local/site/app.py")


def test_root_can_be_looked_at():
    assert Sources(("/",)).matter("/app.py")


def test_further_files_are_included_besides_python():
    found = sources(app_dir="/srv/site", reload_include=("*.html", "conf/*.toml", "data"))

    assert found.matter("/srv/site/app.py")
    assert found.matter("/srv/site/inner/page.html")
    assert found.matter("/srv/site/conf/site.toml")
    assert found.matter("/srv/site/data/inner/anything")
    assert not found.matter("/srv/site/site.toml")
    assert not found.matter("/srv/site/other/conf/site.toml")


def test_files_are_excluded_though_they_are_included():
    found = sources(app_dir="/srv/site", reload_exclude=("tests/", "./made/*.py", "*_pb2.py"))

    assert found.matter("/srv/site/app.py")
    assert not found.matter("/srv/site/tests/test_app.py")
    assert not found.matter("/srv/site/inner/tests/test_app.py")
    assert not found.matter("/srv/site/made/deep/table.py")
    assert found.matter("/srv/site/inner/made/table.py")
    assert not found.matter("/srv/site/inner/wire_pb2.py")


def test_relative_folders_are_beneath_the_current_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert sources(reload_dirs=("lib",)).matter(str(Path.cwd() / "lib" / "app.py"))
