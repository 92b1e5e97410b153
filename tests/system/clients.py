"""The clients that people use, each behind the same function: a request in, an answer out."""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import httpx

from tests.system.program import PATIENCE


class Request(NamedTuple):
    """What is asked; ``pieces`` is a body that is sent in chunks."""

    method: str
    path: str
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    body: bytes | None = None
    pieces: list[bytes] | None = None


class Answer(NamedTuple):
    """What came."""

    status: int
    headers: dict[str, str]
    body: bytes


def _answer(status, headers, body):
    return Answer(status, {name.lower(): value for name, value in headers}, body)


def ask_http_client(url, requests):
    """Ask by the standard library, all on one connection."""
    answers = []
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)) as connection:
        for request in requests:
            is_chunked = request.pieces is not None
            body = iter(request.pieces) if is_chunked else request.body
            headers = request.headers | ({"Transfer-Encoding": "chunked"} if is_chunked else {})
            connection.request(request.method, request.path, body, headers, encode_chunked=is_chunked)
            got = connection.getresponse()
            answers.append(_answer(got.status, got.getheaders(), got.read()))
    return answers


def ask_httpx(url, requests):
    """Ask by httpx, through a pool of one connection."""
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=url, limits=limits, timeout=PATIENCE, trust_env=False) as client:
        client.headers = {}  # it would ask for codings by itself
        answers = []
        for request in requests:
            content = iter(request.pieces) if request.pieces is not None else request.body
            got = client.request(request.method, request.path, headers=request.headers, content=content)
            answers.append(_answer(got.status_code, got.headers.items(), got.content))
        return answers


def ask_aiohttp(url, requests):
    """Ask by aiohttp's client, through a pool of one connection."""

    async def pieces_of(request):
        for piece in request.pieces:
            yield piece

    async def ask():
        answers = []
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            for request in requests:
                data = pieces_of(request) if request.pieces is not None else request.body
                call = session.request(request.method, url + request.path, headers=request.headers, data=data)
                async with call as got:
                    answers.append(_answer(got.status, got.headers.items(), await got.read()))
        return answers

    return asyncio.run(ask())


def ask_curl(url, requests):
    """Ask by curl, a process each."""
    answers = []
    for request in requests:
        words = ["curl", "-s", "-i", "--max-time", str(PATIENCE), url + request.path]
        words += ["--head"] if request.method == "HEAD" else ["-X", request.method]
        for name, value in request.headers.items():
            words += ["-H", f"{name}: {value}"]
        body = b"".join(request.pieces) if request.pieces is not None else request.body
        if request.pieces is not None:
            words += ["-H", "Transfer-Encoding: chunked"]
        if body is not None:
            words += ["--data-binary", "@-", "-H", "Content-Type: application/octet-stream"]
        said = subprocess.run(words, input=body, capture_output=True, timeout=PATIENCE, check=True).stdout
        while re.match(rb"HTTP/1\.1 100 ", said):
            said = said.partition(b"\r\n\r\n")[2]
        head, _, content = said.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        fields = [line.split(": ", 1) for line in lines]
        answers.append(_answer(int(status_line.split()[1]), fields, content))
    return answers


ASK = {
    "http.client": ask_http_client,
    "httpx": ask_httpx,
    "aiohttp": ask_aiohttp,
    "curl": ask_curl,
}
