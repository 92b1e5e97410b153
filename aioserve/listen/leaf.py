"""What a certificate says about itself: its names, and its end.

This file decides how that is found out: by a handshake in memory with the context that will serve. Python
decodes the certificate that a client was shown and trusts, and no other: there is no public function for a
file, ``get_ca_certs`` leaves out all that is no authority's, and a package for X.509 is a lot for two fields.
The handshake shows besides that certificate and key do their work. It takes a millisecond or two.
"""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for: an old certificate is read as well.
_AT_ANY_TIME = 0x200000


class Leaf(NamedTuple):
    """A certificate, without the chain behind it.

    Attributes:
        der: its bytes.
        names: the DNS names of its subjectAltName, in lower case; those of the subject no longer count
            (RFC 9525 §2).
        ends: its notAfter in seconds since the epoch; None where it cannot be told.
        complaint: why no client will have it, whoever signed it; empty where there is nothing to complain of.
    """

    der: bytes
    names: tuple[str, ...] = ()
    ends: float | None = None
    complaint: str = ""


def read_leaf(server: ssl.SSLContext) -> Leaf:
    """Read the certificate that a context shows.

    Args:
        server: has a certificate, and no connections yet.

    Raises:
        ssl.SSLError: nobody could shake hands with it.
    """
    mode, server.verify_mode = server.verify_mode, ssl.CERT_NONE  # this client has no certificate
    try:
        client = _make_client()
        client.verify_mode = ssl.CERT_NONE
        der = _shake_hands(server, client).getpeercert(binary_form=True) or b""
        client = _make_client()
        client.load_verify_locations(cadata=der)
        client.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _AT_ANY_TIME)
        try:
            found: dict[str, Any] = _shake_hands(server, client).getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            return Leaf(der, complaint=error.verify_message)
    finally:
        server.verify_mode = mode
    return Leaf(
        der,
        tuple(name.lower() for kind, name in found.get("subjectAltName", ()) if kind == "DNS"),
        ssl.cert_time_to_seconds(found["notAfter"]),
    )


def _make_client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.set_ciphers("ALL:@SECLEVEL=0")  # what may be spoken is not for this client to judge
    return context


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let the two hear each other through memory, and return the client's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    waiting = [asking, server.wrap_bio(to_server, to_client, server_side=True)]
    while waiting:  # each turn moves one of them on, or ends in an error
        for each in tuple(waiting):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(each)
    return asking
