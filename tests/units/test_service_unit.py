from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import ConfigurationError
from aioserve.options import Given
from aioserve.settings import OPTIONS, Limits, Settings, Timeouts, build_settings
from aioserve.units.place import Place
from aioserve.units.service_unit import format_service
from tests.units.systemd import expand, read_command, read_unit, split_words

PLACE = Place(("/usr/bin/aioserve",), "/srv/web 1")
APP = {"app": ("app:Handler",)}


def given_by(source, texts):
    return {key: Given(tuple(words), source) for key, words in texts.items()}


def service(typed=APP, environment=(), file=(), **sections):
    """Return the unit for what was typed, what the environment says and what a file says."""
    words = {key: Given(tuple(texts), OPTIONS[key].flags[-1]) for key, texts in typed.items()}
    variables = {OPTIONS[key].variable: ",".join(texts) for key, texts in dict(environment).items()}
    of_environment = {
        key: Given(tuple(texts), OPTIONS[key].variable) for key, texts in dict(environment).items()
    }
    given = {**given_by("x.toml: x", dict(file)), **of_environment, **words}
    settings = replace(build_settings(given), **sections)
    return read_unit(format_service(words, settings, replace(PLACE, environment=variables)))


def command(*args, **more):
    (line,) = service(*args, **more)["ExecStart"]
    return read_command(line, d="CREDENTIALS")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"workers": ["2"], **APP}, ["app:Handler", "--workers", "2"]),
        ({"static": ["./a b", "/x=y"]}, ["--static", "./a b", "--static", "/x=y"]),
        ({"static": ["."], "cors": ["*"]}, ["--static", ".", "--cors=*"]),
        ({"static": ["."], "cors": ["https://a"]}, ["--static", ".", "--cors=https://a"]),
        ({"debug": ["True"], "access-log": ["False"], **APP}, ["app:Handler", "--debug", "--no-access-log"]),
        ({"app": ["-x:y"], "workers": ["2"]}, ["--workers", "2", "--", "-x:y"]),
        ({"static": ["-x"]}, ["--static=-x"]),
        (
            {"bind": [":80"], "backlog": ["5"], "reuse-port": ["True"], **APP},
            ["app:Handler", "--backlog", "5"],
        ),
        ({"host": ["::1"], "port": ["80"], **APP}, ["app:Handler"]),
        ({"print-unit": ["both"], "check": ["True"], **APP}, ["app:Handler"]),
        ({"ssl-self-signed": ["True"], **APP}, ["app:Handler", "--ssl-self-signed"]),
    ],
)
def test_command_is_what_was_typed_without_what_the_socket_unit_says(typed, words):
    assert command(typed) == ["/usr/bin/aioserve", *words]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_word_arrives_as_it_was_typed(text):
    found = command({"static": [text], "index": [text]})

    rest = found[1:]
    for flag in ("--static", "--index"):
        if text.startswith("-"):
            assert rest[0] == f"{flag}={text}"
            rest = rest[1:]
        else:
            assert rest[:2] == [flag, text]
            rest = rest[2:]
    assert rest == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0,"), min_size=1))
def test_variables_that_count_are_passed_on(text):
    environment = {"app-dir": [text], "bind": [":80"], "keep-alive": ["5s"]}
    found = service({**APP, "keep-alive": ["6s"]}, environment)["Environment"]

    assert [expand(word) for line in found for word in split_words(line)] == [f"AIOSERVE_APP_DIR={text}"]


def test_variable_of_a_platform_is_passed_on_by_its_name():
    settings = build_settings({"workers": Given(("3",), "WEB_CONCURRENCY"), **given_by("APP", APP)})
    text = format_service({}, settings, replace(PLACE, environment={"WEB_CONCURRENCY": "3"}))

    assert read_unit(text)["Environment"] == ["WEB_CONCURRENCY=3"]


