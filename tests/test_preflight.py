from __future__ import annotations

import os
import socket
import sys

import pytest

from aioserve import preflight
from aioserve.errors import BindError, ConfigurationError, StartupError, TlsError, first_of
from aioserve.listen.addresses import TcpAddress, UnixAddress
from aioserve.listen.sockets import port_line
from aioserve.own_file import hold
from aioserve.preflight import missing_parts, prepare, unusable_log
from aioserve.server import ServerHttpProtocol
from aioserve.settings import (
    Application,
    Bind,
    Live,
    Logs,
    Look,
    Metrics,
    Process,
    Proxies,
    Settings,
    Static,
    Tls,
)
from tests.listen.pem import EXPIRED, KEY


class FakeListening:
    """One socket, of a family."""

    def __init__(self, family):
        self.sockets = [self]
        self.family = family

    def getsockname(self):
        return ("127.0.0.1", 80)


@pytest.fixture(autouse=True)
def bound(monkeypatch):
    """Binding that takes no port: it notes what was asked and refuses the host ``taken``."""
    asked = []

    def bind_sockets(bind, _aside):
        asked.append(bind)
        if bind.host == "taken":
            raise first_of([BindError("taken:8080 cannot be had"), BindError("another cannot be had")])
        return FakeListening(socket.AF_UNIX if bind.host == "unix" else socket.AF_INET)

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
    assert port_line(found.listening.sockets) == "80\n"
    assert found.problems == []
    assert bound == [Bind(port=0)]


def test_files_alone_need_no_application(tmp_path):
    assert prepare(Settings(static=Static((("/", str(tmp_path)),)))).factory is None


def test_every_problem_is_found_in_order(tmp_path):
    settings = Settings(
        Application("nosuch:Thing", str(tmp_path)),
        Bind("taken"),
        Process(port_file=str(tmp_path / "none" / "port"), ready_file=str(tmp_path), pid_file="none/pid"),
        static=Static((("/", str(tmp_path / "a")), ("/ok", str(tmp_path)), ("/f", __file__))),
    )

    found = said(settings)

    assert [kind for kind, _ in found] == [StartupError, *[ConfigurationError] * 5, *[BindError] * 2]
    assert [text for _, text in found] == [
        f"there is no module 'nosuch' in {tmp_path}",
        f"--port-file: '{tmp_path}/none/port' cannot be written",
        f"--ready-file: '{tmp_path}' cannot be written",
        "--pid-file: 'none/pid' cannot be written",
        f"cannot serve '{tmp_path}/a': No such file or directory",
        f"cannot serve {__file__!r}: it is not a folder",
        "taken:8080 cannot be had",
        "another cannot be had",
    ]


@pytest.fixture
def running(tmp_path):
    """The file of a process number, and a server that runs and has it."""
    path = tmp_path / "pid"
    with path.open("w") as file:
        descriptor = hold(file.fileno())
    path.write_text("4711\n")
    yield path
    os.close(descriptor)


def test_server_that_runs_keeps_the_file_of_its_number(running):
    """The path may lead there in another way."""
    (running.parent / "link").symlink_to(running.parent)
    for name in (str(running), str(running.parent / "link/pid")):
        assert said(Settings(process=Process(pid_file=name))) == [
            (ConfigurationError, f"--pid-file: {name!r} is that of a server that runs (pid 4711)")
        ]


@pytest.mark.parametrize(
    "number", [os.getpid(), os.getppid(), "", "none"], ids=["ours", "another's", "none", "no number"]
)
def test_file_of_a_number_is_had_where_no_server_holds_it(tmp_path, number):
    """One that was killed has left it; its number may be another process's by now."""
    (tmp_path / "pid").write_text(f"{number}\n")

    assert said(Settings(process=Process(pid_file=str(tmp_path / "pid")))) == []


def test_lock_that_is_no_servers_is_no_hindrance(running):
    """Who starts it by the program flock may lock the same file."""
    running.write_text("")

    assert said(Settings(process=Process(pid_file=str(running)))) == []


def test_file_of_a_number_may_go_while_it_is_looked_at(running, monkeypatch):
    def read_bytes(_path):
        raise FileNotFoundError

    monkeypatch.setattr(type(running), "read_bytes", read_bytes)

    assert said(Settings(process=Process(pid_file=str(running)))) == []


