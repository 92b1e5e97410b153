"""Real proxies in tests: where they are, and how one waits for them."""

from __future__ import annotations

import secrets
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.system.program import PATIENCE

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
HAPROXY = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
CADDY = shutil.which("caddy")
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
CLIENT = "127.0.0.2"  # the proxies are 127.0.0.1

NGINX_HEAD = "daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {}\n"
NGINX_FILES = """\
access_log off;
client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi; scgi_temp_path scgi;
"""

needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")
needs_stream = pytest.mark.skipif(
    not NGINX or not STREAM.exists(), reason="nginx, or its module for streams, is not installed"
)
needs_haproxy = pytest.mark.skipif(not HAPROXY, reason="haproxy is not installed")
needs_caddy = pytest.mark.skipif(not CADDY, reason="caddy is not installed")


def free_port():
    """Return a port that nobody has, and that the system gives to nobody who takes any."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)  # Linux gives from 32,768 on
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(port, program):
    """Wait until somebody listens there."""
    while program.is_running:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            program.ends_within(0.02)
        else:
            return
    raise AssertionError(program.stderr.text)
