"""Who has the address that we cannot have.

This file decides how the process is found that listens on a port or on a unix socket: by Linux's tables of
sockets, and by the descriptors of the processes that may be looked into. Elsewhere nobody is found.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LISTENS = "0A"  # the state TCP_LISTEN
_ACCEPTS = 0x10000  # the flag __SO_ACCEPTCON


def holder_of_port(port: int) -> str | None:
    """Name the process that listens on a TCP port: ``nginx (pid 4711)``; None where nobody can tell."""
    return _holder_of(_inodes_of_port(port))


def holder_of_path(path: str) -> str | None:
    """Name the process that listens on a unix socket, by the path that it gave, as for a port."""
    return _holder_of(_inodes_of_path(path))


def _holder_of(inodes: Iterable[str]) -> str | None:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    if not wanted:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in wanted:
                        name = (process / "comm").read_text(errors="replace").strip()
                        return f"{name} (pid {process.name})"
    return None


def _inodes_of_port(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _inodes_of_path(path: str) -> Iterator[str]:
    with suppress(OSError):
        for line in Path("/proc/net/unix").read_text(errors="surrogateescape").splitlines()[1:]:
            fields = line.split(maxsplit=7)  # the last is the path, with its blanks, where there is one
            if fields[7:] == [path] and int(fields[3], 16) & _ACCEPTS:
                yield fields[6]
