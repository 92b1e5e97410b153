"""Several folders at once, and the rules that a folder brings along."""

from __future__ import annotations

import re
from functools import partial

from tests.semantics.rows.row import MISSING, Want, ask, get, head, row, want
from tests.semantics.site import LETTERS, page

mounted = partial(row, setup="mounts")
ruled = partial(row, setup="rules")


def moved(location: str) -> tuple[Want, ...]:
    """Describe a redirection to a folder."""
    return want(308, location=location), want(301, location=location), want(307, location=location)


MOUNTS = {
    "mounts: a file": mounted(get("/docs/guide.txt"), want(200, b"guide")),
    "mounts: an index": mounted(get("/docs/"), want(200, page("docs"))),
    "mounts: without its slash": mounted(get("/docs"), *moved("/docs/"), *moved("/docs/?")),
    "mounts: with a query": mounted(get("/docs?a=b"), *moved("/docs/?a=b")),
    "mounts: a folder inside without its slash": mounted(get("/docs/sub"), *moved("/docs/sub/")),
    "mounts: a folder inside": mounted(get("/docs/sub/"), want(200, page("sub of docs"))),
    "mounts: beside it": mounted(get("/letters.txt"), want(200, LETTERS)),
    "mounts: the root": mounted(get("/"), want(200, page("main"))),
    "mounts: nothing": mounted(get("/docs/nothing"), MISSING),
    "mounts: what is at the root is not beneath": mounted(get("/docs/letters.txt"), MISSING),
    "mounts: the beginning of a name is no mount": mounted(get("/docsguide.txt"), MISSING),
    "mounts: nor with dots": mounted(get("/docs../main/.env"), MISSING, want(400), want(403)),
    "mounts: up and out": mounted(get("/docs/../outside/canary.txt"), MISSING, want(400), want(403)),
    "mounts: up and in": mounted(
        get("/docs/../letters.txt"), MISSING, want(400), want(200, LETTERS), *moved("/letters.txt")
    ),
    "mounts: encoded up and out": mounted(
        get("/docs/%2e%2e/outside/canary.txt"), MISSING, want(400), want(403)
    ),
    "mounts: an encoded slash is no slash": mounted(
        get("/docs%2fguide.txt"), MISSING, want(400), want(200, b"guide")
    ),
    "mounts: another spelling": mounted(get("/d%6Fcs/guide.txt"), want(200, b"guide")),
    "mounts: what is beneath is no other folder's": mounted(get("/d%6fcs/letters.txt"), MISSING),
    "mounts: HEAD": mounted(head("/docs/guide.txt"), want(200, b"", content_length="5")),
    "mounts: POST": mounted(ask("POST", "/docs/guide.txt"), 405),
}

TARGET = "/page.html"
SAFE = re.compile(r"/(?![/\\]).*")

RULES = {
    "_redirects: 301": ruled(get("/old"), want(301, location=TARGET)),
    "_redirects: 301 is what is meant": ruled(get("/plain"), want(301, location=TARGET)),
    "_redirects: 302": ruled(get("/temporary"), want(302, location=TARGET)),
    "_redirects: 303": ruled(get("/seen"), want(303, location=TARGET)),
    "_redirects: 307": ruled(get("/kept"), want(307, location=TARGET)),
    "_redirects: 308": ruled(get("/for-ever"), want(308, location=TARGET)),
    "_redirects: another file at that URL": ruled(get("/rewritten"), want(200, page("page"))),
    "_redirects: by HEAD": ruled(head("/old"), want(301, b"", location=TARGET)),
    "_redirects: the query is kept": ruled(get("/old?a=b"), want(301, location="/page.html?a=b")),
    "_redirects: the rule's own query": ruled(get("/with"), want(301, location="/page.html?from=with")),
    "_redirects: the rest of a path": ruled(get("/blog/2024/one"), want(301, location="/news/2024/one")),
    "_redirects: the rest may be encoded": ruled(get("/blog/a%20b"), want(301, location="/news/a%20b")),
    "_redirects: a name": ruled(get("/users/ada"), want(302, location="/people/ada")),
    "_redirects: a name is one segment": ruled(get("/users/ada/more"), MISSING),
    "_redirects: what exists is served": ruled(get("/there.txt"), want(200, b"there")),
    "_redirects: unless the rule insists": ruled(get("/other.html"), want(301, location=TARGET)),
    "_redirects: to another host": ruled(get("/away"), want(302, location="https://example.org/there")),
    "_redirects: a page for what is lost": ruled(get("/lost/thing"), want(404, page("missing"))),
    "_redirects: no host out of the path": ruled(get("/open/evil.example"), MISSING),
    "_redirects: nor behind a scheme": ruled(get("/open2/evil.example"), MISSING),
    "_redirects: nor by two slashes": ruled(
        get("/out//evil.example"), MISSING, want(301, location=SAFE), want(400)
    ),
    "_redirects: nor by an encoded slash": ruled(
        get("/out/%2fevil.example"), MISSING, want(301, location=SAFE), want(400)
    ),
    "_redirects: nor by a backslash": ruled(
        get("/out/%5cevil.example"), MISSING, want(301, location=SAFE), want(400)
    ),
    "_redirects: no other field out of the path": ruled(
        get("/out/a%0d%0aX-Evil:%20yes"), want(301, location=SAFE, x_evil=None), MISSING, want(400)
    ),
    "_redirects: nothing": ruled(get("/nothing"), MISSING),
    "_redirects: POST": ruled(ask("POST", "/old"), 405, 301, 404),
    "_redirects: is not to be seen": ruled(get("/_redirects"), MISSING),
    "_headers: is not to be seen": ruled(get("/_headers"), MISSING),
    "_headers: nor encoded": ruled(get("/%5fheaders"), MISSING),
    "_headers: for everything": ruled(get("/"), want(200, page("rules"), x_frame_options="DENY")),
    "_headers: where the path is as it says": ruled(
        get("/assets/app.js"),
        want(200, x_assets="yes", cache_control="public, max-age=600", x_frame_options="DENY"),
    ),
    "_headers: deeper, too": ruled(get("/assets/deep/app.js"), want(200, x_assets="yes")),
    "_headers: elsewhere not": ruled(get("/there.txt"), want(200, x_assets=None, x_page=None)),
    "_headers: two of one name": ruled(get(TARGET), want(200, page("page"), x_page="one, two")),
    "_headers: on a part": ruled(
        get("/there.txt", range="bytes=0-1"), want(206, b"th", x_frame_options="DENY")
    ),
    "_headers: by HEAD": ruled(head("/there.txt"), want(200, b"", x_frame_options="DENY")),
    "_headers: never the canary": ruled(get("/../main/.env"), MISSING, want(400), want(403)),
    "_headers: of another folder are files": row(get("/_headers"), MISSING),
}
