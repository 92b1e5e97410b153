"""Content codings: twins beside a file, what is compressed here, and which of them is wanted."""

from __future__ import annotations

import re

from tests.semantics.rows.row import (
    LM,
    NO_COMPRESSION,
    SOME,
    STRONG,
    TAG,
    VARIES,
    Coded,
    Row,
    Unlike,
    Want,
    etag,
    get,
    head,
    part,
    row,
    want,
)
from tests.semantics.site import CANARY, CSS, LETTERS, NOISE, SHORT, TEXT, TWINS

TWIN = "/twin.css"
CSS_TYPE = re.compile(r"text/css(; charset=utf-8)?", re.IGNORECASE)

IDENTITY = want(200, CSS, vary=VARIES, content_length=str(len(CSS)), **NO_COMPRESSION)


def coded(coding: str) -> Want:
    """Describe the answer that is a twin of the stylesheet."""
    content = TWINS[coding]
    return want(
        200,
        content,
        content_encoding=coding,
        vary=VARIES,
        content_length=str(len(content)),
        content_type=CSS_TYPE,
    )


def wishes(accept_encoding: str | list[str], *wants: Want | int) -> Row:
    """Ask for the stylesheet that has all twins."""
    return row(get(TWIN, accept_encoding=accept_encoding), *wants)


BR, ZSTD, GZIP = coded("br"), coded("zstd"), coded("gzip")
ANY_CODING = (BR, ZSTD, GZIP)

WISHES = {
    "9110 12.5.3: no wish": row(get(TWIN), IDENTITY),
    "9110 12.5.3: gzip": wishes("gzip", GZIP),
    "9110 12.5.3: br": wishes("br", BR, IDENTITY),
    "9110 12.5.3: zstd": wishes("zstd", ZSTD, IDENTITY),
    "9110 12.5.3: identity": wishes("identity", IDENTITY),
    "9110 12.5.3: an empty field": wishes("", IDENTITY),
    "9110 12.5.3: what browsers say": wishes("gzip, deflate, br, zstd", *ANY_CODING),
    "9110 12.5.3: what browsers say without TLS": wishes("gzip, deflate", GZIP),
    "9110 12.5.3: of equals br is smallest": wishes("gzip, br", BR, GZIP),
    "9110 12.5.3: and zstd smaller than gzip": wishes("gzip, zstd", ZSTD, GZIP),
    "9110 12.5.3: the greater weight wins": wishes("gzip;q=1, br;q=0.5", GZIP, BR),
    "9110 12.5.3: in any order": wishes("br;q=0.5, gzip", GZIP, BR),
    "9110 12.5.3: by a thousandth": wishes("br;q=0.999, zstd;q=0.998, gzip;q=1.000", GZIP, BR, ZSTD),
    "9110 12.5.3: a small weight is enough": wishes("gzip;q=0.001", GZIP, IDENTITY),
    "9110 12.5.3: not gzip": wishes("gzip;q=0", IDENTITY),
    "9110 12.5.3: not gzip, in full": wishes("gzip;q=0.000", IDENTITY),
    "9110 12.5.3: not br but gzip": wishes("br;q=0, gzip", GZIP),
    "9110 12.5.3: none of them": wishes("br;q=0, zstd;q=0, gzip;q=0", IDENTITY),
    "9110 12.5.3: anything": wishes("*", BR, ZSTD, GZIP, IDENTITY),
    "9110 12.5.3: anything but br": wishes("*;q=0.5, br;q=0", ZSTD, GZIP, IDENTITY),
    "9110 12.5.3: gzip before anything": wishes("gzip, *;q=0.1", GZIP, IDENTITY),
    "9110 12.5.3: nothing at all": wishes("*;q=0", IDENTITY, 406),
    "9110 12.5.3: nothing but gzip": wishes("*;q=0, gzip", GZIP),
    "9110 12.5.3: nothing but identity": wishes("identity, *;q=0", IDENTITY),
    "9110 12.5.3: not identity and nothing else": wishes("identity;q=0", IDENTITY, *ANY_CODING, 406),
    "9110 12.5.3: not identity but gzip": wishes("identity;q=0, gzip", GZIP),
    "9110 12.5.3: rather identity": wishes("identity, gzip;q=0.5", IDENTITY, GZIP),
    "9110 12.5.3: rather gzip than identity": wishes("identity;q=0.5, gzip", GZIP),
    "9110 12.5.3: deflate is none of ours": wishes("deflate", IDENTITY),
    "9110 12.5.3: one that does not exist": wishes("quantum", IDENTITY),
    "9110 12.5.3: one of ours among others": wishes("compress, quantum, gzip", GZIP),
    "9110 8.4.1.3: x-gzip is gzip": wishes("x-gzip", GZIP, IDENTITY),
    "9110 8.4.1: codings have no case": wishes("GZip", GZIP),
    "9110 12.4.2: nor has q": wishes("gzip;Q=0", IDENTITY),
    "9110 12.5.3: blanks": wishes("gzip ; q=0.5", GZIP),
    "9110 12.5.3: blanks before a zero": wishes("gzip ; q=0", IDENTITY),
    "9110 5.6.1: empty elements": wishes(",, gzip ,,", GZIP),
    "9110 5.3: two fields": wishes(["gzip", "br"], BR, GZIP),
    "9110 12.4.2: a weight that is none": wishes("gzip;q=abc", IDENTITY, GZIP),
    "9110 12.4.2: a weight over one": wishes("gzip;q=1.5", IDENTITY, GZIP),
    "9110 12.4.2: a negative weight": wishes("gzip;q=-1", IDENTITY, GZIP),
    "9110 12.4.2: a weight of four digits": wishes("gzip;q=0.0001", IDENTITY, GZIP),
    "9110 12.4.2: no weight behind q": wishes("gzip;q=", IDENTITY, GZIP),
    "9110 12.5.3: something malformed beside it": wishes("@;;q, gzip", GZIP, IDENTITY),
    "9110 5.5: bytes of another script": wishes("gz\xefp, gzip", GZIP, IDENTITY),
    "9110 12.5.3: many wishes": wishes(
        ", ".join(f"c{number};q=0.{number:03}" for number in range(500)), IDENTITY, want(431), want(400)
    ),
}

