"""A folder of files as a responder: what is answered to which request.

This file decides the order of things::

    1. is the URL beneath the mount, and the method one for files?       else not ours, or 405
    2. what does the path name?                    lookup                else not ours, or 404, or 308
    3. do the conditions of the request hold?      RFC 9110 §13.2.2      else 304 or 412
    4. which bytes are wanted?                     RFC 9110 §14.2        else 416
    5. send them: 200 or 206
"""

from __future__ import annotations

import string
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from aioserve.errors import ConfigurationError, HttpMethodNotAllowed, HttpProcessingError
from aioserve.http.conditional import NotModified, PreconditionFailed, evaluate_preconditions
from aioserve.http.messages import Answer, FileSlice
from aioserve.http.ranges import Unsatisfiable, parse_range
from aioserve.static.lookup import FileTree, Found, Redirect, parse_path
from aioserve.static.representation import Representation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aioserve.http.messages import RequestMessage

_ALLOWED = ("GET", "HEAD", "OPTIONS")

# How often a file that is being written is opened again before the client is asked to come back.
_ATTEMPTS = 5


class StaticFiles:
    """Answers requests with the files of a folder, in their present state.

    Args:
        root: the folder.
        mount: the URL path at which the folder appears, percent-encoded as in a request: ``/`` or ``/docs``.
        index: the names of files that stand for their folder, the first that exists.
        alone: nothing else answers for URLs beneath the mount, so whatever is wrong is said here. Otherwise
            an application stands behind, and is left whatever is not a file.
        clock: the time in seconds since the epoch.

    Raises:
        ConfigurationError: ``root`` is no folder, or ``mount`` or ``index`` could never match.
    """

    def __init__(
        self,
        root: Path,
        *,
        mount: str = "/",
        index: Sequence[str] = ("index.html",),
        alone: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prefix = mount.removesuffix("/")
        if self._prefix and (self._prefix.endswith("/") or parse_path(self._prefix) is None):
            raise ConfigurationError(
                f"cannot serve files at {mount!r}: it is not a plain URL path such as /docs"
            )
        self._tree = FileTree(root, index)
        self._alone = alone
        self._clock = clock

    def __call__(self, message: RequestMessage) -> Answer | None:
        """Answer a request, or leave it to the next responder by None.

        Raises:
            HttpProcessingError: 404 and 405, only where nothing stands behind; 412, 416; 503 where a file was
                changed as often as it was read.
            OSError: the machine is out of descriptors or memory, or the disk is broken.
        """
        path = message.raw_path
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            return None
        path = path.removeprefix(self._prefix)
        if message.method in ("GET", "HEAD"):
            return self._read(message, path)
        if not self._alone:
            return None
        if not self._exists(path):
            raise HttpProcessingError(404)
        if message.method == "OPTIONS":
            return Answer(204, (("Allow", ", ".join(_ALLOWED)),))
        raise HttpMethodNotAllowed(_ALLOWED)

    def _read(self, message: RequestMessage, path: str) -> Answer | None:
        for _ in range(_ATTEMPTS):
            match self._tree.lookup(path):
                case Found() as found:
                    if (answer := self._answer(message, found)) is not None:
                        return answer
                # An application behind may own the URL of a folder that has nothing to show.
                case Redirect(there) if self._alone or self._exists(there):
                    return Answer(308, (("Location", self._location(there, message)),))
                case _ if self._alone:
                    raise HttpProcessingError(404)
                case _:
                    return None
        raise HttpProcessingError(503, "The file is being changed.", (("Retry-After", "1"),))

    def _answer(self, message: RequestMessage, found: Found) -> Answer | None:
        """Answer with a file, and close it unless it goes with the answer; None where it changed."""
        answer = None
        try:
            now = int(self._clock())
            answer = _select(message, Representation.of(found, now), now)
        finally:
            if answer is None or not isinstance(answer.body, FileSlice):
                found.file.close()
        return answer

    def _exists(self, path: str) -> bool:
        """Whether GET would find something there."""
        outcome = self._tree.lookup(path)
        if isinstance(outcome, Found):
            outcome.file.close()
        return isinstance(outcome, Found | Redirect)

    def _location(self, path: str, message: RequestMessage) -> str:
        """Write the path as seen from outside, the query kept (RFC 9110 §15.4.9).

        The path is printable ASCII and begins with one slash; the query is made printable here.
        """
        query = message.path.partition("?")[2]
        suffix = "?" + quote(query, safe=string.punctuation, errors="replace") if query else ""
        return f"{self._prefix}{path}{suffix}"


def _select(message: RequestMessage, representation: Representation, now: int) -> Answer | None:
    """Choose what is sent of a file; None where it changed meanwhile."""
    match evaluate_preconditions(message, representation.validators, now):
        case NotModified():
            return representation.not_modified()
        case PreconditionFailed():
            raise HttpProcessingError(412)
        case proceed:
            match parse_range(proceed.range_header, representation.size):
                case Unsatisfiable() as outside:
                    raise HttpProcessingError(416, "", (("Content-Range", outside.format_content_range()),))
                case (part,):
                    return representation.part(part)
                case _:  # none, or several: the whole is an answer to any (RFC 9110 §14.2)
                    return representation.whole()
