"""Preconditions: each alone, and their order (RFC 9110 §13)."""

from __future__ import annotations

from tests.semantics.rows.row import (
    AT,
    FAILED,
    LM,
    MISSING,
    NOT_MODIFIED,
    OURS,
    WHOLE,
    ask,
    etag,
    get,
    head,
    opaque,
    part,
    row,
    unsatisfiable,
    want,
    weak,
)

WEAK = weak(AT)
BARE = opaque(AT)
OTHER = '"other"'
EARLIER = "Tue, 02 Jan 2024 03:04:04 GMT"
LATER = "Tue, 02 Jan 2024 03:04:06 GMT"
MUCH_LATER = "Fri, 01 Jan 2100 00:00:00 GMT"
RFC_850 = "Tuesday, 02-Jan-24 03:04:05 GMT"
ASCTIME = "Tue Jan  2 03:04:05 2024"

IF_NONE_MATCH = {
    "9110 13.1.2: the tag that it has": row(get(AT, if_none_match=OURS), NOT_MODIFIED),
    "9110 13.1.2: by HEAD": row(head(AT, if_none_match=OURS), NOT_MODIFIED),
    "9110 13.1.2: the same tag, weak": row(get(AT, if_none_match=WEAK), NOT_MODIFIED),
    "9110 13.1.2: another tag": row(get(AT, if_none_match=OTHER), WHOLE),
    "9110 13.1.2: another weak tag": row(get(AT, if_none_match="W/" + OTHER), WHOLE),
    "9110 13.1.2: any tag": row(get(AT, if_none_match="*"), NOT_MODIFIED),
    "9110 13.1.2: a list that begins with it": row(get(AT, if_none_match=f"{OURS}, {OTHER}"), NOT_MODIFIED),
    "9110 13.1.2: a list that ends with it": row(get(AT, if_none_match=f"{OTHER}, {OURS}"), NOT_MODIFIED),
    "9110 13.1.2: a list without blanks": row(get(AT, if_none_match=f"{OTHER},{OURS}"), NOT_MODIFIED),
    "9110 13.1.2: a list with it as a weak one": row(get(AT, if_none_match=f"{OTHER}, {WEAK}"), NOT_MODIFIED),
    "9110 13.1.2: a list of others": row(get(AT, if_none_match=f'{OTHER}, "more", W/"still more"'), WHOLE),
    "9110 13.1.2: a tag with a comma before it": row(get(AT, if_none_match=f'"a,b", {OURS}'), NOT_MODIFIED),
    "9110 5.6.1: empty elements of a list": row(get(AT, if_none_match=f", ,{OURS},"), NOT_MODIFIED),
    "9110 5.3: the second of two fields": row(get(AT, if_none_match=[OTHER, OURS]), NOT_MODIFIED),
    "9110 13.1.2: the last of three hundred": row(
        get(AT, if_none_match=", ".join([*(f'"{number}"' for number in range(300)), OURS])), NOT_MODIFIED
    ),
    "9110 8.8.3: without quotes it is no tag": row(get(AT, if_none_match=BARE), WHOLE),
    "9110 8.8.3: nor in single ones": row(get(AT, if_none_match=f"'{BARE}'"), WHOLE),
    "9110 8.8.3: a quote is missing": row(get(AT, if_none_match=f'"{BARE}'), WHOLE),
    "9110 8.8.3: an empty field": row(get(AT, if_none_match=""), WHOLE),
    "9110 8.8.3: an empty tag": row(get(AT, if_none_match='""'), WHOLE),
    "9110 8.8.3: a part of the tag": row(get(AT, if_none_match=f'"{BARE}x"'), WHOLE),
    "9110 8.8.3.1: the W is a capital": row(get(AT, if_none_match=f'w/"{BARE}"'), WHOLE, NOT_MODIFIED),
    "9110 8.8.3.1: no blank behind W/": row(get(AT, if_none_match=f'W/ "{BARE}"'), WHOLE, NOT_MODIFIED),
    "9110 13.1.2: a star among tags is no list": row(get(AT, if_none_match='"a", *'), WHOLE, NOT_MODIFIED),
    "9110 13.1.2: a star in quotes is a tag": row(get(AT, if_none_match='"*"'), WHOLE),
    "9110 13.1.2: a list with something else in it": row(
        get(AT, if_none_match=f"x, {OURS}"), WHOLE, NOT_MODIFIED
    ),
    "9110 13.1.2: tags without a comma between": row(
        get(AT, if_none_match=f"{OTHER} {OURS}"), WHOLE, NOT_MODIFIED
    ),
    "9110 13.1.2: the tag of an index": row(
        get("/folder/", if_none_match=etag("/folder/")), want(304, b"", etag=etag("/folder/"))
    ),
    "9110 13.1.2: the tag of an empty file": row(get("/empty.txt", if_none_match=etag("/empty.txt")), 304),
    "9110 13.1.2: the tag of a large file": row(get("/film.mp4", if_none_match=etag("/film.mp4")), 304),
    "9110 15.4.5: 304 says nothing of the content": row(
        get(AT, if_none_match=OURS),
        want(304, b"", content_type=None, content_encoding=None, content_range=None),
    ),
}

