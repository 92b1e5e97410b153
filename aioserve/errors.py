"""Every exception that aioserve raises, and nothing else.

::

    AioserveError
    ├── ConfigurationError            an option or a file says something unusable     exit 2
    ├── StartupError                  the application did not import or start         exit 3
    │   ├── BindError                 an address cannot be had                        exit 4
    │   ├── TlsError                  certificate or key cannot be used               exit 5
    │   └── AttachError               there is no server to look at                   exit 1
    ├── HttpProcessingError           answered with an error page of its code
    │   ├── BadHttpMessage            400  the peer broke the protocol
    │   │   ├── BadStatusLine         400  ... in its request line
    │   │   ├── InvalidHeader         400  ... in a header field
    │   │   ├── TransferEncodingError 400  ... in the framing of its body
    │   │   └── ContentEncodingError  400  ... in the coding of its body
    │   ├── HttpMethodNotAllowed      405
    │   ├── RequestTimeout            408  the peer stopped in the middle
    │   ├── PayloadTooLarge           413
    │   ├── TooManyFields             431
    │   └── LineTooLong               414 for the request line, 431 for a header field
    └── ClientDisconnectedError       the peer has gone (also a ConnectionResetError)

Wrong use of the API by a handler raises Python's own TypeError, ValueError and RuntimeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    HeadersArgument = Mapping[str, str] | Iterable[tuple[str, str]] | None


P = TypeVar("P", bound="ConfigurationError | StartupError")


def pairs_of(headers: HeadersArgument) -> tuple[tuple[str, str], ...]:
    """Return header fields that were given as a mapping, as pairs or not at all, as pairs."""
    if headers is None:
        return ()
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)


class AioserveError(Exception):
    """The root of the hierarchy; never raised itself."""


class ConfigurationError(AioserveError):
    """An option, an environment variable or a configuration file says something unusable.

    ``others`` are what was found wrong beside it, for whoever wants to know all.
    """

    exit_code: ClassVar[int] = 2
    others: tuple[ConfigurationError | StartupError, ...] = ()


class StartupError(AioserveError):
    """The server cannot start; the text is one line for whoever started it.

    ``details`` may hold more lines, such as the traceback of the user's own module; ``others`` are what was
    found wrong beside it, for whoever wants to know all.
    """

    exit_code: ClassVar[int] = 3
    others: tuple[ConfigurationError | StartupError, ...] = ()

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class BindError(StartupError):
    """An address cannot be bound."""

    exit_code: ClassVar[int] = 4


class TlsError(StartupError):
    """A certificate or a key cannot be used."""

    exit_code: ClassVar[int] = 5


class AttachError(StartupError):
    """There is no server that could be looked at, or it wants no more of us."""

    exit_code: ClassVar[int] = 1


def first_of(problems: Sequence[P]) -> P:
    """Return the first of several problems, which has the others; of equal ones there is one."""
    first, *others = {str(each): each for each in problems}.values()
    first.others = (*others,)
    return first


class HttpProcessingError(AioserveError):
    """Raising it in a handler answers the request with an error page.

    Args:
        code: the status code of the page; the class's own where left out.
        message: one sentence for the reader of the page.
        headers: added to the answer, as a mapping or as pairs (``Location``, ``Allow``, ...).
    """

    code: int = 500
    message: str = ""

    def __init__(self, code: int | None = None, message: str = "", headers: HeadersArgument = None) -> None:
        if code is not None:
            self.code = code
        if message:
            self.message = message
        self.headers: tuple[tuple[str, str], ...] = pairs_of(headers)
        super().__init__(self.code, self.message)

    def __str__(self) -> str:
        return f"{self.code}, {self.message}" if self.message else str(self.code)


class BadHttpMessage(HttpProcessingError):  # noqa: N818 - the seed's name
    """The peer broke the protocol; ``message`` says how."""

    code = 400

    def __init__(self, message: str = "", headers: HeadersArgument = None, code: int | None = None) -> None:
        super().__init__(code, message, headers)


class BadStatusLine(BadHttpMessage):
    """The request line is not one (RFC 9112 §3)."""


class InvalidHeader(BadHttpMessage):
    """A header field is malformed, missing or doubled (RFC 9112 §5)."""


class TransferEncodingError(BadHttpMessage):
    """The framing of the body is broken (RFC 9112 §6 and §7)."""


class ContentEncodingError(BadHttpMessage):
    """The body does not decode as its Content-Encoding says (RFC 9110 §8.4)."""


class HttpMethodNotAllowed(HttpProcessingError):  # noqa: N818 - the seed's name
    """The method is not among those allowed; the answer carries ``Allow`` (RFC 9110 §15.5.6)."""

    code = 405

    def __init__(self, allowed: Iterable[str], message: str = "") -> None:
        super().__init__(None, message, (("Allow", ", ".join(allowed)),))


class RequestTimeout(HttpProcessingError):  # noqa: N818 - the status code's name
    """The peer stopped in the middle of a request (RFC 9110 §15.5.9)."""

    code = 408
    message = "The request did not arrive in time."


class PayloadTooLarge(HttpProcessingError):  # noqa: N818 - the status code's name
    """The body is over its limit (RFC 9110 §15.5.14)."""

    code = 413

    def __init__(self, limit: int) -> None:
        super().__init__(None, f"The body is larger than the limit of {limit} bytes.")
        self.limit = limit


class LineTooLong(HttpProcessingError):  # noqa: N818 - the seed's name
    """The request line (414) or the header section (431, RFC 6585 §5) is over its limit."""

    def __init__(self, what: str, limit: int, code: int = 431) -> None:
        super().__init__(code, f"{what} is longer than the limit of {limit} bytes.")
        self.limit = limit


class TooManyFields(HttpProcessingError):  # noqa: N818 - named as `LineTooLong`
    """There are more header or trailer fields than are read (RFC 6585 §5)."""

    code = 431

    def __init__(self, kind: str, limit: int) -> None:
        super().__init__(None, f"There are more {kind} fields than the limit of {limit}.")
        self.limit = limit


class ClientDisconnectedError(AioserveError, ConnectionResetError):
    """The peer has gone: reads of the body and awaited writes raise it."""


# The names of the seed's first years.
HttpException = HttpProcessingError
HttpErrorException = HttpProcessingError
HttpBadRequest = BadHttpMessage
