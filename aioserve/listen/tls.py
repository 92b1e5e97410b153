"""The certificate that the server shows, and what of TLS it speaks.

This file alone decides how certificate and key become a context, and what is said when they cannot.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.errors import TlsError

if TYPE_CHECKING:
    import ssl

    from aioserve.settings import Tls

_REASONS = {  # what OpenSSL says, in words; of an RSA key for another kind of certificate it says the second
    "KEY_VALUES_MISMATCH": "the key is not that of the certificate",
    "NO_CERTIFICATE_ASSIGNED": "the key is not that of the certificate",
    "KEY_TYPE_MISMATCH": "the key is not that of the certificate",
    "EE_KEY_TOO_SMALL": "the key is too short to be safe",
}


def make_context(tls: Tls) -> ssl.SSLContext | None:
    """Load certificate and key; None where none are given.

    TLS 1.2 is the least that is spoken, and HTTP/1.1 what is offered by ALPN (RFC 7301).

    Raises:
        TlsError: a file cannot be read, is none, or the two do not belong together.
    """
    if tls.certfile is None:
        if tls.keyfile is not None:
            raise TlsError("--ssl-keyfile: there is no --ssl-certfile that it belongs to")
        return None
    import ssl  # noqa: PLC0415 - 10 ms, and most servers stand behind somebody who speaks it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # a client's way to make the server calculate
    context.set_alpn_protocols(["http/1.1"])
    try:
        for name in filter(None, (tls.certfile, tls.keyfile)):
            Path(name).open("rb").close()  # OpenSSL does not say which of them it cannot read
        context.load_cert_chain(tls.certfile, tls.keyfile, password=_no_password)
    except ssl.SSLError as error:
        raise TlsError(f"{_names(tls)}: {_explain(error.reason, tls)}") from None
    except OSError as error:
        raise TlsError(f"{error.filename!r}: {error.strerror}") from None
    except ValueError as error:
        raise TlsError(f"{_names(tls)}: {error}") from None
    return context


def _no_password() -> str:
    """Keep OpenSSL from asking the terminal."""
    raise ValueError("the key is encrypted, and no password is known")


def _explain(reason: str | None, tls: Tls) -> str:
    """Say why OpenSSL refuses the files; where they hold something else, it has no reason to tell."""
    if reason:
        return _REASONS.get(reason, reason.replace("_", " ").lower())
    if tls.keyfile:
        return "the one holds no certificate in PEM, or the other no private key"
    return "not both a certificate and its private key are in it, in PEM; --ssl-keyfile names another file"


def _names(tls: Tls) -> str:
    return f"{tls.certfile!r} and {tls.keyfile!r}" if tls.keyfile else repr(tls.certfile)
