"""What the fuzzed server answers: one way of answering, or of failing to, for each first letter of a path.

This file decides what handlers may do wrong. A mistake for which the API promises an exception goes on as
`Deliberate`; any other exception that reaches the log is the server's own, and a finding.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, INP001 - scripts, with the tests' freedom from annotations

from __future__ import annotations

import asyncio

from aioserve import HttpProcessingError, Response, ServerHttpProtocol

LONGEST_WAIT = 8  # turns of the loop


class Deliberate(Exception):  # noqa: N818 - not an error of anything
    """What a handler is expected to fail with."""


class DeliberateHttpError(Deliberate, HttpProcessingError):
    """An error of HTTP that is a handler's own; one of the body is the client's, and none of the server."""


class FuzzedHandler(ServerHttpProtocol):
    """Answers each request as the first letter of its path says; the query has the details.

    Attributes:
        seen: the heads of the requests that came this far.
        has_failed: something was raised; the connection may end then although the answer did not say so.
    """

    def __init__(self, **options):
        """Take the server's options."""
        super().__init__(**options)
        self.seen = []
        self.has_failed = False

    def log_exception(self, *args, **kwargs):
        """Remember that there was one."""
        self.has_failed = True
        super().log_exception(*args, **kwargs)

    def handle_request(self, message, payload):
        """Look up how to answer."""
        self.seen.append(message)
        return WAYS.get(message.raw_path[1:2], reads)(self, message, payload)


def number(message, name, default):
    """Return a number of the query, or the default."""
    text = message.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


def text(message, name, default=""):
    """Return a text of the query, with all that a percent sign can bring."""
    return message.query.get(name, default)


async def reads(handler, _message, payload):
    """Read the body and send it back."""
    handler.writer.write_response(200, await payload.read())


def is_quick(handler, _message, _payload):
    """Answer at once, whatever the body is."""
    handler.writer.write_response(200, "quick")


async def echoes(handler, _message, payload):
    """Send each part of the body back as it comes."""
    response = Response(handler.writer, 200)
    response.send_headers()
    async for piece in payload.iter_any():
        await response.write(piece)
    await response.write_eof()


async def reads_lines(handler, message, payload):
    """Read the body line by line, and only so many."""
    lines = []
    async for line in payload:
        lines.append(line)
        if len(lines) > number(message, "n", 3):
            break
    handler.writer.write_response(200, b"".join(lines))


async def reads_some(handler, message, payload):
    """Read so many bytes of the body."""
    handler.writer.write_response(200, await payload.read(number(message, "n", 3)))


async def reads_exactly(handler, message, payload):
    """Read so many bytes of the body and no fewer."""
    try:
        handler.writer.write_response(200, await payload.readexactly(number(message, "n", 3)))
    except asyncio.IncompleteReadError as error:
        raise Deliberate from error


async def reads_form(handler, _message, payload):
    """Read the body as a form, and the files in it."""
    form = await payload.form(max_fields=8)
    for value in form.values():
        if not isinstance(value, str):
            value.file.read()
    handler.writer.write_response(200, repr(list(form)).encode("utf-8", "replace"))


async def reads_json(handler, _message, payload):
    """Read the body as JSON."""
    handler.writer.write_response(200, repr(await payload.json()).encode("utf-8", "replace"))


async def reads_text(handler, _message, payload):
    """Read the body as text, in the encoding that the client names."""
    handler.writer.write_response(200, (await payload.text()).encode("utf-8", "replace"))


def raises(_handler, _message, _payload):
    """Fail before the answer."""
    raise Deliberate


async def raises_late(handler, message, _payload):
    """Fail within the answer."""
    response = Response(handler.writer, 200)
    response.add_header("Content-Length", "5") if text(message, "v") else None
    response.send_headers()
    response.write(b"abc")
    await asyncio.sleep(0)
    raise Deliberate


def refuses(_handler, message, _payload):
    """Answer with an error page, of any status and text."""
    raise DeliberateHttpError(number(message, "s", 418), text(message, "v", "no"), {"X-Why": "fuzz"})


def is_short(handler, _message, _payload):
    """Write fewer bytes than announced."""
    response = Response(handler.writer, 200)
    response.add_header("Content-Length", "10")
    response.send_headers()
    response.write(b"short")


