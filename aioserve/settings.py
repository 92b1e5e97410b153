"""Every option of the command, and the frozen values that they become.

This file alone decides which sections of options there are, and which options are in them; those about
addresses, TLS, proxies, static files and the live view stand beside what they are for. A new one is one entry
in its section: flag, environment variable, key in a configuration file, help text, manual page and reference
follow from it. Each part of the server is handed its own section, never the whole.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from aioserve.errors import ConfigurationError
from aioserve.kinds import (
    BOOLEAN,
    COUNT,
    DURATION,
    FOLDER,
    GLOB,
    LAYOUT,
    LENGTH,
    PATH,
    SHARE,
    SIZE,
    SKIP,
    TARGET,
    URL_PATH,
    WORKERS,
    at_least,
    choice,
)
from aioserve.listen.addresses import OWN_ADDRESS
from aioserve.listen.proxies import Proxies
from aioserve.listen.settings import Bind, Tls
from aioserve.live.settings import Live
from aioserve.options import Reach, declared_sections, option, refuse, repeatable
from aioserve.static.settings import Static
from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aioserve.listen.addresses import Address
    from aioserve.options import Given, OnProblem

__all__ = [
    "OPTIONS",
    "SECTIONS",
    "Application",
    "Bind",
    "Health",
    "Limits",
    "Live",
    "Logs",
    "Look",
    "Metrics",
    "Process",
    "Proxies",
    "Settings",
    "Static",
    "Timeouts",
    "Tls",
    "build_settings",
]


@value
class Application:
    """What is run."""

    title: ClassVar[str] = "Application"

    app: str | None = option(
        "APP",
        TARGET,
        None,
        "The application: `module:name`, `package.module:name` or `./file.py:name`. The name is a subclass "
        "of `ServerHttpProtocol`, or a function without arguments that returns a handler.",
    )
    app_dir: str = option(
        "--app-dir",
        FOLDER,
        ".",
        "Folder in which APP is found and from which it can import.",
        default_text="the current folder",
    )


@value
class Process:
    """How the process runs."""

    title: ClassVar[str] = "Process"

    workers: int = option(
        "-w --workers",
        WORKERS,
        1,
        "How many processes serve; `auto` is one for each processor. Where the option is not given, "
        "`WEB_CONCURRENCY` counts.",
        alias="WEB_CONCURRENCY",
    )
    max_requests: int | None = option(
        "--max-requests",
        COUNT,
        None,
        "Replace a worker by a new one when it has served so many requests, up to a tenth more.",
        default_text="any number",
    )
    max_rss: int = option(
        "--max-rss",
        SIZE,
        0,
        "Replace a worker by a new one when it takes more memory than this; 0 = any size.",
    )
    reload: bool = option(
        "--reload",
        BOOLEAN,
        False,
        "Load everything anew, as SIGHUP does, when a source file or the configuration file changes. For "
        "development.",
    )
    reload_dirs: tuple[str, ...] = repeatable(
        "--reload-dir",
        FOLDER,
        (),
        "With `--reload`: the folder in which files are looked at, at any depth; environments and hidden "
        "folders are left out.",
        default_text="that of `--app-dir`, and of the file that APP names",
    )
    reload_include: tuple[str, ...] = repeatable(
        "--reload-include",
        GLOB,
        (),
        "With `--reload`: a glob of files that count, besides `*.py`. One with a slash is compared with the "
        "path in the folder, others with each name in that, so that `templates` is all that is in such a "
        "folder.",
    )
    reload_exclude: tuple[str, ...] = repeatable(
        "--reload-exclude",
        GLOB,
        (),
        "With `--reload`: a glob, as above, of files that do not count, even if they are included.",
    )
    debug: bool = option(
        "--debug",
        BOOLEAN,
        False,
        "Show tracebacks in error pages and on the terminal. Not for the open internet.",
    )
    uvloop: bool | None = option(
        "--uvloop",
        BOOLEAN,
        None,
        "Run on uvloop, the faster event loop.",
        default_text="on where it is installed",
    )
    port_file: str | None = option(
        "--port-file",
        PATH,
        None,
        "Write the number of the first port to this file once the server accepts connections.",
    )
    ready_file: str | None = option(
        "--ready-file",
        PATH,
        None,
        "Write the addresses and the process number, as JSON, to this file once the server accepts "
        "connections. It is removed in the end.",
    )
    pid_file: str | None = option(
        "--pid-file",
        PATH,
        None,
        "Write the number of the process that takes signals to this file. It is removed in the end. A second "
        "server is refused the file of one that runs.",
    )


@value
class Timeouts:
    """How long the server waits, in seconds."""

    title: ClassVar[str] = "Timeouts"

    keep_alive: float = option(
        "--keep-alive",
        DURATION,
        75.0,
        "How long an idle connection is kept for the next request; 0 closes after each answer.",
    )
    header: float = option(
        "--timeout-header", DURATION, 10.0, "How long the head of a request may take to arrive; 0 = no limit."
    )
    body: float = option(
        "--timeout-body",
        DURATION,
        30.0,
        "How long the body of a request may pause, or bring less than 240 bytes a second; 0 = no limit.",
    )
    write: float = option(
        "--timeout-write",
        DURATION,
        60.0,
        "How long a client may take less than 240 bytes a second of its answer; 0 = no limit.",
    )
    handler: float = option(
        "--timeout-handler",
        DURATION,
        0.0,
        "How long a handler may take for its answer, sending it included, before it is cancelled; "
        "0 = no limit.",
    )
    tls: float = option(
        "--timeout-tls", DURATION, 10.0, "How long the handshake of a TLS connection may take; 0 = no limit."
    )
    shutdown: float = option(
        "--timeout-shutdown", DURATION, 10.0, "How long answers may go on after the server is told to stop."
    )
    drain_delay: float = option(
        "--drain-delay",
        DURATION,
        0.0,
        "How long the server goes on as before when it is told to stop, so that load balancers notice; a "
        "worker that dies is replaced.",
    )
    start: float = option(
        "--timeout-start",
        DURATION,
        60.0,
        "How long a worker may take to import the application and to begin to serve; after a reload the old "
        "ones go on then. 0 = for ever, as it is with `--debug`.",
    )
    worker: float = option(
        "--timeout-worker",
        at_least(0.5),  # a collection of garbage, or a busy machine, may take as long as anything below
        30.0,
        "How long a worker may be blocked before it is replaced, from 500ms on; 0 = for ever, as it is with "
        "`--debug`.",
    )


@value
class Limits:
    """How much the server accepts, in bytes where nothing else is said."""

    title: ClassVar[str] = "Limits"

    line: int = option("--limit-line", LENGTH, 8 << 10, "Longest request line.")
    head: int = option("--limit-head", LENGTH, 32 << 10, "Largest header section of a request.")
    headers: int = option("--limit-headers", COUNT, 100, "Most header fields of a request.")
    body: int = option(
        "--limit-body",
        SIZE,
        16 << 20,
        "Largest body of a request, its coding undone; 0 = no limit. Beyond 1 MiB a coded body may become at "
        "most 100 times its size.",
    )
    connections: int | None = option(
        "--limit-connections",
        COUNT,
        None,
        "Most connections at once. Beyond that idle ones are closed, or new ones are answered by 503.",
        default_text="what the limit of file descriptors allows",
    )
    pipeline: int = option(
        "--limit-pipeline",
        COUNT,
        32,
        "Most pipelined requests of one connection that are answered before others have their turn.",
    )


@value
class Health:
    """What load balancers and orchestrators ask."""

    title: ClassVar[str] = "Health"

    is_on: bool = option(
        "--health",
        BOOLEAN,
        True,
        "Answer at two paths whether the server lives, and whether it wants requests: it does until it is "
        "told to stop, and says 503 from then on. They come before files and the application.",
    )
    live: str = option("--health-live", URL_PATH, "/-/live", "The path for the first.")
    ready: str = option("--health-ready", URL_PATH, "/-/ready", "The path for the second.")


@value
class Metrics:
    """Who is told the numbers of the server, and where."""

    title: ClassVar[str] = "Metrics"
    PATH: ClassVar[str] = "/metrics"

    address: Address | None = option(
        "--metrics",
        OWN_ADDRESS,
        None,
        "Count requests, and tell Prometheus of them at `/metrics` of this address: `HOST:PORT`, "
        "`[IPV6]:PORT`, `:PORT` or `unix:PATH`; where it is left out, of 127.0.0.1:9464. A next word is "
        "taken for it only if it ends with a colon and a number, or begins with `unix:/` or `unix:.`. Needs "
        "the extra: `pip install 'aioserve[metrics]'`.",
        implied="127.0.0.1:9464",
    )


@value
class Logs:
    """What is written where."""

    title: ClassVar[str] = "Logging"

    level: str = option(
        "--log-level",
        choice("critical", "error", "warning", "info", "debug"),
        "info",
        "Least important message that is written to the standard error.",
        shortcuts=(("-v", "debug"), ("-q", "warning")),
    )
    access_log: bool = option("--access-log", BOOLEAN, True, "Write a line for each request.")
    access_log_format: str | None = option(
        "--access-log-format",
        LAYOUT,
        None,
        "Form of that line: `dev` is short and for people, `common` and `combined` are shared by web "
        "servers, `json` is for programs, and any other has directives of Apache's httpd: "
        '`\'%a %t "%r" %>s %O "%{User-Agent}i" %D\'`.',
        default_text="dev on a terminal, combined elsewhere",
    )
    access_log_file: str = option(
        "--access-log-file",
        PATH,
        "-",
        "Append those lines to this file; `-` = write them to the standard output. SIGUSR1 has the file "
        "opened anew, for those who move it away.",
    )
    access_log_skip: tuple[tuple[str, str], ...] = repeatable(
        "--access-log-skip",
        SKIP,
        (),
        "Write no line for requests of these paths, in which `*` stands for anything, with any of the "
        "statuses behind it, if there are any: `'/-/* 2xx'`.",
        separator="\n",
    )
    access_log_sample: float = option(
        "--access-log-sample",
        SHARE,
        1.0,
        "Write lines for this share of requests, and for all errors and slow ones.",
    )
    slow: float = option(
        "--slow",
        DURATION,
        0.0,
        "Warn of requests that take so long, and say where the time went: in the queue, in the handler, or "
        "in sending; 0 = of none.",
    )
    request_id: bool = option(
        "--request-id",
        BOOLEAN,
        False,
        "Give each request an id, that of its `X-Request-Id` or a new one. Handlers, the answer, the `json` "
        "access log and error reports have it. No answers are kept ready then.",
    )
    log_format: str = option(
        "--log-format",
        choice("text", "json"),
        "text",
        "Form of messages: lines for people, or one JSON object in each line, for programs.",
    )
    warn_blocked: float = option(
        "--warn-blocked",
        DURATION,
        0.0,
        "Tell where the event loop is when it has been blocked for so long, and again when that is over; "
        "0 = never.",
    )
    color: str = option(
        "--color",
        choice("auto", "always", "never"),
        "auto",
        "Use colours. `auto`: on a terminal, as `NO_COLOR`, `FORCE_COLOR` and `TERM` say.",
    )


@value
class Look:
    """What is read, checked or shown."""

    title: ClassVar[str] = "Information"

    config: str | None = option(
        "-c --config",
        PATH,
        None,
        "Read options from this TOML file, or from `[tool.aioserve]` of a `pyproject.toml`.",
        reach=Reach.ENVIRONMENT,
    )
    check: bool = option(
        "--check",
        BOOLEAN,
        False,
        "Import the application, look at folders and certificates, try the address, report every problem and "
        "exit.",
        reach=Reach.TYPED,
    )
    print_config: bool = option(
        "--print-config",
        BOOLEAN,
        False,
        "Print the options that count, each with its source, as a TOML file for `--config`, and exit.",
        reach=Reach.TYPED,
    )
    print_unit: str | None = option(
        "--print-unit",
        choice("service", "socket", "both"),
        None,
        "Print units of systemd for the command that is typed beside it, and exit: a service that may do "
        "little but serve, and the socket that starts it, or one of them.",
        implied="both",
        reach=Reach.TYPED,
    )
    completion: str | None = option(
        "--completion",
        choice("bash", "zsh", "fish"),
        None,
        "Print the script that completes options in this shell and exit.",
        reach=Reach.TYPED,
    )
    version: bool = option("-V --version", BOOLEAN, False, "Print the version and exit.", reach=Reach.TYPED)
    help: bool = option("-h --help", BOOLEAN, False, "Print this help and exit.", reach=Reach.TYPED)


@value
class Settings:
    """All sections, and where each value that is no default came from, by key."""

    application: Application = Application()
    bind: Bind = Bind()
    process: Process = Process()
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    static: Static = Static()
    tls: Tls = Tls()
    proxies: Proxies = Proxies()
    health: Health = Health()
    metrics: Metrics = Metrics()
    logs: Logs = Logs()
    live: Live = Live()
    look: Look = Look()
    sources: Mapping[str, str] = field(default_factory=dict)


SECTIONS = declared_sections(Settings)
OPTIONS = {one.key: one for part in SECTIONS for one in part.options.values()}


def build_settings(given: Mapping[str, Given], on_problem: OnProblem = refuse) -> Settings:
    """Make the settings of what was given, by key; everything else has its default.

    Args:
        given: what counts.
        on_problem: called with a key and what is wrong with it, once for each text that is not of the
            option's kind, or because another option excludes it. If it returns, the option has what else was
            given for it, or its default.
    """
    values: dict[str, Any] = {}
    for key in (each for each in OPTIONS if each in given):
        if rival := next((each for each in OPTIONS[key].excludes if each in given), None):
            words = f"{given[key].source} cannot be given together with {given[rival].source}"
            on_problem(key, ConfigurationError(words))
        else:
            values[key] = OPTIONS[key].parse(given[key], on_problem)
    parts = {
        part.attribute: part.settings(
            **{name: values[one.key] for name, one in part.options.items() if one.key in values}
        )
        for part in SECTIONS
    }
    return Settings(**parts, sources={key: one.source for key, one in given.items()})
