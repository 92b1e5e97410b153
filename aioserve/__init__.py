"""aioserve: a command-line HTTP server, and the handler class that it runs.

The public names are loaded when they are first asked for, so that ``aioserve --help`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aioserve import multidict, server
    from aioserve.awaitables import coroutine
    from aioserve.errors import (
        AioserveError,
        BadHttpMessage,
        BadStatusLine,
        ClientDisconnectedError,
        ContentEncodingError,
        HttpBadRequest,
        HttpErrorException,
        HttpException,
        HttpMethodNotAllowed,
        HttpProcessingError,
        InvalidHeader,
        LineTooLong,
        PayloadTooLarge,
        RequestTimeout,
        TooManyFields,
        TransferEncodingError,
    )
    from aioserve.http.messages import HttpVersion, HttpVersion10, HttpVersion11, RequestMessage
    from aioserve.payload import Payload
    from aioserve.response import Response
    from aioserve.server import ServerHttpProtocol

__version__ = "0.1.0"

__all__ = [
    "AioserveError",
    "BadHttpMessage",
    "BadStatusLine",
    "ClientDisconnectedError",
    "ContentEncodingError",
    "HttpBadRequest",
    "HttpErrorException",
    "HttpException",
    "HttpMethodNotAllowed",
    "HttpProcessingError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "InvalidHeader",
    "LineTooLong",
    "Payload",
    "PayloadTooLarge",
    "RequestMessage",
    "RequestTimeout",
    "Response",
    "ServerHttpProtocol",
    "TooManyFields",
    "TransferEncodingError",
    "__version__",
    "coroutine",
    "multidict",
    "server",
]

_MODULES = {
    "HttpVersion": "http.messages",
    "HttpVersion10": "http.messages",
    "HttpVersion11": "http.messages",
    "Payload": "payload",
    "RequestMessage": "http.messages",
    "Response": "response",
    "ServerHttpProtocol": "server",
    "coroutine": "awaitables",
}


def __getattr__(name: str) -> Any:
    if name in ("multidict", "server"):
        return import_module(f"aioserve.{name}")
    if name in __all__:
        return getattr(import_module(f"aioserve.{_MODULES.get(name, 'errors')}"), name)
    raise AttributeError(f"module 'aioserve' has no attribute {name!r}")
