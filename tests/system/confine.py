"""Runs a command as a service does with what `aioserve --print-unit` writes about system calls and memory.

    python confine.py DESCRIPTOR SYSTEM-CALLS FAMILIES COMMAND...

In a container there is no systemd that could do it. The filter is made by libseccomp, as systemd's is. The
command gets the socket of that number as systemd hands over sockets.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM)
EQUAL = 4  # SCMP_CMP_EQ
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("mask", ctypes.c_uint64),
    ]


def confine(calls, families):
    """Allow this process these system calls, sockets of these families, and no memory to write and run."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)  # Linux 6.3; an older one refuses, and the rest is tried
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(REFUSE))
    for name in calls:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # another architecture's
            continue
        for family in families if name == "socket" else [None]:
            compared = (Comparison * 1)(Comparison(0, EQUAL, family or 0, 0))
            count = 0 if family is None else 1
            if library.seccomp_rule_add_array(context, ALLOW, number, count, compared):
                raise OSError(name)
    if library.seccomp_load(context):
        raise OSError("seccomp_load")


def main(descriptor, calls, families, *command):
    """Become the command."""
    os.dup2(int(descriptor), 3)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
    os.umask(0o077)
    confine(calls.split(), [getattr(socket, name) for name in families.split()])
    os.execvp(command[0], command)  # noqa: S606 - the command is the test's


if __name__ == "__main__":
    main(*sys.argv[1:])
