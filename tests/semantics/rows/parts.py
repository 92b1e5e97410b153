"""Ranges: one, several, and only while nothing has changed (RFC 9110 §14 and §13.1.5)."""

from __future__ import annotations

from tests.semantics.rows.row import (
    AT,
    LM,
    OURS,
    TEXT_PLAIN,
    WHOLE,
    Parts,
    Row,
    Want,
    ask,
    etag,
    get,
    head,
    part,
    row,
    unsatisfiable,
    want,
    weak,
)
from tests.semantics.site import BIG, LETTERS

HUGE = "9" * 30
BEYOND_64_BITS = str(1 << 64)
IGNORED = (WHOLE, want(416), want(400))  # 9110 14.2: a server may ignore any Range, or say what is wrong
EMPTY = want(200, b"", content_length="0", content_range=None)


def ranged(value: str, *wants: Want) -> Row:
    """Ask for ranges of the letters."""
    return row(get(AT, range=value), *wants)


RANGES = {
    "9110 14.1.2: the first byte": ranged("bytes=0-0", part(0, 0, content_type=TEXT_PLAIN)),
    "9110 14.1.2: the first ten": ranged("bytes=0-9", part(0, 9)),
    "9110 14.1.2: some of the middle": ranged("bytes=5-7", part(5, 7)),
    "9110 14.1.2: the last byte by its number": ranged("bytes=25-25", part(25, 25)),
    "9110 14.1.2: from somewhere to the end": ranged("bytes=20-", part(20, 25)),
    "9110 14.1.2: from the beginning to the end": ranged("bytes=0-", part(0, 25)),
    "9110 14.1.2: all of it": ranged("bytes=0-25", part(0, 25)),
    "9110 14.1.2: the last five": ranged("bytes=-5", part(21, 25)),
    "9110 14.1.2: the last one": ranged("bytes=-1", part(25, 25)),
    "9110 14.1.2: as many of the last as there are": ranged("bytes=-26", part(0, 25)),
    "9110 14.1.2: more of the last than there are": ranged("bytes=-27", part(0, 25)),
    "9110 14.1.2: to behind the end": ranged("bytes=20-99", part(20, 25)),
    "9110 14.1.2: to one behind the end": ranged("bytes=20-26", part(20, 25)),
    "9110 14.1.2: leading zeros": ranged("bytes=005-007", part(5, 7)),
    "9110 14.1.1: thirty digits": ranged(f"bytes=0-{HUGE}", part(0, 25)),
    "9110 14.1.1: beyond 64 bits": ranged(f"bytes=1-{BEYOND_64_BITS}", part(1, 25)),
    "9110 14.1.1: thirty digits of a suffix": ranged(f"bytes=-{HUGE}", part(0, 25)),
    "9110 14.1: units have no case": ranged("Bytes=0-0", part(0, 0)),
    "9110 15.5.17: from the end": ranged("bytes=26-", unsatisfiable()),
    "9110 15.5.17: from behind the end": ranged("bytes=99-100", unsatisfiable()),
    "9110 15.5.17: from thirty digits": ranged(f"bytes={HUGE}-", unsatisfiable()),
    "9110 15.5.17: from beyond 64 bits": ranged(f"bytes={BEYOND_64_BITS}-", unsatisfiable()),
    "9110 14.1.2: the last nothing": ranged("bytes=-0", unsatisfiable()),
    "9110 14.1.2: the end before the beginning": ranged("bytes=5-2", *IGNORED),
    "9110 14.1.2: no numbers": ranged("bytes=a-b", *IGNORED),
    "9110 14.1.2: no range": ranged("bytes=", *IGNORED),
    "9110 14.1.2: neither end": ranged("bytes=-", *IGNORED),
    "9110 14.1.2: no dash": ranged("bytes=5", *IGNORED),
    "9110 14.1.2: two dashes": ranged("bytes=1--5", *IGNORED),
    "9110 14.1.2: three numbers": ranged("bytes=1-2-3", *IGNORED),
    "9110 14.1.2: a sign": ranged("bytes=+1-5", *IGNORED),
    "9110 14.1.2: hexadecimal": ranged("bytes=0x1-5", *IGNORED),
    "9110 14.1.2: an underscore": ranged("bytes=1_0-20", *IGNORED),
    "9110 14.1.2: digits of another script": ranged("bytes=0-\xd9\xa5", *IGNORED),
    "9110 14.1.2: blanks between the numbers": ranged("bytes=0 - 5", *IGNORED, part(0, 5)),
    "9110 14.1.2: a blank behind the equals sign": ranged("bytes= 0-5", part(0, 5), *IGNORED),
    "9110 14.2: another unit": ranged("pages=1-2", WHOLE),
    "9110 14.2: no unit": ranged("0-5", WHOLE, *IGNORED),
    "9110 14.2: a unit without an equals sign": ranged("bytes 0-5", WHOLE, *IGNORED),
    "9110 14.2: an empty field": ranged("", WHOLE),
    "9110 14.2: not for HEAD": row(head(AT, range="bytes=0-0"), want(200, b"", content_range=None)),
    "9110 14.2: HEAD has no range that cannot be": row(head(AT, range="bytes=99-"), want(200, b"")),
    "9110 14.2: not for POST": row(ask("POST", AT, range="bytes=0-0"), 405),
    "9110 14.2: an empty file has no ranges": row(
        get("/empty.txt", range="bytes=0-0"), EMPTY, unsatisfiable(0)
    ),
    "9110 14.2: nor a last byte": row(get("/empty.txt", range="bytes=-1"), EMPTY, unsatisfiable(0)),
    "9110 14.2: nor a rest": row(get("/empty.txt", range="bytes=0-"), EMPTY, unsatisfiable(0)),
    "9110 14.1.2: of a large file": row(
        get("/film.mp4", range="bytes=100000-100007"), part(100000, 100007, BIG)
    ),
    "9110 14.1.2: much of a large file": row(get("/film.mp4", range="bytes=1-199998"), part(1, 199998, BIG)),
    "9110 14.1.2: the end of a large file": row(
        get("/film.mp4", range="bytes=-8"), part(199992, 199999, BIG)
    ),
    "9110 14.1.2: of an index": row(get("/", range="bytes=0-14"), want(206, b"<!doctype html>")),
}