def test_server_that_loads_everything_anew_has_its_own_file(running, monkeypatch):
    monkeypatch.chdir(running.parent)
    before = Process(pid_file="pid")

    assert [*missing_parts(Process(pid_file=str(running)), before)] == []
    assert len([*missing_parts(Process(pid_file=str(running)), Process(pid_file="other"))]) == 1


def test_control_socket_is_tried_as_an_address_is(tmp_path, bound):
    """Who serves binds it, too, and says the same of it."""
    control, bad = str(tmp_path / "control"), str(tmp_path / "none/control")

    assert said(Settings(live=Live(control=control))) == []
    assert [*tmp_path.iterdir()] == []
    assert said(Settings(bind=Bind("taken"), live=Live(control=bad))) == [
        (BindError, f"--control: cannot listen on unix:{bad}: No such file or directory"),
        (BindError, "taken:8080 cannot be had"),
        (BindError, "another cannot be had"),
    ]
    bound.clear()
    assert prepare(Settings(live=Live(control=bad)), is_worker=True).problems == bound == []


def test_where_an_address_is_not_known_everything_else_is_looked_at(tmp_path, bound):
    """The default is not what was asked for."""
    none = str(tmp_path / "none" / "file")
    settings = Settings(
        Application("nosuch:Thing", str(tmp_path)),
        process=Process(pid_file=none, reload=True, reload_dirs=(none,)),
        logs=Logs(access_log_file=none),
        live=Live(control=none),
    )

    found = prepare(settings, is_address_known=False)
    flags = ["there is no module 'nosuch' in", "--reload-dir", "--pid-file", "--access-log-file", "--control"]
    assert [str(one)[: len(flag)] for one, flag in zip(found.problems, flags, strict=True)] == flags
    assert bound == []


def test_of_several_addresses_those_are_tried_that_are_known(bound):
    """That the others have no port for the port file cannot be said."""
    bind = Bind("taken", addresses=(UnixAddress("web.sock"),))
    assert len(prepare(Settings(bind=bind), is_address_known=False).problems) == 2

    bind = Bind("unix", addresses=(UnixAddress("web.sock"),))
    process = Process(port_file="port")
    assert prepare(Settings(bind=bind, process=process), is_address_known=False).problems == []
    assert len(prepare(Settings(bind=bind, process=process)).problems) == 1
    assert len(bound) == 3


def test_what_has_become_of_the_log_since_ends_nobody(tmp_path):
    logs = Logs(access_log_file=str(tmp_path / "none/access.log"))

    assert [*unusable_log(logs, logs)] == []
    assert len([*unusable_log(logs, Logs())]) == 1
    assert prepare(Settings(logs=logs), is_worker=True).problems == []


