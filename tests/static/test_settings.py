"""The options about static files: what is served where nothing is said, and what each text becomes."""

from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.options import Given, declared_sections
from aioserve.settings import Settings
from aioserve.static.settings import Static

SECTION = next(one for one in declared_sections(Settings) if one.settings is Static)


def test_nothing_hidden_listed_or_shared_is_served_by_default():
    assert Static() == Static(
        mounts=(),
        index=("index.html",),
        listing=False,
        spa=False,
        clean_urls=False,
        hidden=False,
        follow_symlinks=False,
        precompressed=True,
        compress=True,
        cache_control="no-cache",
        error_pages=(),
        headers=(),
        cors=None,
        cache=67108864,
    )


@pytest.mark.parametrize(
    ("name", "flag", "texts", "value"),
    [
        ("mounts", "--static", ("a", "/b=c"), (("/", "a"), ("/b", "c"))),
        ("index", "--index", ("index.html", "index.txt"), ("index.html", "index.txt")),
        ("listing", "--listing", ("on",), True),
        ("spa", "--spa", ("on",), True),
        ("clean_urls", "--clean-urls", ("on",), True),
        ("hidden", "--hidden", ("on",), True),
        ("follow_symlinks", "--follow-symlinks", ("on",), True),
        ("precompressed", "--precompressed", ("off",), False),
        ("compress", "--compress", ("off",), False),
        ("cache_control", "--cache-control", ("max-age=60",), "max-age=60"),
        ("error_pages", "--error-page", ("404=a", "500=b"), ((404, "a"), (500, "b"))),
        ("headers", "--header", ("A: b", "/c D: e"), (("/*", "A", "b"), ("/c", "D", "e"))),
        ("cors", "--cors", ("https://a.example",), "https://a.example"),
        ("cache", "--static-cache", ("16M",), 16777216),
    ],
)
def test_setting_is_filled_by_its_option(name, flag, texts, value):
    one = SECTION.options[name]

    assert one.flags[-1] == flag
    assert one.parse(Given(texts, flag)) == value


def test_header_is_separated_by_line_ends_and_has_a_short_form():
    assert SECTION.options["headers"].separator == "\n"
    assert SECTION.options["headers"].flags == ("-H", "--header")


def test_origin_can_be_left_out():
    assert (SECTION.options["cors"].implied, SECTION.options["cors"].metavar) == ("*", "[ORIGIN]")


def test_refusal_names_the_flag():
    with pytest.raises(ConfigurationError, match=r"^--cors: 'a\.example' is not an origin"):
        SECTION.options["cors"].parse(Given(("a.example",), "--cors"))
