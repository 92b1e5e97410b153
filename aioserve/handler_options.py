"""What a connection is told about how to serve: the constructor's arguments, in one shared value.

This file decides the defaults of `ServerHttpProtocol` and how they give way: what the handler's author wrote
in the constructor's call stands, everything else is the command's to say. Connections made alike share one
value, so a connection costs no memory for its options.
"""

from __future__ import annotations

import logging
from dataclasses import field, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aioserve.http1.parser import ParserLimits
from aioserve.http1.rules import REGISTERED_METHODS
from aioserve.observe.access import LoggerAccessLog
from aioserve.observe.layouts import choose_format
from aioserve.ready import ReadyAnswers
from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aioserve.http.messages import RequestMessage, Responder
    from aioserve.loop_parts import LoopParts
    from aioserve.observe.access import AccessRecord
    from aioserve.observe.counters import Counters
    from aioserve.writer import ResponseWriter

    AccessSink = Callable[[AccessRecord], object]
    Prepare = Callable[[RequestMessage, ResponseWriter], object]

server_logger = logging.getLogger("aioserve.server")
access_logger = logging.getLogger("aioserve.access")


_TIMES = {"keep_alive", "timeout", "body_timeout", "write_timeout", "handler_timeout", "lingering_time"}


@value
class HandlerOptions:
    """The options of a connection; times in seconds (0 for none), sizes in bytes (0 for no limit).

    Attributes:
        keep_alive: how long an idle connection is kept; 0 ends it after each answer.
        timeout: how long a head may take to arrive.
        body_timeout: how long a body may pause, or come more slowly than 240 bytes a second.
        write_timeout: how long a client may take less than 240 bytes a second of its answer.
        handler_timeout: how long a handler may take for its answer, sending it included.
        pipeline: how many pipelined requests are answered before other connections have their turn.
        lingering_time: how long a connection that ends early still reads what the client sends.
        tcp_keepalive: ask the system to find out when a silent client has gone.
        allowed_methods: others are answered by 405; empty for all.
        debug: error pages show tracebacks, and `log_debug` logs.
        logger: where the server reports errors.
        access_log: a `logging.Logger`, a function that takes each `AccessRecord`, or None.
        access_log_format: ``common``, ``combined``, ``dev``, ``json`` or a text with directives, as
            `observe.layouts` has them; for a Logger.
        limits: of the parser.
        auto_decompress: take the content coding off request bodies.
        cancel_on_disconnect: cancel a handler whose client has gone; one that has closed only its sending
            half looks the same, and gets no answer then.
        responders: asked in their order before the handler is.
        ready_limit: bytes that answers of responders may take that are kept ready; 0 keeps none.
        read_origin: gives a request the client, scheme and host that a proxy tells, before it is answered;
            None where no proxy is asked.
        identify: gives a request its id, and returns it; None where there are no ids. With it no answer is
            kept ready, as such a one is the same for all.
        is_timed: it is measured where the time of a request goes.
        counters: of what is answered; None where nobody asks for the numbers.
        parts: what connections share; None for what all of their event loop do.
    """

    keep_alive: float = 75.0
    timeout: float = 30.0
    body_timeout: float = 30.0
    write_timeout: float = 60.0
    handler_timeout: float = 0.0
    lingering_time: float = 10.0
    pipeline: int = 32
    tcp_keepalive: bool = True
    allowed_methods: tuple[str, ...] = ()
    debug: bool = False
    logger: logging.Logger = server_logger
    access_log: logging.Logger | AccessSink | None = access_logger
    access_log_format: str = "combined"
    limits: ParserLimits = field(default_factory=ParserLimits)
    auto_decompress: bool = True
    cancel_on_disconnect: bool = False
    responders: tuple[Responder, ...] = ()
    ready_limit: int = 0
    read_origin: Callable[[RequestMessage], object] | None = None
    identify: Callable[[RequestMessage], str] | None = None
    is_timed: bool = False
    counters: Counters | None = None
    parts: LoopParts | None = None
    # What follows from the rest, made once; the time is the shortest that is to be noticed, and `prepare` is
    # done with each request before it is answered, if there is anything to do.
    shortest_timeout: float = field(init=False, compare=False)
    access_sink: AccessSink | None = field(init=False, compare=False)
    is_measured: bool = field(init=False, compare=False)
    ready: ReadyAnswers | None = field(init=False, compare=False, repr=False)
    prepare: Prepare | None = field(init=False, compare=False, repr=False)
    known_methods: dict[bytes, str] = field(init=False, compare=False, repr=False)
    known_sections: dict[bytes, RequestMessage] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        sink = self.access_log
        if isinstance(sink, logging.Logger):
            try:
                write = choose_format(self.access_log_format)
            except ValueError as error:
                raise ValueError(f"access_log_format: {error}") from None
            sink = LoggerAccessLog(sink, write)
        object.__setattr__(self, "access_sink", sink)
        object.__setattr__(self, "is_measured", sink is not None or self.counters is not None)
        times = [time for name in _TIMES if (time := getattr(self, name))]
        object.__setattr__(self, "shortest_timeout", min(times, default=1.0))
        object.__setattr__(self, "known_sections", {})
        object.__setattr__(self, "prepare", _preparation(self.read_origin, self.identify))
        is_kept = self.ready_limit and self.identify is None
        object.__setattr__(self, "ready", ReadyAnswers(self.ready_limit) if is_kept else None)
        extra = {name.encode("ascii"): name for name in self.allowed_methods}
        object.__setattr__(self, "known_methods", REGISTERED_METHODS | extra if extra else REGISTERED_METHODS)