def several(*ranges: tuple[int, int], content: bytes = LETTERS, media_type: str = TEXT_PLAIN) -> Want:
    """Describe an answer of several parts."""
    return want(206, Parts(ranges, content, media_type), content_range=None)


MANY = ",".join(f"{number * 20}-{number * 20}" for number in range(32))
MANY_PARTS = [(number * 20, number * 20) for number in range(32)]
TOO_MANY = ",".join(f"{number * 20}-{number * 20}" for number in range(33))
REFUSED = (want(416), want(400))  # 9110 14.2: many small ones, or overlapping ones, may be refused
FILM = "video/mp4"

SEVERAL_RANGES = {
    "9110 15.3.7.2: two": ranged("bytes=0-1,10-12", several((0, 1), (10, 12))),
    "9110 15.3.7.2: three of each kind": ranged("bytes=0-1,10-12,-2", several((0, 1), (10, 12), (24, 25))),
    "9110 14.1.1: a blank behind the comma": ranged("bytes=0-1, 10-12", several((0, 1), (10, 12))),
    "9110 5.6.1: empty elements": ranged("bytes=0-1,,10-12", several((0, 1), (10, 12)), *IGNORED),
    "9110 15.3.7.2: in the order asked for": ranged(
        "bytes=10-12,0-1", several((10, 12), (0, 1)), several((0, 1), (10, 12)), *IGNORED
    ),
    "9110 15.3.7.2: of a large file": row(
        get("/film.mp4", range="bytes=0-7,100000-150000,-8"),
        several((0, 7), (100000, 150000), (199992, 199999), content=BIG, media_type=FILM),
    ),
    "9110 15.3.7.2: each a byte": row(
        get("/film.mp4", range="bytes=0-0,199999-199999"),
        several((0, 0), (199999, 199999), content=BIG, media_type=FILM),
    ),
    "9110 15.3.7.2: only one of two is there": ranged("bytes=0-1,99-", part(0, 1), several((0, 1))),
    "9110 15.3.7.2: only two of three are there": ranged("bytes=0-1,99-100,10-12", several((0, 1), (10, 12))),
    "9110 15.3.7.2: the last nothing and something": ranged(
        "bytes=-0,0-1", part(0, 1), several((0, 1)), *IGNORED
    ),
    "9110 15.5.17: none of two is there": ranged("bytes=99-100,200-", unsatisfiable()),
    "9110 15.3.7.2: two that overlap are one": ranged(
        "bytes=0-5,3-9", part(0, 9), several((0, 5), (3, 9)), *IGNORED
    ),
    "9110 15.3.7.2: two that touch are one": ranged(
        "bytes=0-4,5-9", part(0, 9), several((0, 4), (5, 9)), *IGNORED
    ),
    "9110 15.3.7.2: twice the same is once": ranged(
        "bytes=0-4,0-4", part(0, 4), several((0, 4), (0, 4)), *IGNORED
    ),
    "9110 15.3.7.2: one inside the other": ranged(
        "bytes=0-9,3-5", part(0, 9), several((0, 9), (3, 5)), *IGNORED
    ),
    "9110 15.3.7.2: twice the whole": ranged("bytes=0-,0-", part(0, 25), several((0, 25), (0, 25)), *IGNORED),
    "9110 15.3.7.2: a prefix and a suffix that meet": ranged(
        "bytes=0-20,-10", part(0, 25), several((0, 20), (16, 25)), *IGNORED
    ),
    "9110 15.3.7.2: some overlap and some do not": ranged(
        "bytes=0-3,2-5,10-12", several((0, 5), (10, 12)), several((0, 3), (2, 5), (10, 12)), *IGNORED
    ),
    "9110 15.3.7.2: one of several is malformed": ranged("bytes=0-1,x", *IGNORED),
    "9110 15.3.7.2: one of several is reversed": ranged("bytes=0-1,5-2", *IGNORED),
    "9110 14.2: thirty-two": row(
        get("/film.mp4", range=f"bytes={MANY}"),
        several(*MANY_PARTS, content=BIG, media_type=FILM),
        want(200, BIG),
        *REFUSED,
    ),
    "9110 14.2: one more is too many": row(
        get("/film.mp4", range=f"bytes={TOO_MANY}"),
        want(200, BIG),
        several(*MANY_PARTS, (640, 640), content=BIG, media_type=FILM),
        *REFUSED,
    ),
    "9110 17.15: a thousand times the whole": row(
        get(AT, range="bytes=" + ",".join(["0-"] * 1000)), WHOLE, part(0, 25), *REFUSED
    ),
    "9110 17.15: a thousand times nearly the whole": row(
        get("/film.mp4", range="bytes=" + ",".join(f"{number}-" for number in range(1000))),
        want(200, BIG),
        part(0, len(BIG) - 1, BIG),
        *REFUSED,
    ),
    "9110 17.15: a thousand times nothing that is there": row(
        get(AT, range="bytes=" + ",".join(["99-"] * 1000)), WHOLE, unsatisfiable(), want(400)
    ),
    "9110 14.2: not for HEAD": row(head(AT, range="bytes=0-1,10-12"), want(200, b"", content_length="26")),
    "9110 14.2: an empty file has none of several": row(
        get("/empty.txt", range="bytes=0-0,5-6"), EMPTY, unsatisfiable(0)
    ),
    "9110 15.3.7: several parts have the validators of the whole": row(
        get(AT, range="bytes=0-1,10-12"), want(206, etag=OURS, last_modified=LM)
    ),
    "9110 13.1.5: several while it is the same": row(
        get(AT, range="bytes=0-1,10-12", if_range=OURS), several((0, 1), (10, 12))
    ),
    "9110 13.1.5: none of several when it is another": row(
        get(AT, range="bytes=0-1,10-12", if_range='"other"'), WHOLE
    ),
}


