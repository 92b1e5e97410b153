"""The folders that are served: what is in them, with contents and times that are always the same.

``main`` has something of everything, and ``outside``, beside it, what nobody may see. The others are for
options that make sense only with files of their own.
"""

from __future__ import annotations

import gzip
import os
import socket
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import brotli

try:
    from compression import zstd
except ImportError:
    from backports import zstd

CHANGED = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
HALF_A_SECOND = 500_000_000  # ns; what HTTP's dates cannot say must not matter to them

CANARY = b"not for you\n"
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
BIG = b"".join(b"%07d\n" % number for number in range(25_000))  # 200,000 bytes
TEXT = b"".join(b"%d words that are worth to be compressed\n" % number for number in range(100))
SHORT = b"too short to be compressed\n"
CSS = b"".join(b".a%d { color: #%06x }\n" % (number, number * 7919) for number in range(100))
OLD_CSS = CSS.replace(b"color", b"background")
NOISE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
PAGE = b"<!doctype html><title>%s</title>\n"

TWINS = {
    "br": brotli.compress(CSS),
    "zstd": zstd.compress(CSS),
    "gzip": gzip.compress(CSS, mtime=0),
}
DECODERS = {"br": brotli.decompress, "zstd": zstd.decompress, "gzip": gzip.decompress}


def page(title: str) -> bytes:
    """Write a page that says who it is."""
    return PAGE % title.encode()


# Whoever is asked for one of these by name has its name to show.
NAMES = [
    *("two words.txt", "größe.txt", "日本.txt", "plus+sign.txt", "semi;colon.txt", "percent%41.txt"),
    *("per%cent.txt", "back\\slash.txt", "quote\"'.txt", "q?mark.txt", "hash#.txt", "new\nline.txt"),
    *("colon:name.txt", "tilde~.txt", "amp&.txt", "equals=.txt", "comma,.txt", "[brackets].txt", "pipe|.txt"),
    *("at@.txt", "dollar$.txt", "bang!.txt", "star*.txt", "(round).txt", "dots..txt", "<script>.txt"),
    *("Case.txt", "end.", "dash-.txt", "under_.txt", "caret^.txt", "{curly}.txt", "tab\t.txt", "\udce9.txt"),
]

# The file name of each media type in the rows; empty contents would do, but a name is easier to find.
TYPED = [
    *(
        "x.html",
        "x.htm",
        "x.css",
        "x.js",
        "x.mjs",
        "x.json",
        "x.txt",
        "x.md",
        "x.csv",
        "x.xml",
        "x.svg",
        "x.png",
    ),
    *(
        "x.jpg",
        "x.jpeg",
        "x.gif",
        "x.webp",
        "x.avif",
        "x.ico",
        "x.woff2",
        "x.woff",
        "x.ttf",
        "x.mp3",
        "x.mp4",
    ),
    *("x.webm", "x.wasm", "x.pdf", "x.zip", "x.webmanifest", "x.map", "x.ics", "x.vtt", "x.xhtml", "x.atom"),
    *("x.rss", "x.otf", "x.flac", "x.ogg", "x.PNG", "x.tar.gz", "x.xyzzy", "none", "x.html.bak"),
]

MAIN: dict[str, bytes] = {
    "index.html": page("main"),
    "letters.txt": LETTERS,
    "empty.txt": b"",
    "film.mp4": BIG,
    "text.txt": TEXT,
    "short.txt": SHORT,
    "data.json": b"[%s]" % b",".join(b"%d" % number for number in range(500)),
    "image.png": NOISE,
    "future.txt": LETTERS,
    "epoch.txt": LETTERS,
    "twin.css": CSS,
    **{f"twin.css.{end}": TWINS[name] for end, name in (("br", "br"), ("zst", "zstd"), ("gz", "gzip"))},
    "one.css": CSS,
    "one.css.gz": TWINS["gzip"],
    "old.css": CSS,
    "old.css.gz": gzip.compress(OLD_CSS, mtime=0),
    "leaving.css": CSS,
    "folded.css": CSS,
    "folded.css.gz/file": b"in a folder",
    "lonely.css.gz": TWINS["gzip"],
    "zipped/index.html": CSS,
    "zipped/index.html.gz": TWINS["gzip"],
    "folder/index.html": page("folder"),
    "folder/file.txt": b"folder/file.txt",
    "folder/.hidden.txt": CANARY,
    "folder/inner/file.txt": b"folder/inner/file.txt",
    "folder/start.html": page("start"),
    "bare/a.txt": b"bare/a.txt",
    "bare/b two.txt": b"bare/b two.txt",
    "bare/<b>.txt": b"bare/<b>.txt",
    "bare/.hidden.txt": CANARY,
    "bare/sub/c.txt": b"bare/sub/c.txt",
    "two words/index.html": page("two words"),
    "leaving/a.txt": b"leaving/a.txt",
    ".env": CANARY,
    ".git/config": CANARY,
    ".well-known/security.txt": b"security",
    ".well-known/.secret": CANARY,
    "about.html": page("about"),
    "team.html": page("team"),
    "team": b"team without an end",
    "both.html": page("both"),
    "both/index.html": page("both, the folder"),
    "errors/404.html": page("nothing here"),
    "assets/app.3f9a1b2c.js": b"// hashed",
    "assets/index-BxK3d9Qa.js": b"// hashed by another tool",
    "assets/app.js": b"// plain",
    "assets/jquery-3.7.1.js": b"// a version is no hash",
    "assets/site.css": b"/* plain */",
    **{f"names/{name}": name.encode("utf-8", "surrogateescape") for name in NAMES},
    **{f"types/{name}": name.encode() for name in TYPED},
}

