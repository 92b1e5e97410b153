"""Content codings: how a body is decoded as it arrives and encoded as it is written (RFC 9110 §8.4).

This file alone decides which codings there are and how much memory decoding may take: it is decoded slice by
slice, the caller says how long a slice may be, and no coding is offered whose library cannot keep to that.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from aioserve.errors import ContentEncodingError

if TYPE_CHECKING:
    from collections.abc import Callable

# What a library is given at once. They copy what they leave, so with all of a body at once the work would
# be the square of its length.
_PIECE = 16 * 1024

# The largest window that a zstd decoder must have for HTTP (RFC 9659 §3), as a power of two: 8 MiB.
_ZSTD_WINDOW_LOG = 23

# gzip members and zstd frames may follow one another. The smallest are 20 and 9 bytes long and cost 3 and
# 11 us to begin and end, so that 16 MiB of nothing could keep the processor busy for 20 s.
_MANY_PARTS = 1000

# brotli's limit is one of buffers, not of bytes: any limit up to this gives one buffer of just under 32 KiB.
_BROTLI_LIMIT = 16 * 1024


def supported_codings() -> tuple[str, ...]:
    """Return the codings that can be decoded here, for the ``Accept-Encoding`` of a 415 (RFC 9110 §15.5.16).

    ``br`` needs the package ``brotli`` (1.2, the first that can limit its output), ``zstd`` needs
    Python 3.14 or the package ``backports.zstd``.
    """
    return tuple(name for name, coding in _CODINGS.items() if coding() is not None)


def decoder_for(coding: str) -> Decoder | None:
    """Return a decoder for one content coding, or None where it is not supported.

    Args:
        coding: a single name out of ``Content-Encoding``, in any case; ``x-gzip`` is ``gzip``
            (RFC 9110 §8.4.1.3).
    """
    name = coding.lower()
    load = _CODINGS.get("gzip" if name == "x-gzip" else name)
    found = load() if load is not None else None
    return Decoder(found) if found is not None else None


class Decoder:
    """Decodes one body.

    Feed each piece of the body to `decode`; while `needs_input` is false there is more to be had from it by
    ``decode(b"", n)``. After the last piece call `finish`.
    """

    def __init__(self, coding: _Coding) -> None:
        self._coding = coding
        self._stream: _Stream | None = None  # the one that has begun and not ended
        self._parts = 0  # how many have begun
        self._input = b""
        self._at = 0  # where in `_input` the part begins that the stream has not been given

    @property
    def needs_input(self) -> bool:
        """All that the input so far decodes to has been given out."""
        return self._at == len(self._input) and (self._stream is None or self._stream.needs_input)

    def decode(self, data: bytes, max_length: int) -> bytes:
        """Return the next bytes of the decoded body, at most ``max_length``; empty only if `needs_input`.

        Args:
            data: the next piece of the body; kept until it is decoded.
            max_length: in bytes, at least one.

        Raises:
            ContentEncodingError: the body is not what its coding says.
        """
        if max_length < 1:
            raise ValueError(f"max_length must be positive, not {max_length}")
        if data:
            self._input = self._input[self._at :] + data
            self._at = 0
        output = b""
        while not output and not self.needs_input:
            output = self._step(max_length)
        return output

    def finish(self) -> None:
        """Check, once `needs_input` is true after the last piece, that the body is whole.

        Raises:
            ContentEncodingError: it ends too early; a body of no bytes does so in every coding.
        """
        if self._stream is not None or not self._parts:
            raise ContentEncodingError("The encoded body is truncated.")

    def _step(self, max_length: int) -> bytes:
        if self._stream is None:
            if self._parts == self._coding.max_parts:
                raise ContentEncodingError("The encoded body has more parts than are accepted.")
            self._parts += 1
            self._stream = self._coding.open(self._input[self._at])
        piece = b""
        if self._stream.needs_input:
            piece = self._input[self._at : self._at + _PIECE]
            self._at += len(piece)
        try:
            output = self._stream.decompress(piece, max_length)
        except self._coding.error as error:
            raise ContentEncodingError("The encoded body is corrupt.") from error
        if self._stream.eof:
            self._at -= len(self._stream.unused_data)
            self._stream = None
        return output


class Encoder:
    """Encodes one body as it is written.

    Args:
        coding: ``gzip``, or ``deflate``, which is the zlib format (RFC 9110 §8.4.1.2).
    """

    def __init__(self, coding: str) -> None:
        window_bits = {"deflate": _ZLIB, "gzip": _GZIP}.get(coding)
        if window_bits is None:
            raise ValueError(f"content coding {coding!r} is not one of 'deflate' and 'gzip'")
        self._stream = zlib.compressobj(wbits=window_bits)

    def compress(self, data: bytes) -> bytes:
        """Return the next bytes of the encoded body; often none, as the compressor gathers its input."""
        return self._stream.compress(data)

    def finish(self) -> bytes:
        """Return the last bytes of the encoded body."""
        return self._stream.flush()


# The codings, each as a stream in the manner of `lzma.LZMADecompressor`.


class _Stream(Protocol):
    """Decodes one gzip member, one zstd frame, or one whole body of the other codings."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Coding:
    open: Callable[[int], _Stream]  # is given the first byte of the stream
    error: type[Exception]
    max_parts: int  # how many streams, one after the other, may be a body


