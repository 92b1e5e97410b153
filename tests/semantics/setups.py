"""How the server is started for a group of rows: the words of its command line, by name.

``SITE`` stands for where the folders of the site are.
"""

from __future__ import annotations

MAIN = ("--static", "SITE/main")

SETUPS: dict[str, tuple[str, ...]] = {
    "plain": MAIN,
    "uncoded": (*MAIN, "--no-precompressed", "--no-compress"),
    "following": (*MAIN, "--follow-symlinks"),
    "hidden": (*MAIN, "--hidden"),
    "index": (*MAIN, "--index", "start.html", "--index", "index.html"),
    "spa": ("--static", "SITE/app", "--spa"),
    "clean": (*MAIN, "--clean-urls"),
    "listing": (*MAIN, "--listing"),
    "error page": (*MAIN, "--error-page", "404=errors/404.html"),
    "headers": (*MAIN, "--header", "X-One: 1", "-H", "/assets/* X-Assets: yes"),
    "cors": (*MAIN, "--cors", "*"),
    "cors origin": (*MAIN, "--cors", "https://a.example"),
    "cache": (*MAIN, "--cache-control", "public, max-age=60"),
    "immutable": (*MAIN, "--cache-control", "max-age=60, immutable"),
    "mounts": (*MAIN, "--static", "/docs=SITE/docs"),
    "rules": ("--static", "SITE/rules"),
}


def words_of(setup: str, site: object) -> list[str]:
    """Return the words of a setup for folders that are there."""
    return [word.replace("SITE", str(site)) for word in SETUPS[setup]]
