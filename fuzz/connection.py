"""Fuzz a whole connection: whatever comes, and whenever, what goes out is answers and the end comes.

This file decides what must hold of a `ServerHttpProtocol` between a client that sends anything and a handler
that does anything. Run it by ``python -m fuzz.connection``, with the file of a finding to see what is wrong
with it; ``fuzz/run.py`` is what searches.

The loop is asyncio's, with a clock that stands until the input moves it; the transport is a `FakeTransport`
that, as real ones do, reports the loss of the connection in the turn after its end.
"""

# ruff: noqa: ANN001, ANN003, ANN201, ANN202, ANN204, INP001 - scripts, with the tests' freedom from annotations

from __future__ import annotations

import asyncio
import gc
import logging
import sys

import atheris

from fuzz.client import read_answers
from fuzz.pieces import CUTS, cut

with atheris.instrument_imports(include=["aioserve"]):
    import aioserve.content_coding
    import aioserve.multipart  # noqa: F401 - imported late by the server, and then not instrumented
    from aioserve.connection import Connection, Phase
    from aioserve.errors import HttpProcessingError
    from aioserve.http1.parser import RequestParser
    from aioserve.loop_parts import LoopParts
    from fuzz.handlers import Deliberate, FuzzedHandler

from tests.doubles import FakeTransport

EVENTS = 4  # bytes of the plan that are what happens between pieces
PLAN = 1 + CUTS + EVENTS
TICK = 0.25  # seconds by which the clock is moved; a quarter of the timeouts
PATIENCE = 60  # ticks in which every connection must have ended
TURNS = 12  # of the loop, in which a handler that waits for nothing has ended
INPUTS_PER_COUNT = 500  # looking at every object there is takes longer than an input
TIMES = dict.fromkeys(("keep_alive", "timeout", "body_timeout", "write_timeout", "lingering_time"), 1)
SMALL = {
    "max_line_size": 64,
    "max_field_size": 64,
    "max_headers": 256,
    "max_header_count": 8,
    "max_body_size": 256,
}
NO_ANSWER = "ended without an answer"  # what the server says of a handler that gave none
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE")


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock is moved by hand."""

    now = 0.0

    def time(self):
        """Return what it was moved to."""
        return self.now


class Wire(FakeTransport):
    """A transport that ends as real ones do, and notes what no server should do to it.

    Attributes:
        faults: what that was.
        is_over: the protocol knows of the end.
    """

    def __init__(self, faults, **extra):
        """Be open."""
        super().__init__(**extra)
        self.faults = faults
        self.is_over = False
        self._is_ended_by_peer = False

    def write(self, data):
        """Keep bytes; it is a fault to write behind one's own end."""
        if data and self.is_closing() and not self._is_ended_by_peer:
            self.faults.append(f"{data!r} was written after close()")
        super().write(data)

    def close(self):
        """Close when all has been sent."""
        if not self.is_closing():
            super().close()
            if not self.unsent:
                self._report_soon()

    def abort(self):
        """Close at once."""
        super().abort()
        self._report_soon()

    def end_by_peer(self):
        """Play a client that has gone, or a transport that closes because the protocol wants no more."""
        self._is_ended_by_peer = True
        self.close()

    def lose(self):
        """Play a connection that breaks."""
        self._is_ended_by_peer = True
        self.unsent = 0
        self.abort()

    def stall(self):
        """Play a client that does not read."""
        if not self.unsent:
            self.unsent = 1 << 20
            self.get_protocol().pause_writing()

    def drain(self):
        """Play a client that reads everything."""
        if self.unsent:
            self.unsent = 0
            if not self.is_over:
                self.get_protocol().resume_writing()
            if self.is_closing():
                self._report_soon()

    def _report_soon(self):
        asyncio.get_running_loop().call_soon(self._report)

    def _report(self):
        if not self.is_over:
            self.is_over = True
            self.get_protocol().connection_lost(None)


class Journal(logging.Handler):
    """Notes what the server logs of itself, and lines that are more than one."""

    def __init__(self):
        """Be empty."""
        super().__init__()
        self.faults = []

    def emit(self, record):
        """Look at one record."""
        line = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        is_known = isinstance(error, Deliberate) or NO_ANSWER in str(error)
        if error is not None and not is_known:
            self.faults.append(f"{line}: {error!r}")
        if not line.isprintable():
            self.faults.append(f"a line of the log is more than text: {line!r}")


LOOP = StandingLoop()
JOURNAL = Journal()
LOGGER = logging.getLogger("fuzz")
LOGGER.addHandler(JOURNAL)
LOGGER.setLevel(logging.DEBUG)
LOGGER.propagate = False
logging.getLogger("aioserve").addHandler(JOURNAL)
logging.getLogger("aioserve").setLevel(logging.INFO)
logging.getLogger("aioserve").propagate = False
PARTS = LoopParts.of(LOOP)  # held, as a server holds them: one ticker for all connections
counted = {"inputs": 0}


