"""Request targets that try to leave the folder, or to see what is hidden in it: made, not collected.

Each way to write two dots is combined with each way to write a slash, at every depth, behind every kind of
beginning; then come the tricks that are not made of dots. What they are after is a file beside the root, one
of the system, and a hidden one inside.
"""

from __future__ import annotations

from itertools import cycle, product

DOTS = [
    *(
        "..",
        "%2e%2e",
        ".%2e",
        "%2e.",
        "%2E%2E",
        "%252e%252e",
        "..%00",
        "..;",
        "..;x=y",
        "%2e%2e;",
        "..%20",
        "..%09",
    ),
    *(
        "\t..",
        "..\t",
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "%f0%80%80%ae%f0%80%80%ae",
        "%uff0e%uff0e",
        "%u002e%u002e",
    ),
    *(
        "%ef%bc%8e%ef%bc%8e",
        "\xef\xbc\x8e\xef\xbc\x8e",
        "\xc0\xae\xc0\xae",
        "...",
        "....",
        ".",
        "%2e",
        "..%c0%80",
        "..%0a",
    ),
]
SEPARATORS = [
    *(
        "/",
        "%2f",
        "%2F",
        "%252f",
        "\\",
        "%5c",
        "%5C",
        "%255c",
        "//",
        "/./",
        ";/",
        "/;/",
        "%2f/",
        "\\/",
        "/\\",
    ),
    *("%c0%af", "%e0%80%af", "%ef%bc%8f", "%u2215", "%2f%2e%2f", "%00/", "\t/"),
]
DEPTHS = range(1, 7)
BEGINNINGS = [
    *("/", "//", "/folder/", "/folder/inner/", "/nothing/", "/%66older/", "/two%20words/", "/link-folder/"),
    *(
        "/docs/",
        "/docs",
        "/docs/sub/",
        "/letters.txt/",
        "/letters.txt",
        "/folder/index.html/",
        "/.well-known/",
    ),
    *("/.", "/~/", "/link-out/", "/bare/sub/", "/./", "/;/", "/%2f", "/%5c", "/\\"),
]
GOALS = [
    ("outside", "canary.txt"),
    ("etc", "passwd"),
    ("main", ".env"),
    (".git", "config"),
]

