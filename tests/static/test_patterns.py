"""Whether a path falls under a rule, and which lines of a file say something."""

from __future__ import annotations

import re
import string
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.patterns import (
    MAX_CHARACTERS,
    MAX_LINES,
    Pattern,
    Problem,
    RequestPath,
    encode_path,
    split_rule_lines,
)


def match(pattern, path):
    return Pattern.parse(pattern).match(RequestPath.of(path))


# What matches


@pytest.mark.parametrize(
    ("reason", "pattern", "path", "captured"),
    [
        ("the same", "/a/b", "/a/b", {}),
        ("a slash behind the path", "/a", "/a/", {}),
        ("a slash behind the pattern", "/a/", "/a", {}),
        ("the root", "/", "/", {}),
        ("the root without its slash", "/", "", {}),
        ("a colon in a word is a colon", "/wiki/Talk:Page", "/wiki/Talk:Page", {}),
        ("a star matches anything", "/a/*", "/a/b/c.txt", {"splat": "b/c.txt"}),
        ("and nothing", "/a/*", "/a/", {"splat": ""}),
        ("and not even the slash", "/a/*", "/a", {"splat": ""}),
        ("the slash at the end is captured", "/a/*", "/a/b/", {"splat": "b/"}),
        ("a star for the whole site", "/*", "/", {"splat": ""}),
        ("a star, and no path", "/*", "", {"splat": ""}),
        ("a star within a segment", "/a*", "/abc/d", {"splat": "bc/d"}),
        ("a slash behind a star says nothing", "/a/*/", "/a/b/c", {"splat": "b/c"}),
        ("a star in front of an extension", "/*.js", "/a/b.js", {"splat": "a/b"}),
        ("the extension, and a slash", "/*.js", "/a/b.js/", {"splat": "a/b"}),
        ("a star is not greedy about the end", "/*a", "/aaa", {"splat": "aa"}),
        ("a star in the middle", "/a/*/z", "/a/b/c/z", {"splat": "b/c"}),
        ("the last of several stars is captured", "/*/b/*.c", "/a/b/b/d.c", {"splat": "b/d"}),
        ("several stars, not one character left", "/*/*", "/a", {"splat": ""}),
        ("stars in a row are one", "/a/**", "/a/b", {"splat": "b"}),
        ("one segment", "/:year/x", "/2004/x", {"year": "2004"}),
        ("the last segment", "/a/:id", "/a/7", {"id": "7"}),
        ("the last segment, and a slash", "/a/:id", "/a/7/", {"id": "7"}),
        ("all segments", "/:a/:b_2/:C", "/x/y/z", {"a": "x", "b_2": "y", "C": "z"}),
        ("placeholders and a star", "/:lang/docs/*", "/en/docs/a/b", {"lang": "en", "splat": "a/b"}),
        ("a placeholder, a star for nothing", "/:lang/*", "/en", {"lang": "en", "splat": ""}),
        ("a placeholder behind a star", "/*/:id/x", "/a/b/c/x", {"splat": "a/b", "id": "c"}),
        ("a placeholder at the end behind a star", "/*/:id", "/a/b/c", {"splat": "a/b", "id": "c"}),
        ("a placeholder between stars", "/*x/:id/x*", "/ax/y/b/x/z/x/w", {"id": "z", "splat": "/w"}),
        ("an encoded letter", "/admin/*", "/%61dmin/x", {"splat": "x"}),
        ("encoded in the pattern", "/%61dmin", "/admin", {}),
        ("the case of hexadecimal digits", "/caf%c3%a9", "/caf%C3%A9", {}),
        ("not encoded in the pattern", "/café", "/caf%C3%A9", {}),
        ("encoded punctuation names the same file", "/a!b", "/a%21b", {}),
        ("a star of the path itself", "/a%2Ab", "/a*b", {}),
        ("a star of the path itself, encoded", "/a%2ab", "/a%2Ab", {}),
        ("a colon of the path itself", "/%3Aid", "/:id", {}),
        ("captured as it was written", "/:a/*", "/%61%2fb/c%20d", {"a": "%61%2fb", "splat": "c%20d"}),
        ("captured, but made fit for a path", "/*", '/a"\\b?é', {"splat": "a%22%5Cb%3F%C3%A9"}),
        ("a percent sign alone is one", "/100%/*", "/100%25/%zz", {"splat": "%25zz"}),
    ],
)
def test_path_matches(reason, pattern, path, captured):
    assert match(pattern, path) == captured, reason


