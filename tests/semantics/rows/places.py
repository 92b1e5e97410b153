"""Where a path leads: folders, names, links, and what is no file."""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes

from tests.semantics.rows.row import LM, MISSING, Lacks, Row, Want, get, head, row, want
from tests.semantics.site import CANARY, LETTERS, NAMES, page

HTML = re.compile(r"text/html(; charset=utf-8)?")
FORBIDDEN = want(403)
BAD = want(400)
NO_CANARY = Lacks((CANARY, b"root:"))


def moved(location: str) -> tuple[Want, ...]:
    """Describe a redirection for good; with 308, methods stay what they are."""
    return want(308, location=location), want(301, location=location), want(307, location=location)


FOLDERS = {
    "9110 15.4.9: a folder without its slash": row(get("/folder"), *moved("/folder/")),
    "9110 15.4.9: its query is kept": row(get("/folder?a=b&c=%20"), *moved("/folder/?a=b&c=%20")),
    "9110 15.4.9: an empty query is none": row(get("/folder?"), *moved("/folder/"), *moved("/folder/?")),
    "9110 15.4.9: a query that is another address": row(
        get("/folder?//example.org/"), *moved("/folder/?//example.org/")
    ),
    "9110 15.4.9: deeper": row(get("/folder/inner"), *moved("/folder/inner/"), MISSING),
    "9110 15.4.9: encoded as it was": row(get("/two%20words"), *moved("/two%20words/")),
    "9110 15.4.9: encoded without need": row(get("/f%6flder"), *moved("/f%6flder/"), *moved("/folder/")),
    "9110 15.4.9: without an index, too": row(get("/bare"), *moved("/bare/"), MISSING),
    "index: of a folder": row(get("/folder/"), want(200, page("folder"), content_type=HTML)),
    "index: of the root": row(get("/"), want(200, page("main"), content_type=HTML)),
    "index: with a query": row(get("/?a=b"), want(200, page("main"))),
    "index: asked for by its name": row(
        get("/folder/index.html"), want(200, page("folder")), *moved("/folder/"), *moved("./")
    ),
    "index: with blanks in the folder's name": row(get("/two%20words/"), want(200, page("two words"))),
    "index: a folder without one is nothing": row(get("/bare/"), MISSING, FORBIDDEN),
    "index: HEAD of a folder without one": row(head("/bare/"), want(404, b""), want(403, b"")),
    "index: one that leads outside is none": row(get("/leaving/"), MISSING, FORBIDDEN, want(200, CANARY)),
    "9112 3.2.2: a whole URL": row(get("http://localhost/letters.txt"), want(200, LETTERS)),
    "9112 3.2.2: a whole URL of a folder": row(
        get("http://localhost/folder"), *moved("/folder/"), want(400), want(421)
    ),
    "9112 3.2.2: a whole URL without a path": row(
        get("http://localhost"), want(200, page("main")), *moved("/")
    ),
}


def path(target: str, *wants: Want) -> Row:
    """Ask for a path."""
    return row(get(target), *wants)


HERE = want(200, LETTERS)
ELSEWHERE = (MISSING, BAD, FORBIDDEN)  # a path that names nothing may also be called malformed

_NAMED = {name: name.encode("utf-8", "surrogateescape") for name in NAMES}
_SAYING = {
    name: "".join(letter if " " < letter < "\x7f" else f"\\x{ord(letter):x}" for letter in name)
    for name in NAMES
}