GZ_TAG = etag(TWIN, "gzip")
UNKNOWN = want(200, CSS, content_encoding=None)  # a coding that the server has not
FIRST_TEN = part(0, 9, TWINS["gzip"], content_encoding="gzip", vary=VARIES, etag=GZ_TAG)

TWINS_ROWS = {
    **{
        f"9110 8.8.3.3: the tag of {coding} is another and strong": row(
            get(TWIN, accept_encoding=coding),
            want(200, TWINS[coding], etag=STRONG, content_encoding=coding),
            UNKNOWN,
        )
        for coding in TWINS
    },
    **{
        f"9110 8.8.3.3: the tag of {coding} is not that of the file": row(
            get(TWIN, accept_encoding=coding), want(200, TWINS[coding], etag=Unlike(etag(TWIN))), UNKNOWN
        )
        for coding in TWINS
    },
    "9110 8.8.3.3: nor is one twin's that of the other": row(
        get(TWIN, accept_encoding="br"), want(200, TWINS["br"], etag=Unlike(GZ_TAG)), UNKNOWN
    ),
    **{
        f"9110 13.1.2: the tag of {coding}": row(
            get(TWIN, accept_encoding=coding, if_none_match=etag(TWIN, coding)),
            want(304, b"", etag=etag(TWIN, coding), vary=VARIES),
        )
        for coding in ("identity", *TWINS)
    },
    "9110 13.1.2: the tag of gzip is not that of br": row(
        get(TWIN, accept_encoding="br", if_none_match=GZ_TAG), BR, UNKNOWN
    ),
    "9110 13.1.2: nor that of the file": row(get(TWIN, if_none_match=GZ_TAG), IDENTITY),
    "9110 13.1.2: the tag of the file is not that of gzip": row(
        get(TWIN, accept_encoding="gzip", if_none_match=etag(TWIN)), GZIP
    ),
    "9110 13.1.1: If-Match knows the twin's tag": row(
        get(TWIN, accept_encoding="gzip", if_match=GZ_TAG), GZIP
    ),
    "9110 13.1.1: and not the file's": row(get(TWIN, accept_encoding="gzip", if_match=etag(TWIN)), 412),
    "9110 13.1.3: a twin was changed when it was": row(
        get(TWIN, accept_encoding="gzip", if_modified_since=LM), want(304, b"", vary=VARIES)
    ),
    "9110 9.3.2: HEAD of a twin": row(
        head(TWIN, accept_encoding="gzip"),
        want(200, b"", content_encoding="gzip", content_length=str(len(TWINS["gzip"])), etag=GZ_TAG),
        want(200, b"", content_encoding="gzip", content_length=None, etag=GZ_TAG),
    ),
    "9110 14.1.2: a range of a twin counts its own bytes": row(
        get(TWIN, accept_encoding="gzip", range="bytes=0-9"), FIRST_TEN, GZIP
    ),
    "9110 15.5.17: a range behind the twin's end": row(
        get(TWIN, accept_encoding="gzip", range=f"bytes={len(TWINS['gzip'])}-"),
        want(416, content_range=f"bytes */{len(TWINS['gzip'])}"),
        GZIP,
    ),
    "9110 13.1.5: a range of a twin while it is the same": row(
        get(TWIN, accept_encoding="gzip", range="bytes=0-9", if_range=GZ_TAG), FIRST_TEN, GZIP
    ),
    "9110 13.1.5: the file's tag is not the twin's": row(
        get(TWIN, accept_encoding="gzip", range="bytes=0-9", if_range=etag(TWIN)), GZIP
    ),
    "9110 13.1.5: the twin's tag is not the file's": row(
        get(TWIN, range="bytes=0-9", if_range=GZ_TAG), IDENTITY
    ),
    "9110 12.5.5: a range of the file varies, too": row(
        get(TWIN, range="bytes=0-9"), part(0, 9, CSS, vary=VARIES, content_encoding=None)
    ),
    "9110 14.3: ranges of a twin are offered": row(
        get(TWIN, accept_encoding="gzip"), want(200, accept_ranges="bytes"), 200
    ),
    "9110 8.4: only one twin there is": row(
        get("/one.css", accept_encoding="gzip"),
        want(200, TWINS["gzip"], content_encoding="gzip", vary=VARIES),
    ),
    "9110 8.4: a twin asked for by its name is a file": row(
        get("/twin.css.gz"),
        want(200, TWINS["gzip"], content_type="application/gzip", **NO_COMPRESSION),
        want(200, TWINS["gzip"], content_type=SOME, **NO_COMPRESSION),
    ),
    "9110 8.4: and not compressed again": row(
        get("/twin.css.gz", accept_encoding="gzip"), want(200, TWINS["gzip"], **NO_COMPRESSION)
    ),
    "9110 8.4: a twin older than its file is not its twin": row(
        get("/old.css", accept_encoding="gzip"), want(200, Coded("gzip", CSS), vary=VARIES), want(200, CSS)
    ),
    "9110 8.4: a twin without its file is nothing": row(
        get("/lonely.css", accept_encoding="gzip"), 404, want(200, content_encoding="gzip")
    ),
    "the same door: a twin that leads outside is none": row(
        get("/leaving.css", accept_encoding="gzip"),
        want(200, Coded("gzip", CSS)),
        want(200, CSS),
        want(200, CANARY),  # who follows links everywhere follows this one
    ),
    "the same door: a twin that is a folder is none": row(
        get("/folded.css", accept_encoding="gzip"), want(200, Coded("gzip", CSS)), want(200, CSS)
    ),
    "9110 8.4: an index has a twin, too": row(
        get("/zipped/", accept_encoding="gzip"),
        want(
            200,
            TWINS["gzip"],
            content_encoding="gzip",
            content_type=re.compile(r"text/html(; charset=utf-8)?"),
        ),
    ),
}

