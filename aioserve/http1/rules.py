"""What a server must refuse in a request whose grammar is right: one function a clause.

Each function takes what the parser found, raises an `HttpProcessingError` with the status that the clause
asks for, and otherwise fills in what follows from the fields. Where the RFCs leave a choice between
repairing and refusing, these rules refuse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aioserve.errors import (
    BadStatusLine,
    HttpMethodNotAllowed,
    HttpProcessingError,
    InvalidHeader,
    PayloadTooLarge,
    TransferEncodingError,
)
from aioserve.http1.grammar import HOST, TOKEN, TOKENS

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage

# The methods registered with IANA; RFC 9110 §9.1: another one is answered by 501. Two are not served unless
# a handler asks for them: CONNECT, since a handler that says 200 to everything would promise a tunnel, and
# TRACE, since what it sends back may be secret (RFC 9110 §9.3.6 and §9.3.8).
REGISTERED_METHODS = {
    name.encode(): name
    for name in (
        *("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY"),
        *("ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE"),
        *("MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH"),
        *("PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK"),
        *("UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL"),
    )
}

_RULED = re.compile(
    rb"\n(host|connection|transfer-encoding|content-length|expect|content-encoding):[\t ]*+([^\r]*+)"
)
USUAL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # where nobody says which

# Fields with one value: whoever reads the first of two and whoever reads the last do not agree. Cookie is not
# among them: gateways that translate from HTTP/2 send it in pieces.
_SINGLETON = re.compile(
    rb"\n(authorization|content-(?:location|range|type)|date|from|if-(?:modified-since|range|unmodified-since)"
    rb"|max-forwards|origin|proxy-authorization|range|referer|user-agent):"
)
_LONGEST_LENGTH = 19  # digits; more than 2**63 bytes are no body


def judge_method(method: bytes, target: bytes, known: dict[bytes, str]) -> str:
    """Return the name of a method that is known (RFC 9110 §9.1: 501 for another one, methods have a case)."""
    if method == b"CONNECT":
        _judge_tunnel(target)
    name = known.get(method)
    if name is None:
        raise HttpProcessingError(501, "The method is not known here.")
    return name


def _judge_tunnel(target: bytes) -> None:
    """Ask for a host and a port, neither left out (RFC 9110 §9.3.6), whether tunnels are served or not."""
    if target.endswith(b":") or b":" not in target.rpartition(b"]")[2] or not HOST.fullmatch(target):
        raise BadStatusLine("The target of CONNECT is not host:port.")


def must_be_allowed(method: str, allowed: tuple[str, ...]) -> None:
    """Refuse a known method that this server does not want (RFC 9110 §15.5.6)."""
    if method not in allowed:
        raise HttpMethodNotAllowed(allowed)


def judge_target(method: str, target: str, scheme: str) -> None:
    """Let by the four forms of a target, each only with the methods that it belongs to (RFC 9112 §3.2)."""
    if target.startswith("/") or method == "CONNECT":  # that of CONNECT has been judged with the method
        return
    if target == "*":
        if method != "OPTIONS":
            raise BadStatusLine("The target '*' belongs to OPTIONS.")
    else:
        _judge_absolute_target(target, scheme)


def _judge_absolute_target(target: str, scheme: str) -> None:
    """RFC 9112 §3.2.2, with the http URI's own rules of RFC 9110 §4.2."""
    try:
        parts = urlsplit(target)
    except ValueError:
        raise BadStatusLine("The target is not a URI.") from None
    if parts.scheme not in ("http", "https") or not target[len(parts.scheme) :].startswith("://"):
        raise BadStatusLine("The target is neither a path nor an http URI.")
    if not HOST.fullmatch(parts.netloc.encode()):
        raise BadStatusLine("The target's authority is not a host and a port.")
    if parts.scheme != scheme:  # RFC 9110 §7.4: this connection does not speak for that origin
        raise HttpProcessingError(421, f"This connection serves {scheme} only.")


def judge_host(values: list[bytes], minor: int) -> None:
    """Ask for exactly one valid Host; HTTP/1.0 may leave it out (RFC 9112 §3.2)."""
    if len(values) > 1:
        raise InvalidHeader("The Host field came more than once.")
    if values:
        if not HOST.fullmatch(values[0]):
            raise InvalidHeader("The Host field is not a host and a port.")
    elif minor:
        raise InvalidHeader("The Host field is missing.")


def judge_connection(message: RequestMessage, values: list[bytes]) -> None:
    """Read the options of Connection: close, keep-alive, upgrade (RFC 9110 §7.6.1, RFC 9112 §9.3)."""
    value = b",".join(values)
    if not TOKENS.fullmatch(value):
        raise InvalidHeader("The Connection field is not a list of tokens.")
    options = set(TOKEN.findall(value))
    if b"close" in options:
        message.should_close = True
    elif b"keep-alive" in options:
        message.should_close = False
    if b"upgrade" in options and message.version.minor:  # RFC 9110 §7.8: never from HTTP/1.0
        message.upgrade = message.field("upgrade")