APP = {
    "index.html": page("app"),
    "assets/app.js": b"// app",
    "folder/index.html": page("folder of app"),
    "bare/file.txt": b"bare",
    "v1.2": b"dotted",
}

DOCS = {"index.html": page("docs"), "guide.txt": b"guide", "sub/index.html": page("sub of docs")}

RULES = {
    "index.html": page("rules"),
    "page.html": page("page"),
    "other.html": page("other"),
    "there.txt": b"there",
    "assets/app.js": b"// app of rules",
    "assets/deep/app.js": b"// deep",
    "missing.html": page("missing"),
    "_headers": b"""\
# for everybody
/*
  X-Frame-Options: DENY
/assets/*
  Cache-Control: public, max-age=600
  X-Assets: yes
/page.html
  X-Page: one
  X-Page: two
/users/:name
  X-User: some
""",
    "_redirects": b"""\
# from  to  status
/old            /page.html          301
/plain          /page.html
/temporary      /page.html          302
/seen           /page.html          303
/kept           /page.html          307
/for-ever       /page.html          308
/rewritten      /page.html          200
/blog/*         /news/:splat        301
/users/:name    /people/:name       302
/there.txt      /page.html          301
/other.html     /page.html          301!
/away           https://example.org/there 302
/lost/*         /missing.html       404
/with           /page.html?from=with 301
/open/*         //:splat            301
/open2/*        https://:splat/     301
/out/*          /:splat             301
""",
}

FOLDERS = {"main": MAIN, "app": APP, "docs": DOCS, "rules": RULES}


def build(base: Path) -> Path:
    """Make the folders, and return where they are."""
    outside = base / "outside"
    outside.mkdir()
    for name in ("canary.txt", "index.html", "leaving.css.gz"):
        (outside / name).write_bytes(CANARY)
    for folder, files in FOLDERS.items():
        for name, content in files.items():
            path = base / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    _set_times(base)
    _make_odd_things(base / "main")
    return base


def _make_odd_things(main: Path) -> None:
    """Make what is no file: links and special files."""
    for name, target in {
        "link.txt": "letters.txt",
        "link-folder": "folder",
        "folder/link-up.txt": "../letters.txt",
        "link-out.txt": "../outside/canary.txt",
        "link-out": "../outside",
        "link-etc": "/etc",
        "leaving.css.gz": "../outside/leaving.css.gz",
        "leaving/index.html": "../../outside/index.html",
        "loop": "loop",
        "dangling": "nowhere",
    }.items():
        (main / name).symlink_to(target)
    os.mkfifo(main / "fifo")
    (main / "locked.txt").write_bytes(CANARY)
    (main / "locked.txt").chmod(0)
    with closing(socket.socket(socket.AF_UNIX)) as special:
        here = Path.cwd()
        os.chdir(main)  # the name of a socket is short
        try:
            special.bind("socket")
        finally:
            os.chdir(here)


def _set_times(base: Path) -> None:
    at = int(CHANGED.timestamp()) * 1_000_000_000
    for path in base.rglob("*"):
        os.utime(path, ns=(at, at + HALF_A_SECOND))
    for name, when in {
        "future.txt": datetime(2100, 1, 1, tzinfo=UTC),
        "epoch.txt": datetime.fromtimestamp(0, UTC),
    }.items():
        os.utime(base / "main" / name, (0, when.timestamp()))
    before = int(CHANGED.timestamp()) - 3600
    os.utime(base / "main/old.css.gz", (before, before))
