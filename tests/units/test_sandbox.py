# ruff: noqa: S108 - names, at which nothing is written

from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import parse_address
from aioserve.settings import Application, Bind, Live, Logs, Look, Metrics, Process, Settings, Static, Tls
from aioserve.units.place import Place
from aioserve.units.sandbox import format_sandbox
from tests.units.systemd import expand, read_unit, split_words

APP = Application(app="app:Handler")
SRV = Place(("/usr/bin/aioserve",), "/srv/web", ("/usr",))


def sandbox(place=SRV, **sections):
    return read_unit(format_sandbox(Settings(**sections), place))


def paths(found, key):
    return [expand(path) for line in found.get(key, ()) for path in split_words(line)]


def test_application_may_use_the_network_and_files_alone_need_none():
    with_application = sandbox(application=APP)
    files_alone = sandbox(static=Static(mounts=(("/", "x"),)))

    assert with_application["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert "PrivateNetwork" not in with_application
    assert files_alone["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert files_alone["PrivateNetwork"] == ["yes"]


def test_homes_are_out_of_reach_where_nothing_in_them_is_named():
    found = sandbox(application=APP)

    assert found["ProtectHome"] == ["yes"]
    assert "BindReadOnlyPaths" not in found


def test_what_is_named_in_hidden_folders_is_shown_and_nothing_twice():
    found = sandbox(
        Place(("/home/me/venv/bin/aioserve",), "/home/me/a b", ("/home/me/venv", "/usr", "/home/me/python")),
        application=Application(app="../50%/x.py:Handler", app_dir="app"),
        static=Static(mounts=(("/", "files"), ("/x", "/var/tmp/y"), ("/z", "/srv/z"), ("/p", "/home/me/p"))),
        tls=Tls(client_ca="/root/ca.pem"),
        look=Look(config="/tmp/c/x.toml"),
    )

    assert found["ProtectHome"] == ["tmpfs"]
    assert paths(found, "BindReadOnlyPaths") == [
        "/home/me/a b",
        "/home/me/p",
        "/home/me/python",
        "/home/me/venv",
        "/root/ca.pem",
        "/tmp/c/x.toml",
        "/var/tmp/y",
    ]


def test_what_a_link_leads_to_is_shown_too(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    place = Place(("/usr/bin/aioserve",), str(tmp_path / "link"))

    assert {str(tmp_path / "link"), str(tmp_path / "real")} == set(
        paths(sandbox(place, application=APP), "BindReadOnlyPaths")
    )


def test_file_of_an_application_by_its_module_is_in_the_folder_anyway():
    found = sandbox(Place(("/usr/bin/aioserve",), "/home/me"), application=APP)

    assert paths(found, "BindReadOnlyPaths") == ["/home/me"]


def test_what_is_hidden_beneath_a_folder_that_is_not_is_shown():
    found = sandbox(Place(("/usr/bin/aioserve",), "/"), static=Static(mounts=(("/", "home/me"),)))

    assert paths(found, "BindReadOnlyPaths") == ["/home/me"]


def test_what_others_may_not_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir(0o700)
    static = Static(mounts=(("/a", "open"), ("/b", "closed"), ("/c", "none")))
    place = Place(("/usr/bin/aioserve",), str(tmp_path))
    tmp_path.chmod(0o755)

    text = format_sandbox(Settings(static=static), place)

    assert [line for line in text.splitlines() if "chmod" in line] == [
        f"# The user of the service cannot read this: chmod -R o+rX {tmp_path}/closed"
    ]
    # Where it is not hidden, each folder above must let the user pass as well.
    monkeypatch.setattr("aioserve.units.sandbox._HIDDEN", ())
    tmp_path.chmod(0o700)
    text = format_sandbox(Settings(static=static), place)
    assert f"chmod -R o+rX {tmp_path}/open\n" in text


def test_files_that_are_written_have_a_folder():
    process = Process(pid_file="/run/web/pid", port_file="/run/web/port", ready_file="/run/web/x/ready")
    found = sandbox(application=APP, process=process, live=Live(control="/run/see/ctl"))

    assert paths(found, "RuntimeDirectory") == ["see", "web", "web/x"]


@pytest.mark.parametrize(
    ("logs", "key", "folders"),
    [
        (Logs(access_log_file="/var/log/web/access.log"), "LogsDirectory", ["web"]),
        (Logs(access_log_file="/var/log/access.log"), "ReadWritePaths", ["/var/log"]),
        (Logs(access_log_file="/srv/logs/access.log"), "ReadWritePaths", ["/srv/logs"]),
        (Logs(access_log_file="/var/log/web/access.log", access_log=False), "LogsDirectory", []),
        (Logs(), "ReadWritePaths", []),
    ],
)
def test_access_log_has_one_too(logs, key, folders):
    found = sandbox(application=APP, logs=logs)

    assert paths(found, key) == folders


@pytest.mark.parametrize(
    ("file", "key", "folder"),
    [
        ("/run/pid", "ReadWritePaths", "/run"),
        ("/run/user/1000/pid", "BindPaths", "/run/user/1000"),
        ("/tmp/x/pid", "BindPaths", "/tmp/x"),
        ("pid", "ReadWritePaths", "/srv/web"),
        ("/run/sockets/pid", "ReadWritePaths", "/run/sockets"),
    ],
)
def test_other_folders_that_are_written_are_the_persons_business(file, key, folder):
    bind = Bind(addresses=(parse_address("unix:/run/sockets/web"), parse_address(":80")))
    found = sandbox(application=APP, process=Process(ready_file=file), bind=bind)

    assert paths(found, key) == [folder]
    assert "RuntimeDirectory" not in found


@pytest.mark.parametrize("folder", ["/home/a\nb", "/tmp/x\\"])
def test_folder_that_systemd_cannot_name_is_refused(folder):
    with pytest.raises(ConfigurationError, match="a unit file cannot name the folder"):
        sandbox(static=Static(mounts=(("/", folder),)))
    with pytest.raises(ConfigurationError, match="a unit file cannot name the folder"):
        sandbox(process=Process(pid_file=f"{folder}/x"))


@pytest.mark.parametrize(
    ("metrics", "families", "written"),
    [
        ("127.0.0.1:9464", "AF_UNIX AF_INET AF_INET6", []),
        ("unix:/run/numbers/m.sock", "AF_UNIX", ["numbers"]),
    ],
)
def test_address_for_metrics_can_be_reached_and_made(metrics, families, written):
    found = sandbox(static=Static(mounts=(("/", "x"),)), metrics=Metrics(parse_address(metrics)))

    assert found["RestrictAddressFamilies"] == [families]
    assert ("PrivateNetwork" in found) == bool(written)
    assert paths(found, "RuntimeDirectory") == written