def judge_transfer_encoding(message: RequestMessage, values: list[bytes], *, has_length: bool) -> None:
    """Accept ``chunked`` and nothing else, alone, and from HTTP/1.1 (RFC 9112 §6.1, §6.3)."""
    if not message.version.minor:
        raise TransferEncodingError("HTTP/1.0 has no Transfer-Encoding.")
    if has_length:
        raise TransferEncodingError("Transfer-Encoding and Content-Length came together.")
    if len(values) > 1:
        raise TransferEncodingError("The Transfer-Encoding field came more than once.")
    if values[0] != b"chunked":
        codings = _elements(values)
        is_list = all(TOKEN.fullmatch(coding) for coding in codings)
        if is_list and b"chunked" not in codings[:-1]:
            raise HttpProcessingError(501, "The only transfer coding understood here is chunked.")
        raise TransferEncodingError("The Transfer-Encoding field is not one chunked.")
    message.chunked = True


def judge_content_length(message: RequestMessage, values: list[bytes], limit: int) -> None:
    """Accept one decimal number that is within the limit (RFC 9110 §8.6, RFC 9112 §6.3).

    Equal repeats may be merged by the RFC; they are refused, as every other repeat.
    """
    if len(values) > 1:
        raise InvalidHeader("The Content-Length field came more than once.")
    if not values[0].isdigit():
        raise InvalidHeader("The Content-Length field is not a number.")
    if len(values[0]) > _LONGEST_LENGTH:
        if limit:
            raise PayloadTooLarge(limit)
        raise InvalidHeader("The Content-Length field is out of all bounds.")
    length = int(values[0])
    if limit and length > limit:
        raise PayloadTooLarge(limit)
    message.content_length = length


def judge_expect(message: RequestMessage, values: list[bytes]) -> None:
    """Understand ``100-continue``; HTTP/1.0 cannot expect anything (RFC 9110 §10.1.1)."""
    if not message.version.minor:
        return
    expected = [value for value in _elements(values) if value]  # RFC 9110 §5.6.1: empty elements are ignored
    if any(value != b"100-continue" for value in expected):
        raise HttpProcessingError(417, "The only expectation understood here is 100-continue.")
    message.expects_continue = bool(expected) and (message.chunked or bool(message.content_length))


def judge_content_encoding(message: RequestMessage, values: list[bytes]) -> None:
    """Name the coding of the body; whether it is understood is for whoever reads the body (RFC 9110 §8.4)."""
    coding = b", ".join(values).decode("latin-1").removeprefix("x-")  # RFC 9110 §8.4.1: x-gzip is gzip
    message.compression = None if coding in ("", "identity") else coding


def judge_singletons(lowered: bytes) -> None:
    """Refuse a second value where a field has one (RFC 9110 §5.3); framing fields have rules of their own."""
    names = _SINGLETON.findall(lowered)
    if len(names) > 1 and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidHeader(f"The {twice.decode().title()} field came more than once.")


def judge_fields(message: RequestMessage, lowered: bytes, body_limit: int) -> None:
    """Apply every rule that looks at header fields, framing before the rest.

    Args:
        message: filled in with what follows from its fields.
        lowered: its header section in lower case behind one LF.
        body_limit: the most bytes of content; 0 for no limit.
    """
    minor = message.version.minor
    message.should_close = not minor
    judge_singletons(lowered)
    found = _RULED.findall(lowered)  # one pass: a search for each name cost more than all of this
    if len(found) == 1 and found[0][0] == b"host":
        judge_host([found[0][1].rstrip(b"\t ")], minor)
        return
    fields: dict[bytes, list[bytes]] = {}
    for name, value in found:
        fields.setdefault(name, []).append(value.rstrip(b"\t "))
    judge_host(fields.get(b"host", []), minor)
    if values := fields.get(b"connection"):
        judge_connection(message, values)
    if values := fields.get(b"transfer-encoding"):
        judge_transfer_encoding(message, values, has_length=b"content-length" in fields)
    elif values := fields.get(b"content-length"):
        judge_content_length(message, values, body_limit)
    if values := fields.get(b"expect"):
        judge_expect(message, values)
    if values := fields.get(b"content-encoding"):
        judge_content_encoding(message, values)


def _elements(values: list[bytes]) -> list[bytes]:
    """Take a field's list apart (RFC 9110 §5.6.1); empty elements are kept."""
    return [element.strip(b"\t ") for value in values for element in value.split(b",")]
