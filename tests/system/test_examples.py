"""Every example runs and does what it says."""

from __future__ import annotations

import socket

import pytest

from tests.system.clients import Request, ask_http_client
from tests.system.program import PATIENCE, ROOT

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


@pytest.fixture
def example(serve):
    def example(name):
        return serve(ROOT / "examples" / f"{name}:Handler")

    return example


def talk(server, said, until):
    """Send bytes and read until some others have come."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        client.sendall(said)
        heard = b""
        while until not in heard:
            data = client.recv(65_536)
            assert data, heard
            heard += data
        return heard


def test_each_has_a_test_here():
    assert EXAMPLES == ["events.py", "hello.py", "takeover.py", "upload.py"]


def test_hello(example):
    (answer,) = ask_http_client(example("hello.py").url, [Request("GET", "/")])
    assert answer.body == b"Hello, World!\n"


def test_upload(example):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n12345\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    requests = [Request("GET", "/"), Request("POST", "/", headers, body), Request("POST", "/", {}, b"x=1")]
    page, done, missing = ask_http_client(example("upload.py").url, requests)

    assert b'enctype="multipart/form-data"' in page.body
    assert done.body.endswith(b"Ada sent 5 bytes.")
    assert missing.status == 422


def test_events(example):
    heard = talk(example("events.py"), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"data: 1\n\n")

    assert b"Content-Type: text/event-stream\r\n" in heard
    assert b"data: 0\n\n" in heard


def test_takeover(example):
    server = example("takeover.py")
    head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n"
    heard = talk(server, head + b"sent with it", b"SENT WITH IT")
    (refused,) = ask_http_client(server.url, [Request("GET", "/")])

    assert heard.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert refused.status == 426
    assert refused.headers["upgrade"] == "shout"