def is_long(handler, _message, _payload):
    """Write more bytes than announced."""
    response = Response(handler.writer, 200)
    response.add_header("Content-Length", "5")
    response.send_headers()
    try:
        response.write(b"too long")
    except RuntimeError as error:
        raise Deliberate from error


def says_anything(handler, message, _payload):
    """Take status, reason, and a field from the query."""
    reason = text(message, "r") or None
    fields = [(text(message, "n", "X"), text(message, "v"))]
    try:
        handler.writer.write_response(number(message, "s", 200), "body", fields, reason=reason)
    except (TypeError, ValueError) as error:
        raise Deliberate from error


async def takes_steps(handler, message, _payload):
    """Build an answer with everything that a query can ask for, over some turns of the loop."""
    version = (1, 0) if text(message, "o") else (1, 1)
    try:
        response = Response(
            handler.writer, number(message, "s", 200), version, close=bool(text(message, "c"))
        )
        response.add_header(text(message, "n", "X"), text(message, "v"))
    except (TypeError, ValueError) as error:
        raise Deliberate from error
    if text(message, "k"):
        response.force_chunked()
    if text(message, "z"):
        response.add_compression_filter("gzip")
    if text(message, "f"):
        response.add_chunking_filter(number(message, "f", 3) or 1)
    try:
        response.send_headers()
        for _ in range(number(message, "w", 2) % LONGEST_WAIT):
            await asyncio.sleep(0)
            await response.write(b"part")
        response.write_eof()
    except (RuntimeError, ValueError) as error:  # longer than the length in the query, or a 101 unasked for
        raise Deliberate from error


def says_nothing(_handler, _message, _payload):
    """End without an answer, which is a handler's mistake; the server says so in an error of its own."""


def makes_and_forgets(handler, message, _payload):
    """Make an answer and do not send it."""
    try:
        Response(handler.writer, number(message, "s", 200))
    except (TypeError, ValueError) as error:
        raise Deliberate from error


async def answers_twice(handler, _message, _payload):
    """Try to answer a second time, without making an error of it."""
    handler.writer.write_response(200, "once")
    await asyncio.sleep(0)
    try:
        handler.writer.write_response(200, "twice")
    except RuntimeError:
        return
    raise AssertionError("two answers were let by")


def answers_later(handler, _message, _payload):
    """Keep the writer, and try to use it when the request is over."""
    writer = handler.writer
    writer.write_response(200, "now")

    def write_late():
        for write in (writer.write_response, lambda: writer.write(b"late")):
            try:
                write()
            except RuntimeError:
                continue
            raise AssertionError("a request that is over could be answered")

    asyncio.get_running_loop().call_soon(write_late)


async def waits(handler, message, _payload):
    """Wait for some turns of the loop, or until the client has gone."""
    if text(message, "v"):
        await handler.wait_disconnected()
    for _ in range(number(message, "w", 3) % LONGEST_WAIT):
        await asyncio.sleep(0)
    handler.writer.write_response(200, "waited")


def ends_connection(handler, message, _payload):
    """Ask for the connection's end in one of three ways."""
    match number(message, "n", 0) % 3:
        case 0:
            handler.keep_alive(False)
        case 1:
            handler.closing(1)
        case 2:
            handler.writer.write_response(200, "bye", {"Connection": "close"})
            return
    handler.writer.write_response(200, "bye")


def upgrades(handler, message, _payload):
    """Switch protocols, take the connection over, and end it."""
    response = Response(handler.writer, 101)
    response.add_header("Upgrade", text(message, "v") or (message.upgrade or "none"))
    try:
        response.send_headers()
    except ValueError as error:
        raise Deliberate from error
    transport, rest = handler.detach()
    transport.write(b"other protocol" + rest)
    transport.close()


WAYS = {
    "a": reads,
    "b": says_anything,
    "c": ends_connection,
    "d": answers_later,
    "e": echoes,
    "f": reads_form,
    "g": makes_and_forgets,
    "h": refuses,
    "i": says_nothing,
    "j": reads_json,
    "l": is_long,
    "m": raises_late,
    "n": reads_lines,
    "p": reads_some,
    "q": is_quick,
    "r": raises,
    "s": is_short,
    "t": takes_steps,
    "u": upgrades,
    "w": waits,
    "x": reads_exactly,
    "y": reads_text,
    "2": answers_twice,
}
