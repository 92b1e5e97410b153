"""What the options of the command change, each in a server of its own."""

from __future__ import annotations

import re
from functools import partial

from tests.semantics.rows.row import (
    LM,
    MISSING,
    Json,
    Lacks,
    Lists,
    Unlike,
    Want,
    ask,
    etag,
    get,
    head,
    row,
    want,
)
from tests.semantics.site import CANARY, LETTERS, page

HTML = re.compile(r"text/html; ?charset=utf-8", re.IGNORECASE)
JSON = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
FORBIDDEN = want(403)
IMMUTABLE = "public, max-age=31536000, immutable"


def moved(location: str) -> tuple[Want, ...]:
    """Describe a redirection to a folder."""
    return want(308, location=location), want(301, location=location), want(307, location=location)


spa = partial(row, setup="spa")
APP = want(200, page("app"), content_type=HTML)
NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

SPA = {
    "--spa: the application itself": spa(get("/"), APP),
    "--spa: a path of the application's own": spa(get("/users/7"), APP),
    "--spa: with a slash": spa(get("/users/7/"), APP),
    "--spa: with a query": spa(get("/users?page=2"), APP),
    "--spa: a browser goes there": spa(
        get("/users/7", accept=NAVIGATION, sec_fetch_dest="document", sec_fetch_mode="navigate"), APP
    ),
    "--spa: by HEAD": spa(head("/users/7"), want(200, b"", content_type=HTML)),
    "--spa: an asset is there": spa(get("/assets/app.js"), want(200, b"// app")),
    "--spa: an asset is missing": spa(get("/assets/gone.js"), MISSING),
    "--spa: an image is missing": spa(get("/logo.png"), MISSING),
    "--spa: a style is missing": spa(get("/style.css?v=2"), MISSING),
    "--spa: a script asks for data": spa(get("/api/users", accept="application/json"), MISSING),
    "--spa: a script is wanted": spa(get("/worker", sec_fetch_dest="script"), MISSING),
    "--spa: an image is wanted": spa(get("/avatar", accept="image/*", sec_fetch_dest="image"), MISSING),
    "--spa: fetch() says nothing of what it wants": spa(get("/users/7", sec_fetch_dest="empty"), APP),
    "--spa: anything is welcome": spa(get("/users/7", accept="*/*"), APP),
    "--spa: a frame": spa(get("/users/7", sec_fetch_dest="iframe"), APP),
    "--spa: a dot is no end that is known": spa(get("/users/j.doe"), APP),
    "--spa: a folder of its own": spa(get("/folder/"), want(200, page("folder of app"))),
    "--spa: POST is none": spa(ask("POST", "/users/7"), 405, 404),
    "--spa: hidden names are none": spa(get("/.env"), MISSING, FORBIDDEN),
    "--spa: it is the file, with its tag": spa(get("/users/7"), want(200, etag=etag("/index.html"))),
    "--spa: which is known already": spa(get("/users/7", if_none_match=etag("/index.html")), 304),
}

clean = partial(row, setup="clean")

CLEAN = {
    "--clean-urls: a page without its end": clean(get("/about"), want(200, page("about"), content_type=HTML)),
    "--clean-urls: with its end, too": clean(get("/about.html"), want(200, page("about"))),
    "--clean-urls: with a query": clean(get("/about?a=b"), want(200, page("about"))),
    "--clean-urls: by HEAD": clean(head("/about"), want(200, b"", content_type=HTML)),
    "--clean-urls: a file of that name comes first": clean(get("/team"), want(200, b"team without an end")),
    "--clean-urls: nothing": clean(get("/nothing"), MISSING),
    "--clean-urls: with a slash it is a folder": clean(get("/about/"), MISSING),
    "--clean-urls: a folder": clean(get("/folder/"), want(200, page("folder"))),
    "--clean-urls: a file": clean(get("/letters.txt"), want(200, LETTERS)),
    "--clean-urls: hidden names are none": clean(get("/.env"), MISSING, FORBIDDEN),
    "--clean-urls: the page has its tag": clean(get("/about"), want(200, etag=etag("/about.html"))),
    "--clean-urls: one condition for both": clean(get("/about", if_modified_since=LM), 304),
}

listed = partial(row, setup="listing")
BARE_LISTING = re.compile(rb"(?s)(?=.*a\.txt)(?=.*b%20two\.txt)(?=.*sub/)(?!.*\.hidden\.txt)(?!.*<b>\.txt)")