IF_MODIFIED_SINCE = {
    "9110 13.1.3: the very second": row(get(AT, if_modified_since=LM), NOT_MODIFIED),
    "9110 13.1.3: by HEAD": row(head(AT, if_modified_since=LM), NOT_MODIFIED),
    "9110 13.1.3: a second later": row(get(AT, if_modified_since=LATER), NOT_MODIFIED),
    "9110 13.1.3: a second earlier": row(get(AT, if_modified_since=EARLIER), WHOLE),
    "9110 13.1.3: in the future": row(get(AT, if_modified_since=MUCH_LATER), NOT_MODIFIED, WHOLE),
    "9110 5.6.7: as RFC 850 wrote it": row(get(AT, if_modified_since=RFC_850), NOT_MODIFIED),
    "9110 5.6.7: as C writes it": row(get(AT, if_modified_since=ASCTIME), NOT_MODIFIED),
    "9110 5.6.7: as RFC 850 wrote it, and earlier": row(
        get(AT, if_modified_since="Tuesday, 02-Jan-24 03:04:04 GMT"), WHOLE
    ),
    "9110 5.6.7: as C writes it, and earlier": row(
        get(AT, if_modified_since="Tue Jan  2 03:04:04 2024"), WHOLE
    ),
    "9110 5.6.7: a year of two digits is none of the far future": row(
        get(AT, if_modified_since="Sunday, 06-Nov-94 08:49:37 GMT"), WHOLE
    ),
    "9110 13.1.3: no date": row(get(AT, if_modified_since="yesterday"), WHOLE),
    "9110 13.1.3: an empty field": row(get(AT, if_modified_since=""), WHOLE),
    "9110 13.1.3: seconds since 1970": row(get(AT, if_modified_since="4000000000"), WHOLE),
    "9110 13.1.3: ISO 8601": row(get(AT, if_modified_since="2099-01-02T03:04:05Z"), WHOLE),
    "9110 13.1.3: a day that does not exist": row(
        get(AT, if_modified_since="Fri, 30 Feb 2096 03:04:05 GMT"), WHOLE
    ),
    "9110 13.1.3: an hour that does not exist": row(
        get(AT, if_modified_since="Tue, 02 Jan 2096 25:04:05 GMT"), WHOLE
    ),
    "9110 13.1.3: a month that does not exist": row(
        get(AT, if_modified_since="Tue, 02 Foo 2096 03:04:05 GMT"), WHOLE
    ),
    "9110 5.6.7: another zone than GMT": row(
        get(AT, if_modified_since="Tue, 02 Jan 2024 04:04:05 +0100"), WHOLE, NOT_MODIFIED
    ),
    "9110 5.6.7: without a zone": row(
        get(AT, if_modified_since="Tue, 02 Jan 2024 03:04:05"), WHOLE, NOT_MODIFIED
    ),
    "9110 5.6.7: the wrong day of the week": row(
        get(AT, if_modified_since="Mon, 02 Jan 2024 03:04:05 GMT"), NOT_MODIFIED, WHOLE
    ),
    "9110 13.1.3: two dates": row(get(AT, if_modified_since=[LM, LM]), want(400), WHOLE, NOT_MODIFIED),
    "9110 13.1.3: a date with something behind it": row(
        get(AT, if_modified_since=f"{LM}; length=26"), WHOLE, NOT_MODIFIED
    ),
    "9110 5.5: blanks around it": row(get(AT, if_modified_since=f"  {LM}  "), NOT_MODIFIED),
    "9110 13.1.3: of an index": row(get("/folder/", if_modified_since=LM), 304),
    "9110 13.1.3: not by POST": row(ask("POST", AT, if_modified_since=LM), 405),
    "9110 8.8.2.1: a file of the future was changed just now": row(
        get("/future.txt", if_modified_since=LM), want(200, etag=etag("/future.txt"))
    ),
}

