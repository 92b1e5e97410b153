"""Real HTTP clients, each made to say the same."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import httpx

from tests.system.program import PATIENCE


@dataclass(frozen=True)
class Ask:
    """A request.

    Attributes:
        in_chunks: its body is sent without saying before how long it is.
        expects_continue: the client waits to be told before it sends the body, if it can.
    """

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    in_chunks: bool = False
    expects_continue: bool = False

    @property
    def pieces(self):
        """The body in two pieces."""
        middle = len(self.body) // 2
        return [self.body[:middle], self.body[middle:]]

    @property
    def fields(self):
        """The header fields, with the one that says that the client waits."""
        return {**self.headers, **({"Expect": "100-continue"} if self.expects_continue else {})}


@dataclass(frozen=True)
class Reply:
    """An answer; the names of its header fields are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask_http_client(url, asks):
    """Use the standard library's client."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)) as connection:
        for ask in asks:
            body = iter(ask.pieces) if ask.in_chunks else ask.body
            connection.request(ask.method, ask.path, body, ask.fields, encode_chunked=ask.in_chunks)
            answer = connection.getresponse()
            yield Reply(answer.status, _lower(answer.getheaders()), answer.read())


def ask_httpx(url, asks):
    """Use httpx."""
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        for ask in asks:
            content = iter(ask.pieces) if ask.in_chunks else ask.body
            answer = client.request(ask.method, url + ask.path, headers=ask.fields, content=content)
            yield Reply(answer.status_code, _lower(answer.headers.items()), answer.content)


def ask_aiohttp(url, asks):
    """Use aiohttp's client."""

    async def pieces(ask):
        for piece in ask.pieces:
            yield piece

    async def main():
        replies = []
        timeout = aiohttp.ClientTimeout(PATIENCE)
        async with aiohttp.ClientSession(url, timeout=timeout) as session:
            for ask in asks:
                async with session.request(
                    ask.method,
                    ask.path,
                    headers=ask.headers,
                    data=pieces(ask) if ask.in_chunks else ask.body,
                    expect100=ask.expects_continue,
                ) as answer:
                    replies.append(Reply(answer.status, _lower(answer.headers.items()), await answer.read()))
        return replies

    return asyncio.run(main())


def ask_curl(url, asks, folder):
    """Use curl, one process for all of the requests."""
    words = ["curl"]
    for number, ask in enumerate(asks):
        (folder / f"{number}.body").write_bytes(b"")  # curl makes none for an empty body
        words += ["--next"] if number else []
        words += ["--silent", "--show-error", "--noproxy", "*", "--max-time", str(PATIENCE), url + ask.path]
        words += ["--dump-header", f"{number}.head", "--output", f"{number}.body"]
        words += ["--head"] if ask.method == "HEAD" else ["--request", ask.method]
        for name, value in ask.fields.items():
            words += ["--header", f"{name}: {value}"]
        if ask.body is not None:
            (folder / f"{number}.upload").write_bytes(ask.body)
            words += ["--data-binary", f"@{number}.upload", "--header", "Content-Type:"]
        if ask.in_chunks:
            words += ["--header", "Transfer-Encoding: chunked"]
    subprocess.run(words, cwd=folder, check=True, timeout=PATIENCE)
    for number, ask in enumerate(asks):
        head = (folder / f"{number}.head").read_text(encoding="latin-1").rstrip().split("\n\n")[-1]
        first, *lines = head.splitlines()
        fields = _lower(line.split(": ", 1) for line in lines)
        body = b"" if ask.method == "HEAD" else (folder / f"{number}.body").read_bytes()
        yield Reply(int(first.split()[1]), fields, body)


def _lower(pairs):
    return {name.lower(): value for name, value in pairs}
