from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioserve.config_file import read_config_file
from aioserve.errors import ConfigurationError
from aioserve.options import Reach
from aioserve.settings import OPTIONS, build_settings


def read(path, text, name="aioserve.toml"):
    file = path / name
    if isinstance(text, bytes):
        file.write_bytes(text)
    else:
        file.write_text(text, "utf-8")
    return read_config_file(str(file), OPTIONS.values())


@pytest.mark.parametrize(
    ("text", "key", "texts"),
    [
        ('keep-alive = "5s"', "keep-alive", ("5s",)),
        ('keep_alive = "5s"', "keep-alive", ("5s",)),
        ("keep-alive = 5", "keep-alive", ("5",)),
        ("keep-alive = 0.5", "keep-alive", ("0.5",)),
        ("debug = true", "debug", ("true",)),
        ("access-log = false", "access-log", ("false",)),
        ("port = 0", "port", ("0",)),
        ('port = "http"', "port", ("http",)),
        ('limit-body = "16M"', "limit-body", ("16M",)),
        ('static = ["./site", "/docs=./docs"]', "static", ("./site", "/docs=./docs")),
        ('static = "./site"', "static", ("./site",)),
        ("static = []", "static", ()),
        ('app = "site:Handler"', "app", ("site:Handler",)),
        ("cors = true", "cors", ("*",)),
        ('cors = "https://a.example"', "cors", ("https://a.example",)),
        ('header = ["A: b, c", "/x/* D: e"]', "header", ("A: b, c", "/x/* D: e")),
        ("static-cache = 0", "static-cache", ("0",)),
    ],
)
def test_key_says_what_its_flag_would(tmp_path, text, key, texts):
    one = read(tmp_path, text)[key]

    assert one.texts == texts
    assert one.source == f"{tmp_path}/aioserve.toml: {text.partition(' ')[0]}"


def test_value_that_can_be_left_out_is_switched_off_by_false(tmp_path):
    assert read(tmp_path, "cors = false") == {}


def test_pyproject_says_it_in_its_own_table(tmp_path):
    text = '[project]\nname = "x"\n[tool.other]\nport = 1\n[tool.aioserve]\nport = 2\n'

    assert read(tmp_path, text, "pyproject.toml")["port"].texts == ("2",)


def test_file_can_set_every_option_that_is_a_setting(tmp_path):
    keys = {key for key, one in OPTIONS.items() if one.reach is Reach.FILE}
    values = {bool: "true", int: "1", str: '"always"', float: "1.0"}
    lines = (
        f"{key} = {values[OPTIONS[key].kind.toml[-1]]}\n" for key in keys - {"log-level", "access-log-format"}
    )

    assert set(read(tmp_path, "".join(lines))) == keys - {"log-level", "access-log-format"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 80", "unknown key 'prot' (did you mean 'port'?)"),
        ("keepalive = 5", "unknown key 'keepalive' (did you mean 'keep-alive'?)"),
        ("zzzzzz = 5", "unknown key 'zzzzzz'"),
        ('config = "x"', "unknown key 'config'"),
        ("version = true", "unknown key 'version'"),
        ("[server]\nport = 1", "unknown key 'server'"),
        (
            "keep-alive = 5\nkeep_alive = 6",
            "'keep-alive' is there twice, with a hyphen and with an underscore",
        ),
        (
            "port = true",
            "port: this must be a port: a number from 0 to 65535 or the name of a known service, not a bool",
        ),
        ("port = 8.5", "not a float"),
        ("port = 1979-05-27", "not a date or time"),
        ("[port]\nx = 1", "not a table"),
        ("port = [80]", "not an array"),
        ("debug = 1", "debug: this must be true or false, not an integer"),
        ('debug = "true"', "not a string"),
        ("host = 1", "host: this must be a text, not an integer"),
        ('static = ["a", 1]', "static: this must be a folder, or /url=folder, not an integer"),
        ("static = [[]]", "not an array"),
        ("cors = 1", "cors: this must be an origin: * or scheme://host[:port] without a path"),
        ("header = true", "header: this must be a header field"),
        ("port = 0x" + "f" * 5000, "not an integer"),
        ("port =", "Invalid value (at"),
        ("port = " + "1" * 5000, "4300 digits"),
        ("port = " + "[" * 100_000, "nested too deeply"),
        (b"\xff", "can't decode byte 0xff"),
    ],
)
def test_unusable_file_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path}/aioserve.toml: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "tool = 1", "[tool]\naioserve = 1", "[tool.other]\nport = 1"])
def test_pyproject_without_its_table_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"there is no table \[tool\.aioserve\] in it"):
        read(tmp_path, text, "pyproject.toml")


def test_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"^none: No such file or directory$"):
        read_config_file("none", OPTIONS.values())
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_config_file(str(tmp_path), OPTIONS.values())
    with pytest.raises(ConfigurationError, match="null byte"):
        read_config_file("a\0b", OPTIONS.values())


KEYS = st.sampled_from(sorted(OPTIONS)).map(lambda key: key.replace("-", "_"))
VALUES = st.sampled_from(
    [
        '"5s"',
        "5",
        "0.5",
        "-1",
        "inf",
        "nan",
        "true",
        "[]",
        '["a", "/b=c"]',
        "[1]",
        '""',
        '"\\u0000"',
        "{}",
        "1e-9",
    ]
)
DOCUMENTS = st.dictionaries(KEYS, VALUES).map(lambda pairs: "".join(f"{k} = {v}\n" for k, v in pairs.items()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=DOCUMENTS | st.text() | st.binary())
def test_any_file_is_settings_or_a_configuration_error(tmp_path, text):
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with suppress(ConfigurationError):
        assert build_settings(read(tmp_path, content)).timeouts.keep_alive >= 0


def test_all_that_is_wrong_can_be_told_and_the_rest_is_used(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("hsot = 1\nport = true\nkeep-alive = 1\nkeep_alive = 2\nindex = 'a'\n")
    told = []
    found = read_config_file(str(file), OPTIONS.values(), lambda *problem: told.append(problem))

    assert {key: one.texts for key, one in found.items()} == {"keep-alive": ("1",), "index": ("a",)}
    assert [key for key, _ in told] == ["hsot", "port", "keep-alive"]
    assert "did you mean 'host'?" in str(told[0][1])