@pytest.mark.parametrize(
    ("name", "is_problem"),
    [("-", False), ("new.log", False), ("old.log", False), (".", True), ("none/new.log", True)],
)
def test_file_of_the_access_log_is_looked_at_and_not_made(tmp_path, monkeypatch, name, is_problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.log").touch()
    expected = [f"--access-log-file: {name!r} cannot be written"] if is_problem else []

    assert [text for _, text in said(Settings(logs=Logs(access_log_file=name)))] == expected
    assert said(Settings(logs=Logs(access_log_file=name, access_log=False))) == []
    assert [each.name for each in tmp_path.iterdir()] == ["old.log"]


@pytest.mark.parametrize(
    ("host", "port_file", "found"),
    [
        ("unix", "port", ["--port-file: there is no port, only unix sockets"]),
        ("unix", None, []),
        ("127.0.0.1", "port", []),
    ],
)
def test_port_file_needs_a_port(host, port_file, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert [
        text for _, text in said(Settings(bind=Bind(host), process=Process(port_file=port_file)))
    ] == found


@pytest.mark.parametrize("port_file", ["port", "./port", os.devnull])
def test_port_file_may_lie_in_any_folder_that_can_be_written_to(port_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda folder, mode: str(folder) in (".", "/dev") and mode == os.W_OK)

    assert said(Settings(process=Process(port_file=port_file))) == []


@pytest.mark.parametrize("asked", [True, False])
def test_folder_to_be_looked_at_must_be_there_where_that_is_asked_for(tmp_path, asked):
    settings = Process(reload=asked, reload_dirs=(str(tmp_path), f"{tmp_path}/none"))

    found = [f"--reload-dir: there is no folder '{tmp_path}/none'"]
    assert [text for _, text in said(Settings(process=settings))] == (found if asked else [])


@pytest.mark.parametrize(
    ("asked", "found"),
    [(True, ["--uvloop: uvloop is not installed"]), (None, []), (False, [])],
)
def test_uvloop_must_be_installed_only_where_it_is_asked_for(monkeypatch, asked, found):
    monkeypatch.setattr(preflight, "find_spec", lambda _name: None)

    assert [text for _, text in said(Settings(process=Process(uvloop=asked)))] == found


def test_options_of_tls_are_looked_at_together_though_it_is_not_spoken():
    found = said(Settings(tls=Tls(keyfiles=("key.pem",))))

    assert [kind for kind, _ in found] == [ConfigurationError]
    assert preflight.certificates_of(Tls()) is None


@pytest.mark.parametrize("headers", ["off", "x-forwarded", "forwarded", "proxy-protocol"])
def test_proxy_protocol_and_tls_are_not_spoken_together(headers, monkeypatch):
    monkeypatch.setattr(preflight, "certificates_of", lambda _tls: None)

    found = said(Settings(tls=Tls(("cert.pem",)), proxies=Proxies(headers)))

    problem = "--proxy-headers: proxy-protocol cannot be spoken where TLS is"
    assert found == ([(ConfigurationError, problem)] if headers == "proxy-protocol" else [])
    assert said(Settings(proxies=Proxies(headers))) == []


def test_folder_that_may_not_be_entered_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda _folder, mode: mode != os.X_OK)  # root may enter every folder

    found = said(Settings(static=Static((("/", str(tmp_path)),))))

    assert found == [(ConfigurationError, f"cannot serve '{tmp_path}': Permission denied")]


@pytest.fixture
def site(tmp_path):
    """Two folders; one has a page for 404."""
    for name in ("docs", "main"):
        (tmp_path / name).mkdir()
    (tmp_path / "main/404.html").write_text("none")
    return tmp_path


@pytest.mark.parametrize(
    ("taken", "place"),
    [
        ("/docs", "/docs"),
        ("/docs", "/docs/"),
        ("/docs", "/d%6Fcs"),
        ("/d%6Fcs", "/docs"),
        ("/d%6fcs", "/d%6Fcs/"),
        ("/", "/"),
    ],
)
def test_url_belongs_to_one_folder(site, tmp_path, taken, place):
    """RFC 3986 §6.2.2.2: however it is spelled."""
    mounts = (("/main", str(site)), (taken, str(site)), (place, str(tmp_path)))

    assert said(Settings(static=Static(mounts))) == [
        (ConfigurationError, f"cannot serve {str(tmp_path)!r}: another folder is at {taken}")
    ]


def test_error_page_may_be_in_a_folder_whose_place_is_taken(site):
    mounts = (("/", str(site / "docs")), ("/", str(site / "main")))
    static = Static(mounts, error_pages=((404, "none.html"),))

    assert [text for _, text in said(Settings(static=static))] == [
        f"cannot serve {str(site / 'main')!r}: another folder is at /"
    ]


def test_option_of_files_that_could_never_be_followed_is_a_problem(site):
    static = Static((("/", str(site)),), headers=(("/*", "ETag", "1"),))

    (problem,) = said(Settings(static=static))

    assert problem[0] is ConfigurationError
    assert problem[1].startswith("--header: ETag cannot be given")


@pytest.mark.parametrize("names", [("main",), ("main", "docs"), ("docs", "main")])
def test_error_page_may_be_in_one_of_the_folders(site, names):
    mounts = tuple((f"/{name}", str(site / name)) for name in names)

    assert said(Settings(static=Static(mounts, error_pages=((404, "404.html"),)))) == []


@pytest.mark.parametrize("page", ["none.html", "main", "main/none.html", ".hidden", "out.html"])
@pytest.mark.parametrize("is_check", [False, True])
def test_error_page_that_no_folder_has_is_a_problem(site, page, is_check):
    """Neither a folder, nor what must not be seen, is a page."""
    (site / ".hidden").write_text("")
    (site / "out.html").symlink_to(__file__)
    mounts = ("/", str(site)), ("/docs", str(site / "docs"))
    static = Static(mounts, error_pages=((404, page), (500, "main/404.html")))

    assert said(Settings(static=static, look=Look(check=is_check))) == [
        (ConfigurationError, f"--error-page: there is no {page!r} to be shown for 404")
    ]


def test_of_two_pages_for_one_error_the_last_one_counts(site):
    pages = (404, "404.html"), (404, "none.html")
    static = Static((("/", str(site / "main")),), error_pages=pages)

    assert [text for _, text in said(Settings(static=static))] == [
        "--error-page: there is no 'none.html' to be shown for 404"
    ]


def test_error_page_is_nothing_without_a_folder():
    assert said(Settings(static=Static(error_pages=((404, "none.html"),)))) == []


def test_problems_of_rules_are_found_by_who_asks_for_them(site):
    """Whoever does not is told when they are first read: the other rules still count."""
    (site / "main/_redirects").write_text("/old /new\n/a /b 999\n")
    (site / "docs/_headers").write_text("/*\n  ETag: 1\n")
    mounts = ("/", str(site / "main")), ("/docs", str(site / "docs"))

    found = said(Settings(static=Static(mounts), look=Look(check=True)))

    assert [kind for kind, _ in found] == [ConfigurationError] * 2
    assert found[0][1].startswith(f"{site}/main/_redirects, line 2: 999 is not a status")
    assert found[1][1].startswith(f"{site}/docs/_headers, line 2: ETag cannot be given")
    assert said(Settings(static=Static(mounts))) == []


def test_certificate_that_cannot_be_used_is_a_problem():
    settings = Settings(static=Static((("/", "."),)), tls=Tls(certfiles=("nosuch.pem",)))
    assert said(settings) == [(TlsError, "'nosuch.pem': No such file or directory")]


def test_worker_does_not_look_at_what_only_the_parent_needs(tmp_path):
    """A folder that has gone since would keep it from serving."""
    none = str(tmp_path / "none" / "file")
    process = Process(pid_file=none, port_file=none, ready_file=none, reload=True, reload_dirs=(none,))

    assert prepare(Settings(process=process), is_worker=True).problems == []
    assert len(prepare(Settings(Application(), Bind(port=0), process)).problems) == 4


def test_addresses_are_left_alone_where_somebody_has_bound_them(bound):
    found = prepare(Settings(process=Process(port_file="port")), is_worker=True)

    assert found.listening.sockets == bound == []


def test_certificates_that_were_read_are_used_though_their_files_have_gone():
    settings = Settings(static=Static((("/", "."),)), tls=Tls(certfiles=("nosuch.pem",)))
    kept = object()

    found = prepare(settings, is_worker=True, certificates=kept)
    assert (found.tls, found.problems) == (kept, [])


def test_all_certificates_that_cannot_be_used_are_problems():
    settings = Settings(static=Static((("/", "."),)), tls=Tls(certfiles=("a.pem", "b.pem")))
    assert [text for _, text in said(settings)] == [
        "'a.pem': No such file or directory",
        "'b.pem': No such file or directory",
    ]


def test_options_of_tls_that_contradict_each_other_are_a_problem():
    ((kind, _),) = said(Settings(tls=Tls(certfiles=("a.pem",), self_signed=True)))
    assert kind is ConfigurationError


@pytest.mark.parametrize("is_check", [False, True])
def test_certificate_that_has_expired_is_served_and_a_problem_to_who_asks(tmp_path, is_check):
    """Its successor is waited for, and the log says so."""
    (tmp_path / "old.pem").write_text(EXPIRED + KEY)
    tls = Tls(certfiles=(str(tmp_path / "old.pem"),))

    found = prepare(Settings(tls=tls, look=Look(check=is_check)))

    assert found.tls is not None
    assert [(type(one), one.exit_code) for one in found.problems] == [(TlsError, 5)] * is_check


@pytest.mark.parametrize("is_installed", [True, False])
def test_metrics_need_a_package(monkeypatch, is_installed):
    monkeypatch.setattr(preflight, "find_spec", lambda _name: is_installed or None)
    settings = Settings(metrics=Metrics(TcpAddress("127.0.0.1", 9464)))
    problems = [str(problem) for problem in prepare(settings).problems]

    asked = "--metrics: prometheus-client is not installed; try pip install 'aioserve[metrics]'"
    assert problems == ([] if is_installed else [asked])
