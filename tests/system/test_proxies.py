"""The command behind real proxies: nginx and haproxy."""

from __future__ import annotations

import json
import re
import signal
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.system.program import APPS, PATIENCE
from tests.system.proxying import (
    CLIENT,
    HAPROXY,
    NGINX,
    NGINX_FILES,
    NGINX_HEAD,
    STREAM,
    free_port,
    needs_haproxy,
    needs_nginx,
    needs_stream,
    wait_for,
)

NGINX_HTTP = """\
http {
  FILES
  upstream ours { server 127.0.0.1:OURS; keepalive 4; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection "";
      FIELDS
    }
  }
}
"""
X_FORWARDED = """\
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto https;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port 8443;
"""
FORWARDED = 'proxy_set_header Forwarded "$http_forwarded, for=$remote_addr;proto=https;host=$host";'
NGINX_STREAM = """\
stream { server { listen 127.0.0.1:PORT; proxy_pass 127.0.0.1:OURS; proxy_protocol on; } }
"""
HAPROXY_TCP = """\
defaults
  mode MODE
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen ours
  bind 127.0.0.1:PORT
  OPTION
  server ours 127.0.0.1:OURS SEND
"""


@pytest.fixture
def behind_nginx(start, tmp_path):
    """Start nginx before a server of ours; return its port."""

    def behind(server, text, head=""):
        port = free_port()
        text = f"{head}{NGINX_HEAD}{text}".replace("FILES", NGINX_FILES)
        text = text.replace("PORT", str(port)).replace("OURS", str(server.port))
        Path(tmp_path, "nginx.conf").write_text(text, encoding="ascii")
        wait_for(port, start(NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf"))
        return port

    return behind


@pytest.fixture
def behind_haproxy(start, tmp_path):
    """Start haproxy before a server of ours; return its port."""

    def behind(server, *, mode="tcp", option="", send=""):
        port = free_port()
        words = {"PORT": port, "OURS": server.port, "MODE": mode, "OPTION": option, "SEND": send}
        text = HAPROXY_TCP
        for name, value in words.items():
            text = text.replace(name, str(value))
        Path(tmp_path, "haproxy.cfg").write_text(text, encoding="ascii")
        wait_for(port, start(HAPROXY, "-db", "-f", tmp_path / "haproxy.cfg"))
        return port

    return behind


def ask(port, fields=(), times=2):
    """Ask twice over one connection, the second time with a body; return what the application knows."""
    seen = []
    with closing(HTTPConnection("127.0.0.1", port, PATIENCE, source_address=(CLIENT, 0))) as client:
        for number in range(times):
            body = b"x" * 100_000 if number else None
            client.request("POST" if body else "GET", "/a?b", body, {"Host": "a.example", **dict(fields)})
            answer = client.getresponse()
            assert answer.status == 200
            seen.append(json.loads(answer.read()))
        assert [each.pop("length") for each in seen] == [0, 100_000][:times]
        assert seen[1:] == seen[:-1]
        return seen[0], client.sock.getsockname()[1] if client.sock else None


def read_to_the_end(client):
    """Ask, and read what is said; an end by a reset is one."""
    try:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.recv(100)
    except ConnectionError:
        return b""


def logged(server, host):
    """Wait for the line of a client's last request; return the clients of all lines."""
    server.stdout.wait_for(rf"(?m)^{re.escape(host)} - - .*POST")
    return {line.partition(" ")[0] for line in server.stdout.text.splitlines()}


@needs_nginx
def test_nginx_tells_by_x_forwarded_fields(serve, behind_nginx):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "x-forwarded")
    port = behind_nginx(server, NGINX_HTTP.replace("FIELDS", X_FORWARDED))

    seen, _ = ask(port, {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "ftp"})

    assert seen == {"peer": [CLIENT, 0], "url": "https://a.example:8443/a?b"}
    assert logged(server, CLIENT) == {CLIENT}


@needs_nginx
def test_nginx_tells_by_forwarded(serve, behind_nginx):
    server = serve(
        APPS / "origin.py:Handler", "--proxy-headers", "forwarded", "--trusted-proxies", "127.0.0.1"
    )
    port = behind_nginx(server, NGINX_HTTP.replace("FIELDS", FORWARDED))

    seen, _ = ask(port, {"Forwarded": 'for=198.51.100.1;x="'})

    assert seen == {"peer": [CLIENT, 0], "url": "https://a.example/a?b"}
    assert logged(server, CLIENT) == {CLIENT}


@needs_nginx
def test_nginx_is_not_believed_where_it_is_not_trusted(serve, behind_nginx):
    trusted = ["--trusted-proxies", "10.0.0.0/8,unix", "--trusted-proxies", "::1"]
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "x-forwarded", *trusted)
    port = behind_nginx(server, NGINX_HTTP.replace("FIELDS", X_FORWARDED + "proxy_set_header Host $host;"))

    [host, _], url = ask(port, times=1)[0].values()

    assert (host, url) == ("127.0.0.1", "http://a.example/a?b")