@pytest.mark.parametrize(
    ("reason", "pattern", "path"),
    [
        ("another", "/a", "/b"),
        ("longer", "/a", "/ab"),
        ("beneath", "/a", "/a/b"),
        ("shorter", "/ab", "/a"),
        ("paths have a case", "/a", "/A"),
        ("two slashes at the end", "/a", "/a//"),
        ("two slashes at the beginning", "/a", "//a"),
        ("not beneath", "/a/*", "/ab"),
        ("beside a star", "/a/*/z", "/a/z"),
        ("an extension", "/*.js", "/a.json"),
        ("stars do not share", "/*ab*bc", "/abc"),
        ("a placeholder is not empty", "/:a/x", "//x"),
        ("a placeholder is not empty at the end", "/a/:b", "/a/"),
        ("a placeholder is one segment", "/a/:b", "/a/b/c"),
        ("a placeholder behind a star is not empty", "/*/:b/c", "/a//c"),
        ("an encoded slash is no slash", "/a/b", "/a%2fb"),
        ("nor in the pattern", "/a%2Fb", "/a/b"),
        ("encoded twice", "/a", "/%2561"),
        ("a percent sign that is not one", "/a", "/%6"),
        ("the stand-in for an encoded slash", "/a%2Fb", "/a\u2215b"),
    ],
)
def test_other_path_does_not_match(reason, pattern, path):
    assert match(pattern, path) is None, reason


def test_encoded_slash_matches_itself():
    assert match("/a%2Fb", "/a%2fb") == {}


def test_pattern_tells_what_is_fixed_about_it():
    exact, variable = Pattern.parse("/a/%62/"), Pattern.parse("/a/:x/*")

    assert (exact.is_exact, exact.stem, exact.names) == (True, "/a/b", frozenset())
    assert (variable.is_exact, variable.stem, variable.names) == (False, "/a", {"x", "splat"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not begin with '/'"),
        ("a/*", "does not begin with '/'"),
        ("https://host/*", "does not begin with '/'"),
        ("//host/*", "has an empty segment"),
        ("/a//", "has an empty segment"),
        ("/a?b=c", "a query or a fragment"),
        ("/a#b", "a query or a fragment"),
        ("/:", "is no placeholder"),
        ("/:1", "is no placeholder"),
        ("/:id.html", "is no placeholder"),
        ("/:id*", "is no placeholder"),
        ("/:été", "is no placeholder"),
        ("/:id\n", "is no placeholder"),
        ("/:a/:b/:a", "the same name twice"),
        ("/:splat/*", "the same name twice"),
        ("/*a" * 17, "more than 16"),
        ("/:a/*" * 9, "more than 16"),
        ("/" + "a" * 1024, "longer than 1,024"),
    ],
)
def test_what_is_no_pattern_is_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pattern.parse(text)


def test_pattern_may_be_as_long_as_1024_characters_with_16_stars():
    text = ("/*" + "a" * 62) * 16

    assert Pattern.parse(text).match(RequestPath.of(text)) is not None


# Whatever is asked for

WRITTEN = st.text("ab/*:%2fF6 é\\?", max_size=12).map("/".__add__) | st.text()
SIMPLE = st.text("ab/", max_size=10).map("/".__add__)
STARS = st.lists(st.sampled_from(["a", "b", "ab", "/", "/:x/", "/:y", "*"]), max_size=7).map(
    lambda pieces: f"/{''.join(pieces)}".replace("//", "/")
)


def parsed(text):
    try:
        return Pattern.parse(text)
    except ValueError:
        return None


def tokens_of(pattern):
    """Take a pattern without encodings apart, the plain way."""
    text, tokens = pattern.removesuffix("/"), []
    while text:
        if found := re.match(r"/:[a-z]+", text):
            tokens += ["/", ":"]
            text = text[found.end() :]
        else:
            tokens.append(text[0])
            text = text[1:]
    return tokens


def accepts(tokens, path):
    """Try everything that a star and a placeholder may stand for."""
    if not tokens:
        return not path
    first, *rest = tokens
    if first == "*":
        return any(accepts(rest, path[at:]) for at in range(len(path) + 1))
    if first == ":":
        segment = path.partition("/")[0]
        return bool(segment) and accepts(rest, path[len(segment) :])
    return path.startswith(first) and accepts(rest, path[1:])