SMALLER = "/text.txt"
FLY_TAG = etag(SMALLER, "gzip")


def made(coding: str, content: bytes = TEXT, tag: re.Pattern[str] = STRONG) -> Want:
    """Describe an answer that is compressed by the server."""
    return want(200, Coded(coding, content), content_encoding=coding, vary=VARIES, etag=tag)


PLAIN = want(200, TEXT, vary=VARIES, etag=STRONG, **NO_COMPRESSION)

ON_THE_FLY = {
    "9110 12.5.5: what could be compressed varies": row(get(SMALLER), PLAIN),
    **{
        f"9110 8.4.1: text by {coding}": row(
            get(SMALLER, accept_encoding=coding), made(coding), made(coding, tag=TAG), PLAIN
        )
        for coding in ("gzip", "br", "zstd")
    },
    "9110 8.4.1: JSON by gzip": row(
        get("/data.json", accept_encoding="gzip"), want(200, content_encoding="gzip", vary=VARIES)
    ),
    "9110 8.4.1: what browsers say": row(
        get(SMALLER, accept_encoding="gzip, deflate, br, zstd"),
        made("br"),
        *(made(coding, tag=TAG) for coding in ("zstd", "gzip")),
    ),
    "9110 8.8.3.3: compressed it has another tag": row(
        get(SMALLER, accept_encoding="gzip"),
        want(200, etag=Unlike(etag(SMALLER)), content_encoding="gzip"),
        want(200, etag=None, content_encoding="gzip"),
    ),
    "9110 8.8.3.3: by br another than by gzip": row(
        get(SMALLER, accept_encoding="br"), want(200, etag=Unlike(FLY_TAG))
    ),
    "9110 13.1.2: the tag of what was compressed": row(
        get(SMALLER, accept_encoding="gzip", if_none_match=FLY_TAG),
        want(304, b"", etag=FLY_TAG, vary=VARIES),
        want(304, b"", etag=TAG),
    ),
    "9110 13.1.2: it is not that of the file": row(
        get(SMALLER, if_none_match=FLY_TAG), want(200, TEXT, **NO_COMPRESSION), want(304, b"")
    ),
    "9110 13.1.2: nor that of the file its": row(
        get(SMALLER, accept_encoding="gzip", if_none_match=etag(SMALLER)),
        want(200, Coded("gzip", TEXT)),
        want(304, b""),
    ),
    "9110 13.1.3: changed when the file was": row(
        get(SMALLER, accept_encoding="gzip", if_modified_since=LM),
        want(304, b"", vary=VARIES),
        want(304, b""),
    ),
    "9110 9.3.2: HEAD of what is compressed": row(
        head(SMALLER, accept_encoding="gzip"), want(200, b"", content_encoding="gzip", vary=VARIES)
    ),
    "9110 14.2: a range is one of the file": row(
        get(SMALLER, accept_encoding="gzip", range="bytes=0-9"),
        part(0, 9, TEXT, content_encoding=None, vary=VARIES, etag=etag(SMALLER)),
        want(200, Coded("gzip", TEXT), content_range=None),
    ),
    "9110 13.1.5: while the file is the same": row(
        get(SMALLER, accept_encoding="gzip", range="bytes=0-9", if_range=etag(SMALLER)),
        part(0, 9, TEXT, content_encoding=None),
        want(200, Coded("gzip", TEXT), content_range=None),
    ),
    "9110 13.1.5: a tag of compressed bytes is for no range of the file": row(
        get(SMALLER, accept_encoding="gzip", range="bytes=0-9", if_range=FLY_TAG),
        want(200, TEXT, content_range=None),
        want(200, Coded("gzip", TEXT), content_range=None),
    ),
    "9110 8.4: too short to be compressed": row(
        get("/short.txt", accept_encoding="gzip"),
        want(200, SHORT, **NO_COMPRESSION),
        want(200, Coded("gzip", SHORT)),
    ),
    "9110 8.4: no image is compressed": row(
        get("/image.png", accept_encoding="gzip, br, zstd"), want(200, NOISE, **NO_COMPRESSION)
    ),
    "9110 8.4: nothing empty is compressed": row(
        get("/empty.txt", accept_encoding="gzip"), want(200, b"", **NO_COMPRESSION)
    ),
    "9110 8.4: letters stay letters": row(get("/letters.txt"), want(200, LETTERS, **NO_COMPRESSION)),
    "9110 15.5.5: nothing is not compressed": row(
        get("/nothing", accept_encoding="gzip"), want(404, **NO_COMPRESSION), want(404)
    ),
}

WITHOUT = {
    "--no-precompressed: a twin is a file and no more": row(
        get(TWIN, accept_encoding="gzip"), want(200, CSS, **NO_COMPRESSION), setup="uncoded"
    ),
    "--no-precompressed: and nothing varies": row(
        get(TWIN), want(200, CSS, vary=None), want(200, CSS), setup="uncoded"
    ),
    "--no-compress: text stays text": row(
        get(SMALLER, accept_encoding="gzip, br"), want(200, TEXT, **NO_COMPRESSION), setup="uncoded"
    ),
    "--no-compress: and does not vary": row(
        get(SMALLER), want(200, TEXT, vary=None), want(200, TEXT), setup="uncoded"
    ),
}
