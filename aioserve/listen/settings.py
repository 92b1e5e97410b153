"""The options about addresses and TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from aioserve.kinds import BOOLEAN, COUNT, PATH, PORT, TEXT
from aioserve.listen.addresses import ADDRESS
from aioserve.options import option, repeatable

if TYPE_CHECKING:
    from aioserve.listen.addresses import Address

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Tls:
    """With which certificate TLS is spoken."""

    title: ClassVar[str] = "TLS"

    certfile: str | None = option(
        "--ssl-certfile",
        PATH,
        None,
        "Serve HTTPS with the certificate, or chain of certificates, in this PEM file.",
    )
    keyfile: str | None = option(
        "--ssl-keyfile",
        PATH,
        None,
        "PEM file with the private key of the certificate.",
        default_text="in the file of the certificate",
    )
