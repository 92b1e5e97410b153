"""The options about static files.

This file alone decides which ones there are. They are one section of the settings, and declared like all
others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aioserve.kinds import BOOLEAN, MOUNT, SIZE, TEXT
from aioserve.options import option, repeatable
from aioserve.static.kinds import CACHE_CONTROL, ERROR_PAGE, HEADER, ORIGIN
from aioserve.values import value

if TYPE_CHECKING:
    from aioserve.kinds import Mount
    from aioserve.static.kinds import ErrorPage, Header


@value
class Static:
    """Which files are served, and how."""

    title: ClassVar[str] = "Static files"

    mounts: tuple[Mount, ...] = repeatable(
        "--static",
        MOUNT,
        (),
        "Serve the files of a folder, at `/` or at the URL before the `=`. Of several folders the one with "
        "the longest URL above a path has it. With an application too, files come first.",
    )
    index: tuple[str, ...] = repeatable(
        "--index",
        TEXT,
        ("index.html",),
        "File that is served for the folder it is in; of several the first that exists.",
    )
    listing: bool = option(
        "--listing",
        BOOLEAN,
        False,
        "List the files of a folder that has no index file, as a page, or as JSON where that is preferred.",
    )
    spa: bool = option(
        "--spa",
        BOOLEAN,
        False,
        "Serve the index file of the whole folder for each page that is not there, for applications that "
        "route in the browser. Scripts, images and other files that are not there stay 404.",
    )
    clean_urls: bool = option(
        "--clean-urls", BOOLEAN, False, "Serve `about.html` for `/about` where there is no file `about`."
    )
    hidden: bool = option(
        "--hidden",
        BOOLEAN,
        False,
        "Serve files and folders whose names begin with a dot. `/.well-known/` is served anyway.",
    )
    follow_symlinks: bool = option(
        "--follow-symlinks",
        BOOLEAN,
        False,
        "Follow symbolic links that lead out of the folder; others are followed anyway.",
    )
    precompressed: bool = option(
        "--precompressed",
        BOOLEAN,
        True,
        "Send `x.br`, `x.zst` or `x.gz` in place of `x` to clients that accept it, unless it is older than "
        "`x`.",
    )
    compress: bool = option(
        "--compress",
        BOOLEAN,
        True,
        "Compress text, scripts and the like where no precompressed file is there; done once and kept.",
    )
    cache_control: str = option(
        "--cache-control",
        CACHE_CONTROL,
        "no-cache",
        "Value of Cache-Control for files; with `no-cache` browsers keep them and ask each time whether they "
        "are still the same. `immutable` in it is for files with a hash in their names, which are then kept "
        "for a year; the rest of the value, or else `no-cache`, is for all others.",
    )
    error_pages: tuple[ErrorPage, ...] = repeatable(
        "--error-page",
        ERROR_PAGE,
        (),
        "File beneath the folder that is the page of an error, as in `404=404.html`. The status stays.",
    )
    headers: tuple[Header, ...] = repeatable(
        "-H --header",
        HEADER,
        (),
        "Add `Name: value` to what is answered for files, or `/assets/* Name: value` for those paths alone.",
        separator="\n",
    )
    cors: str | None = option(
        "--cors",
        ORIGIN,
        None,
        "Let pages of other sites read the files: those of ORIGIN, such as `https://a.example`, or of all "
        "with `*`, which is also meant where ORIGIN is left out. A next word is taken for it only if it is "
        "`*` or has `://` in it.",
        implied="*",
    )
    cache: int = option(
        "--static-cache",
        SIZE,
        64 << 20,
        "Memory for small and compressed files that are kept ready; 0 keeps none.",
    )