IF_MATCH = {
    "9110 13.1.1: the tag that it has": row(get(AT, if_match=OURS), WHOLE),
    "9110 13.1.1: by HEAD": row(head(AT, if_match=OURS), want(200, b"")),
    "9110 13.1.1: any tag": row(get(AT, if_match="*"), WHOLE),
    "9110 13.1.1: another tag": row(get(AT, if_match=OTHER), FAILED),
    "9110 13.1.1: another tag by HEAD": row(head(AT, if_match=OTHER), FAILED),
    "9110 8.8.3.2: a weak tag never matches": row(get(AT, if_match=WEAK), FAILED),
    "9110 13.1.1: a list with it": row(get(AT, if_match=f"{OTHER}, {OURS}"), WHOLE),
    "9110 13.1.1: a list with it as a weak one": row(get(AT, if_match=f"{OTHER}, {WEAK}"), FAILED),
    "9110 13.1.1: a list of others": row(get(AT, if_match=f'{OTHER}, "more"'), FAILED),
    "9110 5.6.1: empty elements of a list": row(get(AT, if_match=f", {OURS} ,"), WHOLE),
    "9110 5.3: the second of two fields": row(get(AT, if_match=[OTHER, OURS]), WHOLE),
    "9110 13.1.1: an empty field": row(get(AT, if_match=""), FAILED, WHOLE),
    "9110 13.1.1: without quotes it is no tag": row(get(AT, if_match=BARE), FAILED, WHOLE, want(400)),
    "9110 13.1.1: a list with something else in it": row(get(AT, if_match=f"x, {OURS}"), FAILED, WHOLE),
}

IF_UNMODIFIED_SINCE = {
    "9110 13.1.4: the very second": row(get(AT, if_unmodified_since=LM), WHOLE),
    "9110 13.1.4: a second later": row(get(AT, if_unmodified_since=LATER), WHOLE),
    "9110 13.1.4: a second earlier": row(get(AT, if_unmodified_since=EARLIER), FAILED),
    "9110 13.1.4: by HEAD": row(head(AT, if_unmodified_since=EARLIER), FAILED),
    "9110 13.1.4: in the future": row(get(AT, if_unmodified_since=MUCH_LATER), WHOLE),
    "9110 5.6.7: as RFC 850 wrote it": row(get(AT, if_unmodified_since=RFC_850), WHOLE),
    "9110 5.6.7: as C writes it": row(get(AT, if_unmodified_since=ASCTIME), WHOLE),
    "9110 5.6.7: as RFC 850 wrote it, and earlier": row(
        get(AT, if_unmodified_since="Tuesday, 02-Jan-24 03:04:04 GMT"), FAILED
    ),
    "9110 5.6.7: as C writes it, and earlier": row(
        get(AT, if_unmodified_since="Tue Jan  2 03:04:04 2024"), FAILED
    ),
    "9110 13.1.4: no date": row(get(AT, if_unmodified_since="yesterday"), WHOLE),
    "9110 13.1.4: an empty field": row(get(AT, if_unmodified_since=""), WHOLE),
    "9110 13.1.4: two dates": row(get(AT, if_unmodified_since=[EARLIER, EARLIER]), want(400), WHOLE, FAILED),
}

ZERO = part(0, 0)