class Client:
    """One client of one connection, and everything that is known of both.

    Args:
        plan: bytes that choose the options of the server and what happens between the pieces.
        faults: gets what is wrong.
    """

    def __init__(self, plan, faults):
        """Connect."""
        flags, self.events = plan[0], plan[-EVENTS:]
        options = TIMES | (SMALL if flags & 1 else {}) | {"access_log": LOGGER, "logger": LOGGER}
        if flags & 2:
            options["allowed_methods"] = METHODS
        if flags & 8:
            options["cancel_on_disconnect"] = True
        if flags & 16:
            options["debug"] = True
        if flags & 32:
            options["lingering_time"] = 0
        self.handler = FuzzedHandler(**options)
        self.options = self.handler._options  # noqa: SLF001 - its limits are what is fuzzed
        self.options.known_sections.clear()  # an input must mean the same whatever came before
        self.scheme = "https" if flags & 4 else "http"
        self.wire = Wire(faults, **({"sslcontext": object()} if flags & 4 else {}))
        self.wire.set_protocol(self.handler)
        self.handler.connection_made(self.wire)
        self.delivered = []
        self.is_done = False  # it sends no more
        self.is_gone = False  # it went before its answers came
        self.is_stopping = False  # the server was told to stop, perhaps behind the head of its last answer
        self.is_impatient = False  # time has passed, and so the server may have lost its patience

    async def send(self, pieces):
        """Send what is there, as far as the server reads it."""
        for turn, piece in enumerate(pieces):
            await self.act(self.events[turn % EVENTS])
            if not self.wire.is_reading() and not self.is_done:
                await turns()
            if self.is_done or not self.wire.is_reading():
                return
            self.delivered.append(piece)
            self.handler.data_received(piece)

    async def act(self, event):
        """Let something else happen than bytes that come."""
        match event & 15:
            case 1:
                await turns(1)
            case 2:
                await turns()
            case 3:
                self.wire.stall()
            case 4:
                self.wire.drain()
            case 5 | 6:
                await self.pass_time(event >> 4)
            case 7:
                self.end()
            case 8:
                self.is_gone = self.is_done = True
                self.wire.lose()
            case 9:
                self.is_stopping = True
                self.handler.closing(event >> 4)

    async def pass_time(self, ticks):
        """Let so many ticks pass."""
        for _ in range(ticks):
            self.is_impatient = True
            LOOP.now += TICK
            await turns(2)

    def end(self):
        """Send no more."""
        if self.is_done or self.wire.is_closing():
            return
        self.is_done = True
        if not self.handler.eof_received():
            # Only these give up what they owe; other connections have answered everything by then.
            self.is_gone = self.scheme == "https" or self.options.cancel_on_disconnect
            self.wire.end_by_peer()

    async def finish(self):
        """Go on to the end, which must come."""
        await turns()
        self.end()
        for _ in range(PATIENCE):
            if self.wire.is_over:
                break
            self.wire.drain()
            await self.pass_time(1)
        await turns()
        if not self.wire.is_over:
            raise AssertionError(f"{self.handler} has not ended")


async def turns(number=TURNS):
    """Let the loop go on."""
    for _ in range(number):
        await asyncio.sleep(0)


def read_requests(client):
    """Return the heads of the requests, how many came whole, and whether what is behind them is none."""
    options = client.options
    parser = RequestParser(options.limits, client.scheme, options.known_methods)
    parser.receive_data(b"".join(client.delivered))
    messages, whole = [], 0
    try:
        while (message := parser.next_request()) is not None:
            messages.append(message)
            while parser.read_body():
                pass
            if not parser.body_is_complete:
                break
            whole += 1
            if message.should_close:
                break
    except HttpProcessingError:
        return messages, whole, True
    return messages, whole, False


def judge(client):
    """Fail if what was written is not what a client may expect."""
    messages, whole, has_refusal = read_requests(client)
    answers = read_answers(client.wire.sent, messages)
    numbers = f"{answers} to {messages}, {whole} of them whole: {client.wire.sent!r}"
    if len(answers) > len(messages) + (has_refusal or client.is_impatient):
        raise AssertionError(f"too many answers: {numbers}")
    if len(answers) > len(messages) and answers[-1].status < 400:
        raise AssertionError(f"what is no request was granted: {numbers}")
    if len(client.handler.seen) > len(messages):
        raise AssertionError(f"the handler saw {client.handler.seen}: {numbers}")
    is_last = bool(answers) and not answers[-1].persists
    is_free = is_last or client.is_stopping or client.is_gone
    is_free |= client.wire.is_aborted or client.handler.has_failed
    if len(answers) < whole + has_refusal and not is_free:
        raise AssertionError(f"too few answers: {numbers}")


def must_not_grow(client):
    """Fail where something outlives its connection."""
    if PARTS.ticker.connections:
        raise AssertionError(f"{PARTS.ticker.connections} are still looked at")
    phase = client.handler._connection.phase  # noqa: SLF001 - a handler has its repr only
    if phase not in (Phase.LOST, Phase.DETACHED):
        raise AssertionError(f"{phase} is no end")


def must_be_forgotten():
    """Fail where objects of inputs that are over are still there; looked at now and then."""
    counted["inputs"] += 1
    if counted["inputs"] % INPUTS_PER_COUNT:
        return
    gc.collect()
    alive = [each for each in gc.get_objects() if type(each) in (Connection, FuzzedHandler)]
    if alive:
        raise AssertionError(f"one of the last {INPUTS_PER_COUNT} inputs left behind: {alive}")


async def play(plan, stream):
    """Play one input from the connection's beginning to its end."""
    faults = JOURNAL.faults = []
    PARTS.ticker.connections.clear()  # of an input that failed, when a finding is made smaller
    before = asyncio.all_tasks()
    client = Client(plan, faults)
    await client.send(cut(stream, plan[1 : 1 + CUTS]))
    await client.finish()
    tasks = asyncio.all_tasks() - before
    if tasks:
        raise AssertionError(f"{tasks} are still there")
    judge(client)
    must_not_grow(client)
    if faults:
        raise AssertionError("\n".join(faults))


def note_fault(_loop, context):
    """Take what the loop would only log."""
    JOURNAL.faults.append(f"{context['message']}: {context.get('exception')!r}")


def test_one_input(data):
    """Play one input."""
    if len(data) >= PLAN:
        LOOP.run_until_complete(play(data[:PLAN], data[PLAN:]))
        must_be_forgotten()


LOOP.set_exception_handler(note_fault)

if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