_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP = zlib.MAX_WBITS + 16


class _Inflate:
    """zlib's decompressor, which wants back the input that did not fit into the last slice."""

    def __init__(self, window_bits: int) -> None:
        self._inflate = zlib.decompressobj(window_bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        output = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self.needs_input = len(output) < max_length
        return output


class _Brotli:
    """brotli's decompressor, which keeps its input but gives more than it is asked for.

    Its ``can_accept_more_data()`` is not used: in 1.2.1 it is true while input is left. An output below
    the limit is what says that all input was decoded.
    """

    unused_data = b""  # it takes bytes behind the end for corrupt data

    def __init__(self, decompressor: Any) -> None:
        self._decompressor = decompressor
        self._left = memoryview(b"")
        self._has_more = False

    @property
    def needs_input(self) -> bool:
        return not self._left and not self._has_more

    @property
    def eof(self) -> bool:
        return self.needs_input and bool(self._decompressor.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if not self._left:
            output = self._decompressor.process(data, output_buffer_limit=_BROTLI_LIMIT)
            self._has_more = len(output) >= _BROTLI_LIMIT
            self._left = memoryview(output)
        output, self._left = self._left[:max_length], self._left[max_length:]
        return bytes(output)


def _gzip() -> _Coding:
    return _Coding(lambda _: _Inflate(_GZIP), zlib.error, _MANY_PARTS)  # RFC 1952 §2.2: "members"


def _deflate() -> _Coding:
    # RFC 9110 §8.4.1.2 means the zlib format, but warns of clients that send raw deflate. A zlib header's
    # low four bits are 8 (RFC 1950 §2.2); raw deflate begins so only with a stored block whose padding is
    # not zero, which no encoder writes.
    return _Coding(lambda first: _Inflate(_ZLIB if first & 0x0F == 8 else _RAW_DEFLATE), zlib.error, 1)


@cache
def _br() -> _Coding | None:
    brotli = _import_first("brotli")
    if brotli is None or not hasattr(brotli.Decompressor, "can_accept_more_data"):
        return None  # that method came together with the limit of output
    return _Coding(lambda _: _Brotli(brotli.Decompressor()), brotli.error, 1)


@cache
def _zstd() -> _Coding | None:
    # The package `zstandard` is not used: its incremental decoder cannot limit its output.
    zstd = _import_first("compression.zstd", "backports.zstd")
    if zstd is None:
        return None
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return _Coding(lambda _: zstd.ZstdDecompressor(options=options), zstd.ZstdError, _MANY_PARTS)


def _import_first(*names: str) -> Any | None:
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


_CODINGS: dict[str, Callable[[], _Coding | None]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
