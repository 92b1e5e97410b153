from __future__ import annotations

import os
import sys

import pytest

from aioserve import preflight
from aioserve.errors import BindError, ConfigurationError, StartupError, TlsError
from aioserve.preflight import prepare
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Application, Bind, Process, Settings, Static, Tls


@pytest.fixture(autouse=True)
def bound(monkeypatch):
    """Binding that takes no port: it notes what was asked and refuses the host ``taken``."""
    asked = []

    def bind_sockets(bind):
        asked.append(bind)
        if bind.host == "taken":
            raise BindError("taken:8080 cannot be had")
        return ["a socket"]

    monkeypatch.setattr(preflight, "bind_sockets", bind_sockets)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return asked


def said(settings):
    return [(type(one), str(one)) for one in prepare(settings).problems]


def test_application_folders_and_address_are_made_ready(tmp_path, bound):
    application = Application("aioserve.server:ServerHttpProtocol", str(tmp_path))
    process = Process(uvloop=True, port_file=str(tmp_path / "port"))

    found = prepare(Settings(application, Bind(port=0), process, static=Static((("/", str(tmp_path)),))))

    assert found.factory is ServerHttpProtocol
    assert found.sockets == ["a socket"]
    assert found.problems == []
    assert bound == [Bind(port=0)]


def test_files_alone_need_no_application(tmp_path):
    assert prepare(Settings(static=Static((("/", str(tmp_path)),)))).factory is None


def test_every_problem_is_found_in_order(tmp_path):
    settings = Settings(
        Application("nosuch:Thing", str(tmp_path)),
        Bind("taken"),
        Process(port_file=str(tmp_path / "none" / "port")),
        static=Static((("/", str(tmp_path / "a")), ("/ok", str(tmp_path)), ("/f", __file__))),
    )

    found = said(settings)

    assert [kind for kind, _ in found] == [StartupError, *[ConfigurationError] * 3, BindError]
    assert [text for _, text in found] == [
        f"there is no module 'nosuch' in {tmp_path}",
        f"--port-file: '{tmp_path}/none/port' cannot be written",
        f"cannot serve '{tmp_path}/a': No such file or directory",
        f"cannot serve {__file__!r}: it is not a folder",
        "taken:8080 cannot be had",
    ]


@pytest.mark.parametrize("port_file", ["port", "./port", os.devnull])
def test_port_file_may_lie_in_any_folder_that_can_be_written_to(port_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda folder, mode: str(folder) in (".", "/dev") and mode == os.W_OK)

    assert said(Settings(process=Process(port_file=port_file))) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [(True, ["--uvloop: uvloop is not installed"]), (None, []), (False, [])],
)
def test_uvloop_must_be_installed_only_where_it_is_asked_for(monkeypatch, asked, found):
    monkeypatch.setattr(preflight, "find_spec", lambda _name: None)

    assert [text for _, text in said(Settings(process=Process(uvloop=asked)))] == found


def test_folder_that_may_not_be_entered_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda _folder, mode: mode != os.X_OK)  # root may enter every folder

    found = said(Settings(static=Static((("/", str(tmp_path)),))))

    assert found == [(ConfigurationError, f"cannot serve '{tmp_path}': Permission denied")]


def test_certificate_that_cannot_be_used_is_a_problem():
    settings = Settings(static=Static((("/", "."),)), tls=Tls(certfile="nosuch.pem"))
    assert said(settings) == [(TlsError, "'nosuch.pem': No such file or directory")]