def while_same(validator: str | list[str], *wants: Want, ranges: str = "bytes=0-0") -> Row:
    """Ask for a range as long as a validator holds."""
    return row(get(AT, if_range=validator, range=ranges), *wants)


ZERO = part(0, 0)

IF_RANGE = {
    "9110 13.1.5: the tag that it has": while_same(OURS, ZERO),
    "9110 13.1.5: another tag": while_same('"other"', WHOLE),
    "9110 13.1.5: the same tag, weak": while_same(weak(AT), WHOLE),
    "9110 13.1.5: the date that it has": while_same(LM, ZERO),
    "9110 13.1.5: an earlier date": while_same("Tue, 02 Jan 2024 03:04:04 GMT", WHOLE),
    "9110 13.1.5: a later date is not exactly it": while_same("Tue, 02 Jan 2024 03:04:06 GMT", WHOLE),
    "9110 13.1.5: the date as RFC 850 wrote it": while_same("Tuesday, 02-Jan-24 03:04:05 GMT", ZERO, WHOLE),
    "9110 13.1.5: the date as C writes it": while_same("Tue Jan  2 03:04:05 2024", ZERO, WHOLE),
    "9110 13.1.5: neither tag nor date": while_same("nonsense", WHOLE),
    "9110 13.1.5: an empty field": while_same("", WHOLE, ZERO),
    "9110 13.1.5: a star is no validator": while_same("*", WHOLE),
    "9110 13.1.5: a list is no validator": while_same(f'"other", {OURS}', WHOLE),
    "9110 13.1.5: nor one that begins with it": while_same(f'{OURS}, "other"', WHOLE),
    "9110 13.1.5: nor two fields": while_same([OURS, '"other"'], want(400), WHOLE, ZERO),
    "9110 13.1.5: the tag without its quotes": while_same("{opaque /letters.txt}", WHOLE),
    "9110 13.1.5: without Range it means nothing": row(get(AT, if_range=OURS), WHOLE),
    "9110 13.1.5: nor does a wrong one": row(get(AT, if_range='"other"'), WHOLE),
    "9110 13.1.5: of HEAD it means nothing": row(
        head(AT, if_range=OURS, range="bytes=0-0"), want(200, b"", content_length="26")
    ),
    "9110 13.1.5: it holds, and the range is not there": while_same(
        OURS, unsatisfiable(), ranges="bytes=99-"
    ),
    "9110 13.1.5: it fails, and the range does not matter": while_same('"other"', WHOLE, ranges="bytes=99-"),
    "9110 13.1.5: it holds, and the range is malformed": while_same(OURS, *IGNORED, ranges="bytes=5-2"),
    "9110 13.1.5: a suffix while it is the same": while_same(OURS, part(21, 25), ranges="bytes=-5"),
    "9110 8.8.2.2: a date of just now is weak": row(
        get("/future.txt", if_range="Fri, 01 Jan 2100 00:00:00 GMT", range="bytes=0-0"), WHOLE
    ),
    "9110 13.1.5: of a large file": row(
        get("/film.mp4", if_range=etag("/film.mp4"), range="bytes=8-15"), part(8, 15, BIG)
    ),
}
