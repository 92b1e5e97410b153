"""What a service may do and see.

This file alone decides that. ``systemd-analyze security`` judges it in a test. The user of a service is made
when it starts (``DynamicUser=``) and owns nothing, so that files must be readable by everybody, and private
keys are handed over by systemd. Of folders that are hidden, those are shown that the command names.
"""

from __future__ import annotations

import os
import stat
from pathlib import PurePath
from typing import TYPE_CHECKING

from aioserve.listen.addresses import TcpAddress, UnixAddress
from aioserve.observe.logs import STANDARD_OUTPUT
from aioserve.units.quoting import bare, describe, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aioserve.settings import Settings
    from aioserve.units.place import Place

_SANDBOX = """\
# As little as it needs. `systemd-analyze security` explains each line.
DynamicUser=yes
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
RestrictSUIDSGID=yes
PrivateUsers=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
# Not with an application that makes machine code while it runs (numba, PyPy).
MemoryDenyWriteExecute=yes
KeyringMode=private
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""

_WITH_APPLICATION = """\
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
# An application that asks no other machine anything needs no network: its socket is handed to it.
#PrivateNetwork=yes
# One that writes files: this is /var/lib of the service's name.
#StateDirectory=%N
"""
_FILES_ALONE = """\
RestrictAddressFamilies=AF_UNIX
# The socket is handed over, and it asks no other machine anything.
PrivateNetwork=yes
"""

_FILES_AND_METRICS = """\
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
"""

_HIDDEN = tuple(map(PurePath, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - not written to
_RUN, _LOGS = PurePath("/run"), PurePath("/var/log")


def format_sandbox(settings: Settings, place: Place) -> str:
    """Write the lines of a service about what it may do and see.

    Raises:
        ConfigurationError: systemd cannot name one of the paths.
    """
    lines = [*_shown_lines(settings, place), *_written_lines(settings, place)]
    # Something is shown: then the homes are an empty file system, in which it has a place.
    common = _SANDBOX.format(home="tmpfs" if any(line.startswith("Bind") for line in lines) else "yes")
    own = _FILES_AND_METRICS if isinstance(settings.metrics.address, TcpAddress) else _FILES_ALONE
    if settings.application.app:
        own = _WITH_APPLICATION
    return common + own + "".join(f"{line}\n" for line in lines)


def _shown_lines(settings: Settings, place: Place) -> Iterator[str]:
    needed = {each for path in _read_paths(settings, place) for each in (path, os.path.realpath(path))}
    shown = _outermost(filter(_is_hidden, needed))
    if shown:
        yield "# Of what is hidden, this is shown."
    for path in shown:
        bare(path, "the folder")
        yield f"BindReadOnlyPaths={quote(path)}"
    for path in sorted(needed):
        # What is hidden is shown beneath folders that systemd makes; elsewhere each above it counts.
        above = [] if _is_hidden(path) else [(str(each), stat.S_IXOTH) for each in PurePath(path).parents]
        if any(_lacks(each, bits) for each, bits in [(path, stat.S_IROTH), *above]):
            yield f"# The user of the service cannot read this: chmod -R o+rX {describe(path)}"


def _read_paths(settings: Settings, place: Place) -> Iterator[str]:
    app, colon, _ = (settings.application.app or "").rpartition(":")
    folder = place.path(settings.application.app_dir)
    yield from (place.folder, folder, *place.installed, _folder_of(place.program[0]))
    if colon and "/" in app:
        yield _folder_of(os.path.normpath(PurePath(folder, app)))
    for name in (settings.look.config, settings.tls.client_ca, *(each for _, each in settings.static.mounts)):
        if name:
            yield place.path(name)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out what is beneath another of them."""
    found: list[PurePath] = []
    for path in sorted(map(PurePath, paths)):
        if not any(path.is_relative_to(each) for each in found):
            found.append(path)
    return list(map(str, found))


def _is_hidden(path: str) -> bool:
    return any(PurePath(path).is_relative_to(each) for each in _HIDDEN)


def _lacks(path: str, bits: int) -> bool:
    """Whether it is there, and without one of these permissions."""
    try:
        return os.stat(path).st_mode & bits != bits  # noqa: PTH116 - texts all along
    except OSError:
        return False


def _written_lines(settings: Settings, place: Place) -> Iterator[str]:
    process = settings.process
    names = [process.pid_file, process.port_file, process.ready_file, settings.live.control]
    if settings.logs.access_log and settings.logs.access_log_file != STANDARD_OUTPUT:
        names.append(settings.logs.access_log_file)
    if isinstance(settings.metrics.address, UnixAddress):
        names.append(settings.metrics.address.path)
    sockets = {
        _folder_of(place.path(each.path)) for each in settings.bind.addresses if isinstance(each, UnixAddress)
    }
    for path in sorted({_folder_of(place.path(name)) for name in names if name}):
        bare(path, "the folder")
        inner = PurePath(path)
        is_hidden = _is_hidden(path)
        # It goes with the service, and so would a socket in it, which has to stay.
        if _RUN in inner.parents and not is_hidden and path not in sockets:
            yield f"RuntimeDirectory={quote(str(inner.relative_to(_RUN)))}"
        elif _LOGS in inner.parents and path not in sockets:
            yield f"LogsDirectory={quote(str(inner.relative_to(_LOGS)))}"
        else:
            yield "# The user of the service must be allowed to write there."
            yield f"{'BindPaths' if is_hidden else 'ReadWritePaths'}={quote(path)}"


def _folder_of(path: str) -> str:
    return str(PurePath(path).parent)
