"""The service unit: the command line, when it is run again, and how it ends.

This file alone decides which words of the command line stay, and what systemd has to know about it.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from aioserve.config_file import read_config_file
from aioserve.errors import ConfigurationError
from aioserve.options import Reach
from aioserve.settings import OPTIONS
from aioserve.units.quoting import bare, describe, quote, quote_command
from aioserve.units.sandbox import format_sandbox
from aioserve.workers.channel import GRACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aioserve.options import Given, Option
    from aioserve.settings import Settings
    from aioserve.units.place import Place

_UNIT = """\
[Unit]
Description={description}
Requires=%N.socket
After=%N.socket network.target

[Service]
Type=notify
NotifyAccess=main
WorkingDirectory={folder}
{environment}ExecStart={command}
# From systemd 253 on Type=notify-reload, in place of Type=notify and of this line, waits for its end.
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=30s
# The answers that have begun are finished (--drain-delay, --timeout-shutdown).
TimeoutStopSec={patience}s
KillMode=mixed
Restart=on-failure
RestartSec=2s
# Another try would not help: the configuration is wrong, the application does not start, a certificate is
# unusable.
RestartPreventExitStatus=2 3 5
LimitNOFILE={descriptors}
{credentials}
{sandbox}
[Install]
WantedBy=multi-user.target
Also=%N.socket
"""
_CREDENTIALS = """\
# Copies that only the service can read, made when it starts: new certificates need `systemctl restart`.
"""

_ADDRESSES = {"host", "port", "bind", "reuse-port"}
_SECRETS = {"ssl-certfile", "ssl-keyfile", "ssl-keyfile-password-file"}
_MARGIN = 3  # seconds more than the server takes at most, for a machine that is busy
_DESCRIPTORS = 65_536
_EACH = 3  # descriptors of a connection: its own, a file, and what the application opens for it


def format_service(typed: Mapping[str, Given], settings: Settings, place: Place) -> str:
    """Write the unit.

    Args:
        typed: what was typed, by key.
        settings: what is in effect.
        place: where.

    Raises:
        ConfigurationError: systemd cannot name one of the paths, or a configuration file says where to
            listen in a way that the command line cannot take back.
    """
    secrets = list(_secrets(settings))
    dropped = _ADDRESSES | (_SECRETS if secrets else set())
    kept = {key: one for key, one in typed.items() if key not in dropped}
    command = quote_command((*place.program, *_typed_words(kept), *_address_words(settings)))
    command += "".join(f" {flag} %d/{name}" for flag, name, _ in secrets)
    credentials = "".join(
        f"LoadCredential={name}:{bare(place.path(path), 'the file')}\n" for _, name, path in secrets
    )
    timeouts = settings.timeouts
    served = filter(None, (settings.application.app, *(folder for _, folder in settings.static.mounts)))
    return _UNIT.format(
        description=describe(f"HTTP server: {', '.join(served)}"),
        folder=bare(place.folder, "the current folder"),
        environment="".join(f"{line}\n" for line in _environment_lines(settings, place, dropped)),
        command=command,
        patience=ceil(timeouts.drain_delay + timeouts.shutdown + GRACE) + _MARGIN,
        descriptors=max(_DESCRIPTORS, _EACH * (settings.limits.connections or 0)),
        credentials=_CREDENTIALS + credentials if credentials else "",
        sandbox=format_sandbox(settings, place),
    )


def _typed_words(typed: Mapping[str, Given]) -> Iterator[str]:
    options = {OPTIONS[key]: given for key, given in typed.items() if OPTIONS[key].reach > Reach.TYPED}
    app = next((given.texts[-1] for one, given in options.items() if one.is_argument), "")
    if app and not app.startswith("-"):
        yield app
    for one, given in options.items():
        if one.is_flag:
            yield one.flags[-1] if one.parse(given) else f"--no-{one.key}"
        elif not one.is_argument:
            for text in given.texts:
                yield from _valued_words(one, text)
    if app.startswith("-"):
        yield from ("--", app)


def _valued_words(one: Option, text: str) -> tuple[str, ...]:
    is_joined = one.implied or text.startswith("-")
    return (f"{one.flags[-1]}={text}",) if is_joined else (one.flags[-1], text)


def _address_words(settings: Settings) -> tuple[str, ...]:
    """Say that what the socket unit has opened is meant, where a configuration file says something else."""
    if settings.look.config is None:
        return ()
    in_file = read_config_file(settings.look.config, OPTIONS.values())
    for key in ("host", "port"):
        if key in in_file:
            raise ConfigurationError(
                f"--print-unit: {in_file[key].source} would count before the socket unit; bind would not"
            )
    return ("--bind", "systemd") if "bind" in in_file else ()


def _environment_lines(settings: Settings, place: Place, dropped: set[str]) -> Iterator[str]:
    for key, source in settings.sources.items():
        one = OPTIONS[key]
        if key not in dropped and source in (one.variable, one.alias):
            yield f"Environment={quote(f'{source}={place.environment[source]}')}"


def _secrets(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield the flag, the name and the path of each file that systemd is to hand over.

    Certificates as well: with a key from when the service started, a later one could not be used.
    """
    tls = settings.tls
    if not tls.certfiles:
        return
    for flag, name, paths in (
        ("--ssl-certfile", "certificate", tls.certfiles),
        ("--ssl-keyfile", "key", tls.keyfiles),
        ("--ssl-keyfile-password-file", "password", (tls.password_file,) if tls.password_file else ()),
    ):
        for number, path in enumerate(paths, 1):
            yield flag, f"{name}-{number}" if len(paths) > 1 else name, path