LISTING = {
    "--listing: a page": listed(get("/bare/"), want(200, BARE_LISTING, content_type=HTML)),
    "--listing: by HEAD": listed(head("/bare/"), want(200, b"", content_type=HTML)),
    "--listing: for browsers": listed(get("/bare/", accept=NAVIGATION), want(200, content_type=HTML)),
    "--listing: as JSON": listed(
        get("/bare/", accept="application/json"),
        want(200, Json(("a.txt", "b two.txt", "<b>.txt"), (".hidden.txt",)), content_type=JSON),
    ),
    "--listing: it varies by what is wanted": listed(get("/bare/"), want(200, vary=Lists(("Accept",)))),
    "--listing: as JSON, too": listed(
        get("/bare/", accept="application/json"), want(200, vary=Lists(("Accept",)))
    ),
    "--listing: no page for who wants an image": listed(
        get("/bare/", accept="image/png"), want(200, content_type=HTML), 406
    ),
    "--listing: a folder without its slash": listed(get("/bare"), *moved("/bare/")),
    "--listing: deeper": listed(get("/bare/sub/"), want(200, re.compile(rb"c\.txt"))),
    "--listing: an index comes first": listed(get("/folder/"), want(200, page("folder"))),
    "--listing: nothing": listed(get("/nothing/"), MISSING),
    "--listing: hidden folders are none": listed(get("/.git/"), MISSING, FORBIDDEN),
    "--listing: not of what is outside": listed(get("/link-out/"), MISSING, FORBIDDEN, want(200)),
    "--listing: POST is not allowed": listed(ask("POST", "/bare/"), want(405, allow=Lists(("GET",))), 403),
    "--listing: no hidden names": listed(
        get("/folder/inner/"), want(200, Lacks((b">.hidden", b".hidden.txt")))
    ),
}

error_page = partial(row, setup="error page")
NOT_FOUND = want(404, page("nothing here"), content_type=HTML)

ERROR_PAGE = {
    "--error-page: of a missing file": error_page(get("/nothing"), NOT_FOUND),
    "--error-page: by HEAD": error_page(head("/nothing"), want(404, b"", content_type=HTML)),
    "--error-page: of a hidden file": error_page(get("/.env"), NOT_FOUND),
    "--error-page: deep down": error_page(get("/a/b/c"), NOT_FOUND),
    "--error-page: a range is one of nothing": error_page(
        get("/nothing", range="bytes=0-1"), want(404, page("nothing here"), content_range=None)
    ),
    "--error-page: no condition holds for nothing": error_page(get("/nothing", if_none_match="*"), NOT_FOUND),
    "--error-page: it is not the file that was asked for": error_page(
        get("/nothing"), want(404, page("nothing here"), etag=None, last_modified=None), NOT_FOUND
    ),
    "--error-page: other errors are plain": error_page(ask("POST", "/letters.txt"), 405),
    "--error-page: by its own name it is a file": error_page(
        get("/errors/404.html"), want(200, page("nothing here"))
    ),
    "--error-page: what is there is there": error_page(get("/letters.txt"), want(200, LETTERS)),
}

added = partial(row, setup="headers")

HEADERS = {
    "--header: on a file": added(get("/letters.txt"), want(200, x_one="1", x_assets=None)),
    "--header: on a part": added(get("/letters.txt", range="bytes=0-1"), want(206, x_one="1")),
    "--header: by HEAD": added(head("/letters.txt"), want(200, b"", x_one="1")),
    "--header: on 304": added(get("/letters.txt", if_modified_since=LM), want(304, x_one="1")),
    "--header: on an index": added(get("/folder/"), want(200, x_one="1")),
    "--header: where the path is as it says": added(
        get("/assets/app.js"), want(200, x_one="1", x_assets="yes")
    ),
    "--header: the path's case matters": added(get("/Assets/app.js"), want(404, x_assets=None)),
    "--header: a query is no path": added(get("/letters.txt?/assets/"), want(200, x_assets=None)),
    "--header: encoded it is the same path": added(get("/%61ssets/app.js"), want(200, x_assets="yes")),
}

cors = partial(row, setup="cors")
origin = partial(row, setup="cors origin")
PREFLIGHT = {"origin": "https://a.example", "access_control_request_method": "GET"}
ALL = {"access_control_allow_origin": "*"}