PATHS = {
    **{
        f"3986 2.1: the name {_SAYING[name]}": path(
            f"/names/{quote_from_bytes(raw)}",
            MISSING if "\\" in name else want(200, raw),
            *([want(200, raw), BAD] if "\\" in name or not name.isprintable() else []),
        )
        for name, raw in _NAMED.items()
    },
    **{
        f"3986 3.3: {letter} needs no encoding": path(f"/names/{name}", want(200, name.encode()))
        for letter, name in {
            "+": "plus+sign.txt",
            ";": "semi;colon.txt",
            ":": "colon:name.txt",
            "~": "tilde~.txt",
            "&": "amp&.txt",
            "=": "equals=.txt",
            ",": "comma,.txt",
            "@": "at@.txt",
            "$": "dollar$.txt",
            "!": "bang!.txt",
            "*": "star*.txt",
            "(": "(round).txt",
        }.items()
    },
    "3986 2.3: a letter may be encoded": path("/l%65tters.txt", HERE),
    "3986 2.1: in either case": path("/names/gr%c3%b6%C3%9fe.txt", want(200, "größe.txt".encode())),
    "3986 2.4: decoded once only": path("/names/percent%2541.txt", want(200, b"percent%41.txt")),
    "3986 2.4: not twice": path("/l%2565tters.txt", MISSING),
    "3986 3.3: a plus is no blank": path("/names/two+words.txt", MISSING),
    "3986 3.4: a query changes no file": path("/letters.txt?a=b", HERE),
    "3986 3.4: not even one with slashes": path("/letters.txt?/../x", HERE),
    "3986 3.4: nor an empty one": path("/letters.txt?", HERE),
    "3986 2.1: a percent sign alone": path("/%", *ELSEWHERE),
    "3986 2.1: half an encoding": path("/letters.txt%2", *ELSEWHERE),
    "3986 2.1: no hexadecimal digits": path("/%zzletters.txt", *ELSEWHERE),
    "3986 3.3: two slashes": path("//letters.txt", *ELSEWHERE, HERE, *moved("/letters.txt")),
    "3986 3.3: two slashes inside": path("/folder//file.txt", *ELSEWHERE, want(200, b"folder/file.txt")),
    "3986 3.3: two slashes at the end": path("/folder//", *ELSEWHERE, want(200), *moved("/folder/")),
    "3986 5.2.4: a dot": path("/./letters.txt", *ELSEWHERE, HERE, *moved("/letters.txt")),
    "3986 5.2.4: a dot inside": path("/folder/./file.txt", *ELSEWHERE, want(200, b"folder/file.txt")),
    "3986 5.2.4: two dots": path("/folder/../letters.txt", *ELSEWHERE, HERE, *moved("/letters.txt")),
    "3986 5.2.4: two dots at the end": path("/folder/..", *ELSEWHERE, want(200, page("main")), *moved("/")),
    "out: two dots": path("/../outside/canary.txt", *ELSEWHERE),
    "out: encoded dots": path("/%2e%2e/outside/canary.txt", *ELSEWHERE),
    "out: an encoded slash": path("/..%2foutside%2fcanary.txt", *ELSEWHERE),
    "out: a backslash": path("/..%5coutside%5ccanary.txt", *ELSEWHERE),
    "out: a bare backslash": path("/..\\outside\\canary.txt", *ELSEWHERE),
    "out: from a folder": path("/folder/%2e%2e/%2e%2e/outside/canary.txt", *ELSEWHERE),
    "3986 2.2: an encoded slash is no slash": path(
        "/folder%2ffile.txt", *ELSEWHERE, want(200, b"folder/file.txt")
    ),
    "3986 2.2: an encoded backslash is none": path("/folder%5cfile.txt", *ELSEWHERE),
    "3986 7.3: NUL": path("/letters.txt%00", *ELSEWHERE),
    "3986 7.3: NUL before an end": path("/letters.txt%00.html", *ELSEWHERE),
    "3986 7.3: a line's end": path("/letters.txt%0d%0aX:%20y", *ELSEWHERE),
    "3986 3.3: what stands behind a semicolon is part of the name": path("/letters.txt;x", *ELSEWHERE),
    "3986 3.3: a slash behind a file": path(
        "/letters.txt/", MISSING, *moved("/letters.txt"), *moved("../letters.txt")
    ),
    "3986 3.3: a dot behind a file": path("/letters.txt.", *ELSEWHERE),
    "3986 3.3: a blank behind a file": path("/letters.txt%20", *ELSEWHERE),
    "3986 6.2.2.1: names have a case": path("/names/case.txt", MISSING),
    "3986 6.2.2.1: folders, too": path("/FOLDER/file.txt", MISSING),
    "3629 3: bytes that are no UTF-8": path("/names/%ff%fe.txt", *ELSEWHERE),
    "3629 3: overlong dots": path("/%c0%ae%c0%ae/outside/canary.txt", *ELSEWHERE),
    "hidden: a file": path("/.env", MISSING, FORBIDDEN),
    "hidden: a folder": path("/.git/config", MISSING, FORBIDDEN),
    "hidden: the folder itself says nothing": path("/.git", MISSING, FORBIDDEN),
    "hidden: in a folder": path("/folder/.hidden.txt", MISSING, FORBIDDEN),
    "hidden: encoded": path("/%2eenv", MISSING, FORBIDDEN, BAD),
    "hidden: what is not there looks the same": path("/.nothing", MISSING, FORBIDDEN),
    "8615 3: well known": path("/.well-known/security.txt", want(200, b"security")),
    "8615 3: hidden beneath it": path("/.well-known/.secret", MISSING, FORBIDDEN),
}

LINKS = {
    "link: to a file": row(get("/link.txt"), want(200, LETTERS, last_modified=LM)),
    "link: through a folder": row(get("/link-folder/file.txt"), want(200, b"folder/file.txt")),
    "link: to a folder without its slash": row(get("/link-folder"), *moved("/link-folder/")),
    "link: to a folder's index": row(get("/link-folder/"), want(200, page("folder"))),
    "link: up and still inside": row(get("/folder/link-up.txt"), want(200, LETTERS)),
    # To follow links wherever they lead is what many servers do: whoever can make them is trusted.
    "link: a file outside": row(get("/link-out.txt"), MISSING, FORBIDDEN, want(200, CANARY)),
    "link: a folder outside": row(get("/link-out/canary.txt"), MISSING, FORBIDDEN, want(200, CANARY)),
    "link: the folder itself outside": row(get("/link-out"), MISSING, FORBIDDEN, *moved("/link-out/")),
    "link: an absolute one": row(
        get("/link-etc/passwd"), want(404, NO_CANARY), want(403, NO_CANARY), want(200, re.compile(b"root:"))
    ),
    "link: to nowhere": row(get("/dangling"), MISSING),
    "link: to itself": row(get("/loop"), MISSING, FORBIDDEN, want(500)),
    "special: a FIFO blocks nobody": row(get("/fifo"), MISSING, FORBIDDEN),
    "special: HEAD of a FIFO": row(head("/fifo"), MISSING, FORBIDDEN),
    "special: a socket": row(get("/socket"), MISSING, FORBIDDEN),
    "special: a file that may not be read": row(get("/locked.txt"), MISSING, FORBIDDEN, needs_user=True),
    "--follow-symlinks: a file outside": row(get("/link-out.txt"), want(200, CANARY), setup="following"),
    "--follow-symlinks: a folder outside": row(
        get("/link-out/canary.txt"), want(200, CANARY), setup="following"
    ),
    "--follow-symlinks: hidden is hidden": row(get("/.env"), MISSING, FORBIDDEN, setup="following"),
    "--follow-symlinks: a FIFO is none": row(get("/fifo"), MISSING, FORBIDDEN, setup="following"),
}
