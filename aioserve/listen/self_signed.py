"""A certificate for development, signed by its own key.

This file decides what is in it, and that the program ``openssl`` makes it: Python cannot, a package would be
one more dependency for the sake of a few, and the program is nearly everywhere (Debian's ``ca-certificates``
needs it). Certificate and key lie in a folder that only its owner can enter, as long as somebody reads them.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from aioserve.errors import TlsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAYS = "30"
_PATIENCE = 30.0  # seconds
_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62})*", re.ASCII)

# A file of our own, as some systems have none. It is no authority: Firefox refuses one that is a server too.
_REQUEST = """\
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = localhost
[extensions]
subjectAltName = {names}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
"""


@contextmanager
def self_signed_file() -> Iterator[str]:
    """Have a new certificate and its key in a file, until the block is left.

    It is for localhost, 127.0.0.1, ::1 and the name of this machine, and ends after 30 days.

    Raises:
        TlsError: there is no program ``openssl``, or it cannot do it.
    """
    with _folder() as folder:
        request, key, certificate = (folder / each for each in ("request", "key.pem", "cert.pem"))
        request.write_text(_REQUEST.format(names=", ".join(_alternatives())), encoding="ascii")
        # Two steps that LibreSSL knows as well.
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
        _openssl(
            *("req", "-new", "-x509", "-sha256", "-config", str(request)),
            *("-days", _DAYS, "-key", str(key), "-out", str(certificate)),
        )
        with certificate.open("ab") as file:
            file.write(key.read_bytes())
        yield str(certificate)


@contextmanager
def _folder() -> Iterator[Path]:
    """Have a folder that only its owner can enter, and that goes with the process which made it.

    A child that is forked meanwhile leaves the block as well, and would take it away from the others.
    """
    folder, owner = Path(mkdtemp(prefix="aioserve-")), os.getpid()
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            rmtree(folder, ignore_errors=True)


def _alternatives() -> list[str]:
    host = socket.gethostname().lower()
    names = dict.fromkeys(["localhost", *([host] if _NAME.fullmatch(host) else [])])
    return [*(f"DNS:{name}" for name in names), "IP:127.0.0.1", "IP:::1"]


def _openssl(*words: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            ["openssl", *words],  # noqa: S607 - wherever the system has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise TlsError(
            "--ssl-self-signed: there is no program openssl; install the package openssl, "
            "or give a certificate by --ssl-certfile"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TlsError(f"--ssl-self-signed: openssl cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        raise TlsError(f"--ssl-self-signed: openssl has failed: {said[-1]}")
