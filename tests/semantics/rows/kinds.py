"""What a file is said to be: media types, charsets and validators."""

from __future__ import annotations

import re

from tests.semantics.rows.row import (
    AT,
    LM,
    OURS,
    SOME,
    STRONG,
    TAG,
    NotAfterDate,
    Row,
    Unlike,
    etag,
    get,
    head,
    row,
    want,
)
from tests.semantics.site import BIG, LETTERS

TEXTS = {  # 9110 8.3.2 leaves the charset to us: what is written today is UTF-8
    "x.html": "text/html",
    "x.htm": "text/html",
    "x.css": "text/css",
    "x.js": "text/javascript",  # 9239 6
    "x.mjs": "text/javascript",
    "x.txt": "text/plain",
    "x.md": "text/markdown",  # 7763
    "x.csv": "text/csv",  # 4180
    "x.ics": "text/calendar",  # 5545
    "x.vtt": "text/vtt",
}

OTHERS = {
    "x.json": "application/json",  # 8259 8.1: always UTF-8, and no parameter
    "x.map": "application/json",
    "x.xml": "application/xml",  # 7303: says its encoding itself
    "x.xhtml": "application/xhtml+xml",
    "x.atom": "application/atom+xml",
    "x.rss": "application/rss+xml",
    "x.webmanifest": "application/manifest+json",
    "x.wasm": "application/wasm",
    "x.pdf": "application/pdf",
    "x.zip": "application/zip",
    "x.tar.gz": "application/gzip",  # 6713; and not Content-Encoding, which would be undone
    "x.svg": "image/svg+xml",
    "x.png": "image/png",
    "x.PNG": "image/png",
    "x.jpg": "image/jpeg",
    "x.jpeg": "image/jpeg",
    "x.gif": "image/gif",
    "x.webp": "image/webp",  # 9649
    "x.avif": "image/avif",
    "x.ico": "image/vnd.microsoft.icon",
    "x.woff2": "font/woff2",  # 8081
    "x.woff": "font/woff",
    "x.ttf": "font/ttf",
    "x.otf": "font/otf",
    "x.mp3": "audio/mpeg",
    "x.flac": "audio/flac",  # 9639
    "x.ogg": "audio/ogg",
    "x.mp4": "video/mp4",
    "x.webm": "video/webm",
    "x.xyzzy": "application/octet-stream",
    "x.html.bak": "application/octet-stream",
    "none": "application/octet-stream",
}

# What others say, and browsers understand as well.
ALSO = {
    "x.js": "application/javascript",
    "x.mjs": "application/javascript",
    "x.xml": "text/xml",
    "x.rss": "application/rss\\+xml",
    "x.ico": "image/x-icon",
    "x.ogg": "application/ogg",
    "x.xyzzy": ".+",
    "x.html.bak": ".+",
    "none": ".+",
    "x.flac": "audio/x-flac",
}


def _typed(name: str, media_type: str, charset: str) -> Row:
    others = [re.escape(media_type), *([ALSO[name]] if name in ALSO else [])]
    also = re.compile(rf"({'|'.join(others)})(; ?charset=utf-8)?", re.IGNORECASE)
    return row(
        get(f"/types/{name}"),
        want(200, name.encode(), content_type=media_type + charset, content_encoding=None),
        want(200, name.encode(), content_type=also, content_encoding=None),
        *([want(200, content_type=None)] if ALSO.get(name) == ".+" else []),
    )


MEDIA_TYPES = {
    **{
        f"9110 8.3.2: {name} is {media_type} in UTF-8": _typed(name, media_type, "; charset=utf-8")
        for name, media_type in TEXTS.items()
    },
    **{
        f"9110 8.3.1: {name} is {media_type}": _typed(name, media_type, "")
        for name, media_type in OTHERS.items()
    },
    "9110 8.3: an index has its own type": row(
        get("/folder/"), want(200, content_type="text/html; charset=utf-8")
    ),
    "fetch 2.2.3: nobody shall guess another type": row(
        get(AT), want(200, LETTERS, x_content_type_options="nosniff"), want(200, LETTERS)
    ),
}

VALIDATORS = {
    "9110 8.8.3: a strong tag in quotes": row(get(AT), want(200, etag=STRONG)),
    "9110 8.8.3: the same tag again": row(get(AT), want(200, etag=OURS)),
    "9110 8.8.3: HEAD has the same tag": row(head(AT), want(200, etag=OURS)),
    "9110 15.3.7: a part has the tag of the whole": row(get(AT, range="bytes=0-1"), want(206, etag=OURS)),
    "9110 15.3.7: a part has the date of the whole": row(
        get(AT, range="bytes=0-1"), want(206, last_modified=LM)
    ),
    "9110 15.4.5: 304 has the tag": row(get(AT, if_none_match=OURS), want(304, etag=OURS)),
    "9110 8.8.3: another file, another tag": row(get("/text.txt"), want(200, etag=Unlike(OURS))),
    "9110 8.8.3: an index has a tag": row(get("/folder/"), want(200, etag=STRONG)),
    "9110 8.8.3: an index has the tag of its file": row(
        get("/folder/"), want(200, etag=etag("/folder/index.html")), want(200, etag=TAG)
    ),
    "9110 8.8.3: an empty file has a tag": row(get("/empty.txt"), want(200, b"", etag=STRONG)),
    "9110 8.8.3: a large file has a strong tag": row(get("/film.mp4"), want(200, BIG, etag=STRONG)),
    "9110 8.8.2: when it was changed": row(get(AT), want(200, last_modified=LM)),
    "9110 8.8.2: HEAD says it too": row(head(AT), want(200, last_modified=LM)),
    "9110 8.8.2: an index was changed when its file was": row(get("/folder/"), want(200, last_modified=LM)),
    "9110 8.8.2.1: never changed in the future": row(
        get("/future.txt"), want(200, last_modified=NotAfterDate()), want(200, last_modified=None)
    ),
    "9110 8.8.2.1: nor for HEAD": row(
        head("/future.txt"), want(200, last_modified=NotAfterDate()), want(200, last_modified=None)
    ),
    "9110 8.8.2: changed at the beginning of time": row(
        get("/epoch.txt"),
        want(200, LETTERS, last_modified="Thu, 01 Jan 1970 00:00:00 GMT"),
        want(200, LETTERS, last_modified=None),
    ),
    "9110 14.3: ranges are offered": row(get(AT), want(200, accept_ranges="bytes")),
    "9110 14.3: of an empty file, too": row(get("/empty.txt"), want(200, accept_ranges="bytes"), 200),
    "9110 8.6: a length for what is known": row(
        get("/film.mp4"), want(200, content_length="200000", transfer_encoding=None)
    ),
    "9110 6.6.1: a date": row(get(AT), want(200, date=SOME)),
    "9110 12.5.5: what has no alternative varies by nothing": row(
        get("/image.png"), want(200, vary=None), want(200, vary=SOME)
    ),
}