CORS = {
    "--cors: on a file": cors(get("/letters.txt", origin="https://a.example"), want(200, LETTERS, **ALL)),
    "--cors: also for who says no origin": cors(get("/letters.txt"), want(200, **ALL), 200),
    "--cors: on a part": cors(
        get("/letters.txt", origin="https://a.example", range="bytes=0-1"), want(206, **ALL)
    ),
    "--cors: on 304": cors(
        get("/letters.txt", origin="https://a.example", if_modified_since=LM), want(304, **ALL)
    ),
    "--cors: by HEAD": cors(head("/letters.txt", origin="https://a.example"), want(200, b"", **ALL)),
    "--cors: never with credentials": cors(
        get("/letters.txt", origin="https://a.example"), want(200, access_control_allow_credentials=None)
    ),
    "fetch 3.3.2: a preflight": cors(
        ask("OPTIONS", "/letters.txt", **PREFLIGHT),
        want(204, b"", access_control_allow_methods=Lists(("GET", "HEAD")), **ALL),
        want(200, access_control_allow_methods=Lists(("GET", "HEAD")), **ALL),
    ),
    "fetch 3.3.2: a preflight with fields": cors(
        ask("OPTIONS", "/letters.txt", **PREFLIGHT, access_control_request_headers="range"),
        want(204, b"", access_control_allow_headers=re.compile(r"\*|.*range.*", re.IGNORECASE), **ALL),
        want(200, access_control_allow_headers=re.compile(r"\*|.*range.*", re.IGNORECASE), **ALL),
    ),
    "fetch 3.3.2: a preflight is kept for a while": cors(
        ask("OPTIONS", "/letters.txt", **PREFLIGHT),
        want(204, access_control_max_age=re.compile(r"[0-9]+")),
        204,
    ),
    "--cors: OPTIONS that is no preflight": cors(
        ask("OPTIONS", "/letters.txt"), want(204, b"", allow=Lists(("GET", "HEAD"))), 200, 204
    ),
    "--cors ORIGIN: on a file": origin(
        get("/letters.txt", origin="https://a.example"),
        want(200, access_control_allow_origin="https://a.example"),
    ),
    "--cors ORIGIN: another one is not let in": origin(
        get("/letters.txt", origin="https://b.example"),
        want(200, access_control_allow_origin=re.compile(r"https://a\.example")),
        want(200, access_control_allow_origin=None),
    ),
    "--cors ORIGIN: a preflight": origin(
        ask("OPTIONS", "/letters.txt", **PREFLIGHT),
        want(204, b"", access_control_allow_origin="https://a.example"),
        want(200, access_control_allow_origin="https://a.example"),
    ),
    "without --cors: no origin is let in": row(
        get("/letters.txt", origin="https://a.example"), want(200, access_control_allow_origin=None)
    ),
}

kept = partial(row, setup="cache")
hashed = partial(row, setup="immutable")
MINUTE = "public, max-age=60"

CACHE = {
    "--cache-control: on a file": kept(get("/letters.txt"), want(200, cache_control=MINUTE)),
    "--cache-control: on 304": kept(
        get("/letters.txt", if_modified_since=LM), want(304, cache_control=MINUTE)
    ),
    "--cache-control: on a part": kept(
        get("/letters.txt", range="bytes=0-1"), want(206, cache_control=MINUTE)
    ),
    "--cache-control: by HEAD": kept(head("/letters.txt"), want(200, cache_control=MINUTE)),
    "--cache-control: on an index": kept(get("/folder/"), want(200, cache_control=MINUTE)),
    "--cache-control: nothing is not kept": kept(get("/nothing"), want(404, cache_control="no-store"), 404),
    "--cache-control: nor a failed condition": kept(
        get("/letters.txt", if_match='"x"'), want(412, cache_control="no-store"), 412
    ),
    "8246 2: a name with a hash never changes": hashed(
        get("/assets/app.3f9a1b2c.js"), want(200, cache_control=IMMUTABLE)
    ),
    "8246 2: another tool's hash": hashed(
        get("/assets/index-BxK3d9Qa.js"), want(200, cache_control=IMMUTABLE)
    ),
    "8246 2: nor does it by 304": hashed(
        get("/assets/app.3f9a1b2c.js", if_modified_since=LM), want(304, cache_control=IMMUTABLE)
    ),
    "8246 2: a plain name may": hashed(get("/assets/app.js"), want(200, cache_control="max-age=60")),
    "8246 2: a version is no hash": hashed(
        get("/assets/jquery-3.7.1.js"), want(200, cache_control="max-age=60")
    ),
    "8246 2: a page may": hashed(get("/"), want(200, cache_control="max-age=60")),
    "9111 4.2.2: nobody has to guess for how long": row(
        get("/letters.txt"), want(200, cache_control="no-cache"), want(200, cache_control=Unlike(IMMUTABLE))
    ),
}

hidden = partial(row, setup="hidden")
starts = partial(row, setup="index")

OTHERS = {
    "--hidden: a file": hidden(get("/.env"), want(200, CANARY)),
    "--hidden: in a folder": hidden(get("/.git/config"), want(200, CANARY)),
    "--hidden: in the well-known one": hidden(get("/.well-known/.secret"), want(200, CANARY)),
    "--hidden: two dots stay what they are": hidden(get("/../outside/canary.txt"), 404, 400, 403),
    "--hidden: nor is there a link out": hidden(get("/link-out.txt"), 404, 403, 200),
    "--index: the first that exists": starts(get("/folder/"), want(200, page("start"))),
    "--index: or the next": starts(get("/"), want(200, page("main"))),
    "--index: none": starts(get("/bare/"), MISSING, FORBIDDEN),
}
