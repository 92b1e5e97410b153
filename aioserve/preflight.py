"""What must be true before the server can run.

This file alone decides what is tried, and in which order: the application, what the settings name, the
addresses. Everything is tried even where something has failed already, so that ``--check`` can tell it all.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, suppress
from dataclasses import field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.errors import BindError, ConfigurationError, StartupError
from aioserve.listen.proxies import PROXY_PROTOCOL
from aioserve.listen.sockets import Listening, bind_sockets, port_line
from aioserve.loader import load_handler
from aioserve.observe.logs import STANDARD_OUTPUT
from aioserve.own_file import is_held
from aioserve.settings import Process, Tls
from aioserve.values import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aioserve.listen.certificates import Certificates
    from aioserve.server import ServerHttpProtocol
    from aioserve.settings import Logs, Settings, Static


@record
class Preflight:
    """What was found.

    Attributes:
        factory: makes a handler for each connection; None where there are only files to serve.
        tls: the certificates, where HTTPS is served.
        listening: bound to the addresses; whoever asked for it closes it.
        problems: everything that is wrong, in the order found.
    """

    factory: Callable[[], ServerHttpProtocol] | None = None
    listening: Listening = field(default_factory=Listening)
    tls: Certificates | None = None
    problems: list[ConfigurationError | StartupError] = field(default_factory=list)


def prepare(
    settings: Settings,
    *,
    is_worker: bool = False,
    is_address_known: bool = True,
    certificates: Certificates | None = None,
) -> Preflight:
    """Import the application, look at what the settings name and bind the addresses.

    Args:
        settings: all of them.
        is_worker: it is for one, which has its sockets, and needs nothing that is the parent's.
        is_address_known: the settings have all addresses that were asked for. Else those that they have are
            tried, and neither the default nor what depends on all.
        certificates: those that the parent has read already; their files may be unusable by now.
    """
    found = Preflight()
    if settings.application.app:
        try:
            found.factory = load_handler(settings.application.app, Path(settings.application.app_dir))
        except StartupError as problem:
            found.problems.append(problem)
    found.problems.extend(_missing_packages(settings))
    if not is_worker:
        found.problems.extend(missing_parts(settings.process))
        found.problems.extend(unusable_log(settings.logs))
    found.problems.extend(_unusable_folders(settings.static, is_check=settings.look.check))
    if settings.proxies.headers == PROXY_PROTOCOL and settings.tls.is_spoken:
        # The header comes before the handshake (proxy-protocol.txt §2), which the loop begins by itself.
        found.problems.append(
            ConfigurationError("--proxy-headers: proxy-protocol cannot be spoken where TLS is")
        )
    try:
        found.tls = certificates or certificates_of(settings.tls)
    except (ConfigurationError, StartupError) as problem:
        found.problems += [problem, *problem.others]
    if found.tls and settings.look.check:  # otherwise the log says it, and a new one is waited for
        found.problems.extend(found.tls.problems())
    if not is_worker:
        _bind(settings, found, is_address_known=is_address_known)
    return found


def _bind(settings: Settings, found: Preflight, *, is_address_known: bool) -> None:
    with ExitStack() as opened:
        if settings.live.control:
            from aioserve.live.control import Control  # noqa: PLC0415 - who has one

            try:
                opened.enter_context(closing(Control(settings.live.control)))
            except BindError as problem:
                found.problems.append(problem)
        if not is_address_known and not settings.bind.addresses:
            return
        try:
            found.listening = bind_sockets(settings.bind, settings.metrics.address)
            if settings.process.port_file and is_address_known:
                port_line(found.listening.sockets)
        except (BindError, ConfigurationError) as problem:
            found.problems += [problem, *problem.others]


def _missing_packages(settings: Settings) -> Iterator[ConfigurationError]:
    if settings.process.uvloop and not find_spec("uvloop"):
        yield ConfigurationError("--uvloop: uvloop is not installed")
    if settings.metrics.address and not find_spec("prometheus_client"):
        yield ConfigurationError(
            "--metrics: prometheus-client is not installed; try pip install 'aioserve[metrics]'"
        )


def missing_parts(process: Process, before: Process | None = None) -> Iterator[ConfigurationError]:
    """Look at what only the parent needs.

    Args:
        process: that section of the settings.
        before: what it was; a file that was written by that may have lost its folder since.
    """
    before = before or Process()
    for folder in process.reload_dirs if process.reload else ():
        if not Path(folder).is_dir():
            yield ConfigurationError(f"--reload-dir: there is no folder {folder!r}")
    files = {
        "--port-file": (process.port_file, before.port_file),
        "--ready-file": (process.ready_file, before.ready_file),
        "--pid-file": (process.pid_file, before.pid_file),
    }
    for flag, (name, old) in files.items():
        if name and name != old and (Path(name).is_dir() or not os.access(Path(name).parent, os.W_OK)):
            yield ConfigurationError(f"{flag}: {name!r} cannot be written")
    if process.pid_file:
        yield from _running_server(process.pid_file, before.pid_file)


def _running_server(name: str, old: str | None) -> Iterator[ConfigurationError]:
    """Look whether the file of the process number is that of another server.

    Scripts would signal the wrong one from then on, and nobody the other. The file that a server has left
    that was killed is no hindrance, whoever has its number now. Which of two has the other files is another
    matter: who starts a second server that takes over, with the same port for all, wants them to say so.
    """
    path = Path(name)
    if (old and path.resolve() == Path(old).resolve()) or not is_held(path):
        return
    with suppress(OSError):  # gone meanwhile
        number = path.read_bytes()[:20].strip()
        if number.isdigit():  # else a lock of somebody else's, such as of the program flock
            yield ConfigurationError(
                f"--pid-file: {name!r} is that of a server that runs (pid {int(number)})"
            )


def certificates_of(tls: Tls) -> Certificates | None:
    """Load the certificates that are asked for; None where TLS is not.

    Raises:
        ConfigurationError: the options contradict each other.
        TlsError: a file cannot be used.
    """
    if tls == Tls():
        return None
    from aioserve.listen.certificates import open_certificates  # noqa: PLC0415 - who speaks TLS

    return open_certificates(tls)


def unusable_log(logs: Logs, before: Logs | None = None) -> Iterator[ConfigurationError]:
    """Look at the file of the access log without making it.

    Args:
        logs: that section of the settings.
        before: what it was; where the file is still the same, what has become of it ends nobody.
    """
    name = logs.access_log_file
    if not logs.access_log or name == STANDARD_OUTPUT or (before and before.access_log_file == name):
        return
    path = Path(name)
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        yield ConfigurationError(f"--access-log-file: {name!r} cannot be written")


def _unusable_folders(static: Static, *, is_check: bool) -> Iterator[ConfigurationError]:
    if not static.mounts:
        return
    from aioserve.static.responder import StaticFiles  # noqa: PLC0415 - only who serves files

    absent, is_any_unusable = dict(static.error_pages), False
    places: dict[tuple[bytes, ...], str] = {}  # how the first there spelled it
    for prefix, folder in static.mounts:
        try:
            files = StaticFiles(Path(folder), mount=prefix, settings=static)
        except ConfigurationError as problem:
            is_any_unusable = True
            yield problem
            continue
        if not os.access(folder, os.X_OK):
            is_any_unusable = True
            yield ConfigurationError(f"cannot serve {folder!r}: Permission denied")
            continue
        if files.place in places:
            is_any_unusable = True
            yield ConfigurationError(f"cannot serve {folder!r}: another folder is at {places[files.place]}")
        places.setdefault(files.place, files.prefix or "/")
        absent = {status: name for status, name in absent.items() if not files.has_page(status)}
        if is_check:  # otherwise it is said when they are first read, and the rest of them is used
            yield from map(ConfigurationError, files.rules.problems())
    if is_any_unusable:
        return
    for status, name in absent.items():
        yield ConfigurationError(f"--error-page: there is no {name!r} to be shown for {status}")