OTHERS = [
    # a whole URL, and what looks like the beginning of one
    *("http://localhost/../outside/canary.txt", "http://localhost/%2e%2e/outside/canary.txt"),
    *("http://localhost/..%2foutside%2fcanary.txt", "http://localhost/.env", "http://localhost//etc/passwd"),
    *("http://localhost/folder/../../outside/canary.txt", "http://localhost\\..\\outside\\canary.txt"),
    *(
        "http://../outside/canary.txt",
        "http://a/../outside/canary.txt",
        "http://a@localhost/../outside/canary.txt",
    ),
    *("file:///etc/passwd", "file://localhost/etc/passwd", "ftp://localhost/etc/passwd", "//localhost/.env"),
    *(
        "//evil.example/",
        "//evil.example/..",
        "//evil.example/%2e%2e",
        "///evil.example/",
        "/\\evil.example/",
    ),
    *(
        "/\\evil.example/..",
        "/\\/evil.example/",
        "/%5cevil.example/",
        "/%5c%5cevil.example/%2e%2e",
        "/%2f/evil.example",
    ),
    *(
        "/%2fevil.example/",
        "//folder",
        "///folder",
        "/\\folder",
        "/%2ffolder",
        "//evil.example/folder",
        "/.//evil.example/",
    ),
    *("//evil.example@localhost/folder", "/%09/evil.example/", "/%0d%0aLocation:%20//evil.example/"),
    *("/folder%0d%0aX:%20y", "/folder?%0d%0aX:%20y", "/folder?//evil.example/", "/folder;//evil.example/"),
    # no slash at the beginning, or nothing at all
    *(
        "../outside/canary.txt",
        "outside/canary.txt",
        "..",
        ".",
        "*",
        "?",
        "?/../outside/canary.txt",
        ".env",
        "etc/passwd",
    ),
    # absolute paths, drives and shares
    *(
        "//etc/passwd",
        "///etc/passwd",
        "/%2fetc%2fpasswd",
        "/%2fetc/passwd",
        "//proc/self/environ",
        "/proc/self/root/etc/passwd",
    ),
    *(
        "/C:/Windows/win.ini",
        "/C:%5cWindows%5cwin.ini",
        "/c:..%5coutside%5ccanary.txt",
        "C:\\Windows\\win.ini",
        "/C|/Windows/win.ini",
    ),
    *(
        "\\\\localhost\\c$\\canary.txt",
        "/\\\\localhost\\c$\\canary.txt",
        "//localhost/c$/canary.txt",
        "/%5c%5clocalhost%5cc$",
    ),
    *(
        "/letters.txt::$DATA",
        "/letters.txt:canary",
        "/.env::$DATA",
        "/folder::$INDEX_ALLOCATION/.hidden.txt",
        "/LETTE~1.TXT",
    ),
    # queries and fragments
    *(
        "/?/../outside/canary.txt",
        "/letters.txt?/../../outside/canary.txt",
        "/letters.txt%3f/../../outside/canary.txt",
    ),
    *(
        "/#/../outside/canary.txt",
        "/letters.txt#/../../outside/canary.txt",
        "/letters.txt%23/../../outside/canary.txt",
    ),
    *(
        "/..?/outside/canary.txt",
        "/..#/outside/canary.txt",
        "/?file=../outside/canary.txt",
        "/%3f/../outside/canary.txt",
    ),
    # names that end early, or go on
    *(
        "/.env%00.txt",
        "/.env%00",
        "/%00.env",
        "/letters.txt%00/../.env",
        "/.env/",
        "/.env.",
        "/.env%20",
        "/.env;",
        "/.env?",
    ),
    *(
        "/.env%2f",
        "/.env%5c",
        "/.env//",
        "/.env/.",
        "/folder/.hidden.txt",
        "/folder/%2ehidden.txt",
        "/folder/.%68idden.txt",
    ),
    *(
        "/%2eenv",
        "/%2Eenv",
        "/%252eenv",
        "/%c0%aeenv",
        "/.ENV",
        "/.%65nv",
        "/%2e%65%6e%76",
        "/.git",
        "/.git/",
        "/.git/config",
    ),
    *(
        "/%2egit/config",
        "/.git%2fconfig",
        "/.git%5cconfig",
        "/.git/./config",
        "/.git//config",
        "/folder/../.env",
        "/./.env",
    ),
    *(
        "/.well-known/.secret",
        "/.well-known/%2esecret",
        "/.well-known/../.env",
        "/.well-known%2f..%2f.env",
        "/.well-known",
    ),
    # links and what is no file
    *(
        "/link-out",
        "/link-out/",
        "/link-out/canary.txt",
        "/link-out.txt",
        "/link-etc/passwd",
        "/link-etc",
        "/leaving/",
    ),
    *(
        "/link-out%2fcanary.txt",
        "/link-out/./canary.txt",
        "/link-out//canary.txt",
        "/leaving/index.html",
        "/loop",
        "/dangling",
    ),
    *("/fifo", "/socket", "/fifo/", "/leaving.css.gz", "/link%2dout.txt", "/folded.css.gz/file"),
    # of the rules of a folder
    *(
        "/_headers",
        "/_redirects",
        "/%5fheaders",
        "/_%68eaders",
        "/docs/_headers",
        "/docs/_redirects",
        "//_headers",
    ),
    # much of it
    "/" + "../" * 1000 + "etc/passwd",
    "/" + "%2e%2e/" * 800 + "etc/passwd",
    "/" + "folder/../" * 500 + "../outside/canary.txt",
    "/" + "./" * 2000 + ".env",
    "/" + "/" * 3000 + "etc/passwd",
]


def targets() -> list[str]:
    """Make all targets, each once; every character is a byte."""
    found = dict.fromkeys(OTHERS)
    beginnings, goals = cycle(BEGINNINGS), cycle(GOALS)
    for dots, separator, depth in product(DOTS, SEPARATORS, DEPTHS):
        found[climb(next(beginnings), dots, separator, depth, next(goals))] = None
    for dots, separator, beginning in product(DOTS[:12], SEPARATORS[:12], BEGINNINGS):
        found[climb(beginning, dots, separator, beginning.strip("/").count("/") + 1, GOALS[0])] = None
    for beginning, separator, goal in product(BEGINNINGS, SEPARATORS, GOALS):
        found[beginning + separator.join(goal)] = None
    return list(found)


def climb(beginning: str, dots: str, separator: str, depth: int, goal: tuple[str, ...]) -> str:
    """Write one way up, and down to the goal."""
    return beginning + separator.join([dots] * depth + list(goal))