def test_files_of_certificates_are_handed_over():
    typed = {**APP, "ssl-certfile": ["a.pem", "/etc/b.pem"], "ssl-keyfile": ["a.key", "/etc/b.key"]}
    found = service(typed, {"ssl-keyfile-password-file": ["secret"]})

    assert found["LoadCredential"] == [
        "certificate-1:/srv/web 1/a.pem",
        "certificate-2:/etc/b.pem",
        "key-1:/srv/web 1/a.key",
        "key-2:/etc/b.key",
        "password:/srv/web 1/secret",
    ]
    assert "Environment" not in found
    assert read_command(found["ExecStart"][0], d="C") == [
        *("/usr/bin/aioserve", "app:Handler"),
        *("--ssl-certfile", "C/certificate-1", "--ssl-certfile", "C/certificate-2"),
        *(
            "--ssl-keyfile",
            "C/key-1",
            "--ssl-keyfile",
            "C/key-2",
            "--ssl-keyfile-password-file",
            "C/password",
        ),
    ]


def test_certificate_that_a_file_names_is_handed_over_too():
    found = service(file={"ssl-certfile": ["/etc/100%.pem"]})

    assert found["LoadCredential"] == ["certificate:/etc/100%%.pem"]
    assert read_command(found["ExecStart"][0], d="C")[2:] == ["--ssl-certfile", "C/certificate"]


@pytest.mark.parametrize(
    ("text", "words"), [("bind = ':80'", ["--bind", "systemd"]), ("workers = 2", []), ("", [])]
)
def test_sockets_of_systemd_count_before_a_configuration_file(tmp_path, text, words):
    (tmp_path / "x.toml").write_text(text)
    path = str(tmp_path / "x.toml")

    assert command({**APP, "config": [path]}) == [
        "/usr/bin/aioserve",
        "app:Handler",
        "--config",
        path,
        *words,
    ]


@pytest.mark.parametrize("key", ["host", "port"])
def test_file_that_would_count_before_the_sockets_is_refused(tmp_path, key):
    (tmp_path / "x.toml").write_text(f"{key} = '80'")
    with pytest.raises(ConfigurationError, match=rf"^--print-unit: .*x\.toml: {key} would count before the"):
        service({**APP, "config": [str(tmp_path / "x.toml")]})


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [(Timeouts(), "15s"), (Timeouts(shutdown=0.2, drain_delay=60), "66s"), (Timeouts(shutdown=0), "5s")],
)
def test_systemd_waits_for_as_long_as_the_end_may_take(timeouts, seconds):
    assert service(timeouts=timeouts)["TimeoutStopSec"] == [seconds]


def test_there_are_descriptors_for_all_connections():
    assert service()["LimitNOFILE"] == ["65536"]
    assert service(limits=Limits(connections=100_000))["LimitNOFILE"] == ["300000"]


def test_systemd_knows_how_it_is_told_and_when_to_try_again():
    found = service()

    assert (found["Type"], found["NotifyAccess"], found["KillMode"]) == (["notify"], ["main"], ["mixed"])
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert (found["Restart"], found["RestartPreventExitStatus"]) == (["on-failure"], ["2 3 5"])
    assert (found["Requires"], found["After"]) == (["%N.socket"], ["%N.socket network.target"])
    assert found["WorkingDirectory"] == ["/srv/web 1"]
    assert found["Description"] == ["HTTP server: app:Handler"]


def test_description_names_folders_too():
    typed = {**APP, "static": ["50%", "/x=y"]}
    assert service(typed)["Description"] == ["HTTP server: app:Handler, 50%%, y"]


def test_folder_that_systemd_cannot_name_is_refused():
    with pytest.raises(ConfigurationError, match="cannot name the current folder"):
        format_service({}, Settings(), Place(("/usr/bin/aioserve",), "/a\n"))
    with pytest.raises(ConfigurationError, match="cannot name the file"):
        service({**APP, "ssl-certfile": ["a\n"]})