@given(STARS, SIMPLE)
def test_pattern_matches_exactly_what_trying_everything_finds(text, path):
    if (pattern := parsed(text)) is not None:
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        tokens = tokens_of(text)

        found = pattern.match(RequestPath.of(path)) is not None

        assert found == (accepts(tokens, path) or accepts(tokens, other))


@given(WRITTEN, WRITTEN)
def test_any_text_is_a_pattern_or_refused_and_any_text_can_be_asked_for(text, path):
    if (pattern := parsed(text)) is not None:
        captured = pattern.match(RequestPath.of(path))
        if captured is not None:
            assert captured.keys() == pattern.names
            assert all(value in encode_path(path) for value in captured.values())


@given(st.binary(max_size=20), st.randoms())
def test_every_spelling_of_a_path_falls_under_the_same_rules(content, random):
    plain = f"{string.ascii_letters}{string.digits}-._~!$&'()+,;=@".encode()

    def spelt():
        return "/" + "".join(
            chr(byte) if byte in plain and random.random() < 0.5 else f"%{byte:02{random.choice('xX')}}"
            for byte in content
        )

    assert RequestPath.of(spelt()).key == RequestPath.of(spelt()).key
    assert Pattern.parse(spelt()).match(RequestPath.of(spelt())) == {}


@given(st.text() | st.text("%2fF/ \\\n?#é"))
def test_encoded_path_is_plain_and_stays_as_it_is(text):
    encoded = encode_path(text)

    assert encoded.isascii()
    assert encoded.isprintable()
    assert not set(encoded) & set(' \\?#"<>[]^`{|}')
    assert encode_path(encoded) == encoded
    assert encoded.count("/") == text.count("/")
    assert unquote_to_bytes(encoded) == unquote_to_bytes(text)


def test_lone_surrogate_is_encoded_as_a_question_mark():
    assert encode_path("/\ud800") == "/%3F"


class CountingKey(str):
    """A text that counts how often something is looked for in it."""

    __slots__ = ("looks",)

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.looks = 0
        return self

    def startswith(self, *arguments):
        self.looks += 1
        return super().startswith(*arguments)

    def find(self, *arguments):
        self.looks += 1
        return super().find(*arguments)


@pytest.mark.parametrize(
    ("reason", "pattern", "path"),
    [
        ("many stars", "/" + "*a" * 16 + "b", "/" + "a" * 4000),
        ("many stars with text that nearly fits", "/" + "*aab" * 15 + "*c", "/" + "aab" * 2000),
        ("placeholders behind a star", "/*/:a/:b/:c/:d/x", "/a" * 2000),
        ("a star at the end", "/a*", "/" + "a" * 4000),
    ],
)
def test_looking_is_bounded_by_the_length_of_the_path(reason, pattern, path):
    key = CountingKey(path)

    Pattern.parse(pattern).match(RequestPath(key, path))

    assert key.looks <= 12 * len(path), reason


# Lines of a file


def test_lines_that_say_nothing_are_left_out_and_the_others_keep_their_numbers():
    text = "\ufeff/a\n\n   \n# comment\n\t # comment \n  B: c#d \t\r\n/e # f\r\n"

    assert split_rule_lines(text) == ([(1, "/a"), (6, "  B: c#d"), (7, "/e # f")], [])


def test_only_the_line_feed_ends_a_line():
    assert split_rule_lines("a\x0bb\u2028c\rd\n e") == ([(1, "a\x0bb\u2028c\rd"), (2, " e")], [])


def test_lines_over_the_limit_are_not_used():
    lines, problems = split_rule_lines("\n/a" * (MAX_LINES + 2))

    assert len(lines) == MAX_LINES
    assert lines[-1] == (MAX_LINES + 1, "/a")
    assert [problem.line for problem in problems] == [MAX_LINES + 2]
    assert "more than 10,000 lines" in problems[0].sentence


def test_file_over_the_limit_is_not_used():
    assert len(split_rule_lines("#" * (MAX_CHARACTERS - 2) + "\n/")[0]) == 1
    assert split_rule_lines("#" * (MAX_CHARACTERS - 1) + "\n/") == (
        [],
        [Problem(1, "the file has more than 1,048,576 characters: no rule is used")],
    )