@needs_stream
def test_nginx_speaks_the_proxy_protocol(serve, behind_nginx):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "proxy-protocol")
    port = behind_nginx(server, NGINX_STREAM, f"load_module {STREAM};\n")

    seen, own_port = ask(port)

    assert seen == {"peer": [CLIENT, own_port], "url": "http://a.example/a?b"}
    assert logged(server, CLIENT) == {CLIENT}


@needs_haproxy
@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id"])
@pytest.mark.parametrize("mode", ["tcp", "http"])
def test_haproxy_speaks_both_versions(serve, behind_haproxy, mode, send):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "proxy-protocol")
    option = "unique-id-format %pid" if mode == "http" else ""
    port = behind_haproxy(server, mode=mode, option=option, send=send)

    seen, own_port = ask(port)

    assert seen == {"peer": [CLIENT, own_port], "url": "http://a.example/a?b"}
    assert logged(server, CLIENT) == {CLIENT}


@needs_haproxy
def test_haproxy_tells_by_x_forwarded_for(serve, behind_haproxy):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "x-forwarded")
    port = behind_haproxy(server, mode="http", option="option forwardfor")

    seen, _ = ask(port, {"X-Forwarded-For": "198.51.100.1"})

    assert seen == {"peer": [CLIENT, 0], "url": "http://a.example/a?b"}


def test_who_sends_no_proxy_header_gets_nothing_and_the_log_says_why(serve):
    server = serve(
        APPS / "origin.py:Handler", "--proxy-headers", "proxy-protocol", "--trusted-proxies", "127.0.0.1"
    )

    for source, reason in (("127.0.0.1", "there is no PROXY header"), (CLIENT, "it is no trusted proxy")):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE, (source, 0)) as client:
            assert read_to_the_end(client) == b""
        server.stderr.wait_for(rf"WARNING {re.escape(source)}: closed: {reason}\n")
    assert server.stdout.text == ""


def ask_as_a_proxy(client):
    """Ask for somebody else, and read until the connection ends."""
    client.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.99 40000 443\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n")
    with client.makefile("rb") as stream:
        answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"192.0.2.7" in answer


def test_connection_whose_header_comes_after_a_reload_is_served_once_more(serve):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "proxy-protocol")

    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as another:
            ask_as_a_proxy(another)  # so that the one before has been accepted
        server.send(signal.SIGHUP)
        server.stderr.wait_for("INFO reloaded")
        ask_as_a_proxy(client)

    server.stop_cleanly()


def test_stopping_does_not_wait_for_a_header(serve):
    server = serve(APPS / "origin.py:Handler", "--proxy-headers", "proxy-protocol")

    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"PROXY ")
        server.stop_cleanly()


def test_a_network_that_is_none_is_named(start, command):
    program = start("aioserve", "--static", ".", "--trusted-proxies", "::1,10.0.0.1/8", env=command)

    assert program.wait() == 2
    assert "--trusted-proxies: '10.0.0.1/8' has bits behind its prefix" in program.stderr.text