def _preparation(
    read_origin: Callable[[RequestMessage], object] | None, identify: Callable[[RequestMessage], str] | None
) -> Prepare | None:
    """Make one step of two that are both rare: a request without either asks once whether there is one."""
    if read_origin is None and identify is None:
        return None

    def prepare(message: RequestMessage, writer: ResponseWriter) -> None:
        if read_origin is not None:
            read_origin(message)
        if identify is not None:
            writer.request_id = identify(message)

    return prepare


DEFAULT_OPTIONS = HandlerOptions()

_LIMITS = {"max_line_size": "line", "max_field_size": "field", "max_headers": "head"} | {
    "max_header_count": "headers",
    "max_body_size": "body",
}
_ALIASES = {"log": "logger", "keep_alive_on": "tcp_keepalive"}
# Those that are no arguments of the constructor.
_INNER = {"limits", "responders", "ready_limit", "read_origin", "identify", "is_timed", "counters", "parts"}
_NAMES = {each.name for each in fields(HandlerOptions) if each.init} - _INNER


def options_of(given: Mapping[str, Any], defaults: HandlerOptions = DEFAULT_OPTIONS) -> HandlerOptions:
    """Return the options that a constructor's arguments ask for, over defaults.

    Called for each connection: without arguments nothing is looked up or made.

    Raises:
        TypeError: an argument is not known.
        ValueError: a value cannot be used.
    """
    if not given:
        return defaults
    arguments = tuple(sorted(given.items()))
    try:
        return _options_of(arguments, defaults)
    except TypeError as error:  # an argument that cannot be hashed, such as a list of methods
        if "unhashable" not in str(error):
            raise
        # It is made for one connection, and ready answers that no other shares would only take memory.
        return _options_of.__wrapped__(arguments, replace(defaults, ready_limit=0))


@lru_cache(maxsize=64)
def _options_of(given: tuple[tuple[str, Any], ...], defaults: HandlerOptions) -> HandlerOptions:
    chosen: dict[str, Any] = {}
    limits: dict[str, int] = {}
    for name, one in given:
        if name in _LIMITS:
            limits[_LIMITS[name]] = one
        elif (known := _ALIASES.get(name, name)) in _NAMES:
            chosen[known] = one
        else:
            raise TypeError(f"ServerHttpProtocol() got an unexpected keyword argument {name!r}")
    if limits:
        chosen["limits"] = defaults.limits._replace(**limits)
    for name in _TIMES & chosen.keys():
        chosen[name] = _seconds(name, chosen[name])
    if "allowed_methods" in chosen:
        if isinstance(chosen["allowed_methods"], str):
            raise TypeError("allowed_methods is a sequence of names, not one")
        chosen["allowed_methods"] = tuple(chosen["allowed_methods"])
    return replace(defaults, **chosen)


def _seconds(name: str, value: float | None) -> float:
    seconds = float(value or 0)  # None and False turn a time off
    if not seconds >= 0:  # NaN is neither less nor more
        raise ValueError(f"{name} is a number of seconds, not {value!r}")
    return seconds