ORDER = {
    "9110 13.2.2: If-Match holds, If-Unmodified-Since is not asked": row(
        get(AT, if_match=OURS, if_unmodified_since=EARLIER), WHOLE
    ),
    "9110 13.2.2: If-Match fails, If-Unmodified-Since is not asked": row(
        get(AT, if_match=OTHER, if_unmodified_since=LATER), FAILED
    ),
    "9110 13.2.2: If-Match fails before If-None-Match": row(
        get(AT, if_match=OTHER, if_none_match=OURS), FAILED
    ),
    "9110 13.2.2: If-Match holds, then If-None-Match": row(
        get(AT, if_match=OURS, if_none_match=OURS), NOT_MODIFIED
    ),
    "9110 13.2.2: If-Match and If-None-Match hold": row(get(AT, if_match=OURS, if_none_match=OTHER), WHOLE),
    "9110 13.2.2: If-Match fails before If-Modified-Since": row(
        get(AT, if_match=OTHER, if_modified_since=LM), FAILED
    ),
    "9110 13.2.2: If-Match holds, then If-Modified-Since": row(
        get(AT, if_match=OURS, if_modified_since=LM), NOT_MODIFIED
    ),
    "9110 13.2.2: If-Unmodified-Since fails before If-None-Match": row(
        get(AT, if_unmodified_since=EARLIER, if_none_match=OURS), FAILED
    ),
    "9110 13.2.2: If-Unmodified-Since holds, then If-None-Match": row(
        get(AT, if_unmodified_since=LM, if_none_match=OURS), NOT_MODIFIED
    ),
    "9110 13.2.2: If-Unmodified-Since fails before If-Modified-Since": row(
        get(AT, if_unmodified_since=EARLIER, if_modified_since=LM), FAILED
    ),
    "9110 13.2.2: If-Unmodified-Since and If-Modified-Since of one second": row(
        get(AT, if_unmodified_since=LM, if_modified_since=LM), NOT_MODIFIED
    ),
    "9110 13.1.3: If-None-Match fails to match, If-Modified-Since is not asked": row(
        get(AT, if_none_match=OTHER, if_modified_since=LM), WHOLE
    ),
    "9110 13.1.3: If-None-Match matches, If-Modified-Since is not asked": row(
        get(AT, if_none_match=OURS, if_modified_since=EARLIER), NOT_MODIFIED
    ),
    "9110 13.1.3: even a malformed If-None-Match is there": row(
        get(AT, if_none_match="nothing", if_modified_since=LM), WHOLE, NOT_MODIFIED
    ),
    "9110 13.2.2: If-None-Match before Range": row(
        get(AT, if_none_match=OURS, range="bytes=0-0"), NOT_MODIFIED
    ),
    "9110 13.2.2: If-None-Match before a Range that cannot be": row(
        get(AT, if_none_match=OURS, range="bytes=99-"), NOT_MODIFIED
    ),
    "9110 13.2.2: If-None-Match before If-Range": row(
        get(AT, if_none_match=OURS, if_range=OURS, range="bytes=0-0"), NOT_MODIFIED
    ),
    "9110 13.2.2: If-None-Match lets Range through": row(
        get(AT, if_none_match=OTHER, range="bytes=0-0"), ZERO
    ),
    "9110 13.2.2: If-Modified-Since before Range": row(
        get(AT, if_modified_since=LM, range="bytes=0-0"), NOT_MODIFIED
    ),
    "9110 13.2.2: If-Modified-Since lets Range through": row(
        get(AT, if_modified_since=EARLIER, range="bytes=0-0"), ZERO
    ),
    "9110 13.2.2: If-Match lets Range through": row(get(AT, if_match=OURS, range="bytes=0-0"), ZERO),
    "9110 13.2.2: If-Match before Range": row(get(AT, if_match=OTHER, range="bytes=0-0"), FAILED),
    "9110 13.2.2: If-Match before a Range that cannot be": row(
        get(AT, if_match=OTHER, range="bytes=99-"), FAILED
    ),
    "9110 13.2.2: If-Match, then a Range that cannot be": row(
        get(AT, if_match=OURS, range="bytes=99-"), unsatisfiable()
    ),
    "9110 13.2.2: If-Unmodified-Since before Range": row(
        get(AT, if_unmodified_since=EARLIER, range="bytes=0-0"), FAILED
    ),
    "9110 13.2.2: all that hold": row(
        get(
            AT,
            if_match=OURS,
            if_unmodified_since=LM,
            if_none_match=OTHER,
            if_modified_since=EARLIER,
            if_range=OURS,
            range="bytes=0-0",
        ),
        ZERO,
    ),
    "9110 13.2.1: nothing is missing whatever it should match": row(get("/nothing", if_match="*"), MISSING),
    "9110 13.2.1: nothing is missing, by a tag": row(get("/nothing", if_match=OTHER), MISSING),
    "9110 13.2.1: nothing is missing, not unmodified": row(get("/nothing", if_none_match="*"), MISSING),
    "9110 13.2.1: nothing is missing, since whenever": row(
        get("/nothing", if_unmodified_since=EARLIER), MISSING
    ),
    "9110 13.2.1: a redirection has no conditions": row(
        get("/folder", if_none_match="*"), want(308, location="/folder/"), want(301, location="/folder/")
    ),
    "9110 13.2.1: a redirection cannot fail to match": row(
        get("/folder", if_match=OTHER), want(308, location="/folder/"), want(301, location="/folder/")
    ),
    "9110 13.2.1: a method that is not allowed has no conditions": row(ask("POST", AT, if_match=OTHER), 405),
    "9110 13.2.1: nor one that would not match": row(ask("DELETE", AT, if_none_match="*"), 405),
    "9110 13.2.1: OPTIONS has no conditions": row(ask("OPTIONS", AT, if_match=OTHER), 204, 200, 405),
}
