"""The options about addresses and TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aioserve.kinds import PATH, PORT, TEXT
from aioserve.options import option


@dataclass(frozen=True, slots=True)
class Bind:
    """Where the server listens."""

    title: ClassVar[str] = "Address"

    host: str = option("--host", TEXT, "127.0.0.1", "Name or address to listen on.")
    port: int | str = option("-p --port", PORT, 8080, "Port number or service name; 0 takes any free port.")


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
