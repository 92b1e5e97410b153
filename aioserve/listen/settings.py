"""The options about addresses and TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aioserve.kinds import BOOLEAN, COUNT, PATH, PORT, TEXT
from aioserve.listen.addresses import ADDRESS
from aioserve.options import option, repeatable
from aioserve.values import value

if TYPE_CHECKING:
    from aioserve.listen.addresses import Address

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080


@value
class Bind:
    """Where the server listens.

    Host and port are None where neither was given: then sockets of systemd count, where it has handed over
    any, before the defaults.
    """

    title: ClassVar[str] = "Address"

    host: str | None = option(
        "--host", TEXT, None, "Name or address to listen on.", default_text=DEFAULT_HOST
    )
    port: int | str | None = option(
        "-p --port",
        PORT,
        None,
        "Port number or service name; 0 takes any free port.",
        default_text=str(DEFAULT_PORT),
    )
    addresses: tuple[Address, ...] = repeatable(
        "-b --bind",
        ADDRESS,
        (),
        "Listen on this address, in place of `--host` and `--port`: `HOST:PORT`, `[IPV6]:PORT`, `:PORT` for "
        "every address of the machine, `unix:PATH` or `unix:PATH?mode=660` for a unix socket, `fd://N` for a "
        "socket that the process inherits, `systemd` or `systemd:NAME` for sockets that systemd hands over.",
        default_text="sockets that systemd hands over, or else --host and --port",
        excludes=("host", "port"),
    )
    backlog: int = option(
        "--backlog",
        COUNT,
        2048,
        "Most connections that wait to be accepted; the system may allow fewer.",
    )
    reuse_port: bool = option(
        "--reuse-port",
        BOOLEAN,
        False,
        "Let other processes of this user that do the same listen on the same port, each for a share of the "
        "connections.",
    )


@value
class Tls:
    """With which certificates TLS is spoken, and with whom."""

    title: ClassVar[str] = "TLS"

    certfiles: tuple[str, ...] = repeatable(
        "--ssl-certfile",
        PATH,
        (),
        "Serve HTTPS with the certificate, or chain of certificates, in this PEM file, which is read again "
        "when it changes. Of several the one whose names have the one that a client asks for, or else the "
        "first.",
    )
    keyfiles: tuple[str, ...] = repeatable(
        "--ssl-keyfile",
        PATH,
        (),
        "PEM file with the private key of the certificate; of several one for each, in the same order.",
        default_text="in the file of the certificate",
    )
    password_file: str | None = option(
        "--ssl-keyfile-password-file",
        PATH,
        None,
        "File whose first line is the password of the private keys that are encrypted.",
    )
    client_ca: str | None = option(
        "--ssl-client-ca",
        PATH,
        None,
        "Let in only clients with a certificate that an authority in this PEM file has signed.",
    )
    ciphers: str = option(
        "--ssl-ciphers",
        TEXT,
        "ECDHE+AESGCM:ECDHE+CHACHA20",
        "Ciphers for TLS 1.2, as a list of OpenSSL; those of TLS 1.3 are all good.",
    )
    self_signed: bool = option(
        "--ssl-self-signed",
        BOOLEAN,
        False,
        "Serve HTTPS with a new certificate for localhost and this machine, which nobody trusts; for "
        "development.",
    )

    @property
    def is_spoken(self) -> bool:
        """Whether there is a certificate to speak it with."""
        return bool(self.certfiles) or self.self_signed
