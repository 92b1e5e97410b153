"""A folder of files as a responder: what is answered to which request.

This file decides the order of things::

    1. is the URL beneath the mount, and the method one for files?       else not ours, or 405
    2. is there a rule that sends the client elsewhere in any case?      _redirects with !
    3. what does the path name?                    lookup                else 308, a listing, or nothing
    4. if nothing: a rule, or the page of an application in the browser? else not ours, or 404
    5. which answer is made of the file?           file_answers          200, 206, 304, 412 or 416
"""

from __future__ import annotations

import asyncio
import logging
import string
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from aioserve.errors import ConfigurationError, HttpMethodNotAllowed, HttpProcessingError, pairs_of
from aioserve.http.messages import Answer
from aioserve.static.file_answers import FileAnswers
from aioserve.static.finder import Cold, Finder, Unsettled
from aioserve.static.folders import Listing
from aioserve.static.lookup import Lookup, Redirect
from aioserve.static.pages import VARY_OF_PAGES, is_page_request, path_of
from aioserve.static.redirects import Redirection, Redirects, Rewrite
from aioserve.static.representation import ChangedMeanwhileError
from aioserve.static.resource import Loader, Resource
from aioserve.static.rule_files import RuleFiles
from aioserve.static.settings import Static
from aioserve.static.site import ALLOWED, Site
from aioserve.static.tree import FileTree, Folder, Found, parse_path
from aioserve.static.turns import Turns
from aioserve.thread_work import ThreadWork

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from aioserve.http.messages import RequestMessage
    from aioserve.observe.access import CallLater
    from aioserve.static.header_fields import Fields
    from aioserve.static.store import Store

    Outcome = Answer | Awaitable[Answer] | None


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request on its way through the steps.

    Attributes:
        message: it.
        path: of its target, beneath the mount and percent-encoded; empty for the mount without a slash.
        may_wait: it may be answered later, after what a thread has to do first.
    """

    message: RequestMessage
    path: str
    may_wait: bool = True

    @property
    def query(self) -> str:
        """The query of the target, as sent."""
        return self.message.path.partition("?")[2]


class StaticFiles:
    """Answers requests with the files of a folder, in their present state.

    Args:
        root: the folder.
        mount: the URL path at which the folder appears, percent-encoded as in a request: ``/`` or ``/docs``.
        settings: the options.
        alone: nothing else answers for URLs beneath the mount, so whatever is wrong is said here. Otherwise
            an application stands behind, and is left whatever is not a file.
        clock: the time in seconds since the epoch.
        call_later: as an event loop's. Without it large files stay open until others take their place.

    Attributes:
        rules: of the folder itself.
        prefix: the mount without a slash at its end.
        place: the names on the way to it, decoded.

    Raises:
        ConfigurationError: ``root`` is no folder, or an option could never be followed.
    """

    def __init__(
        self,
        root: Path,
        *,
        mount: str = "/",
        settings: Static | None = None,
        alone: bool = True,
        clock: Callable[[], float] = time.time,
        call_later: CallLater = lambda *_: None,
    ) -> None:
        settings = settings or Static()
        self._settings = settings
        self._tree = FileTree(root, hidden=settings.hidden, follow_symlinks=settings.follow_symlinks)
        self.prefix = mount.removesuffix("/")
        place = self._tree.parse(self.prefix) if self.prefix else ()
        if place is None or self.prefix.endswith("/"):
            raise ConfigurationError(
                f"cannot serve files at {mount!r}: it is not a plain URL path such as /docs"
            )
        self.place = place
        plain = "".join(f"/{name.decode('latin-1')}" for name in place)
        # Where a name cannot be written without "%", the prefix has one, and is like no path without.
        self._plain = plain if parse_path(plain) == place else self.prefix
        self._lookup = Lookup(self._tree, settings.index, clean_urls=settings.clean_urls)
        self.rules = RuleFiles(self._tree, str(root))
        loader = Loader(self._tree, precompressed=settings.precompressed, compress=settings.compress)
        room = settings.cache // 2  # the other half is for ready answers
        self._finder = Finder(self._lookup, loader, self.rules.paths, room, clock, call_later)
        self._files = FileAnswers(self._finder.store, room, clock)
        self._turns = Turns()
        self._site = Site(settings, self.rules)
        self._pages = {status: path_of(name) for status, name in settings.error_pages}
        self._alone = alone
        self._clock = clock

    def beneath(self, path: str) -> str | None:
        """Return what of a path is beneath the mount, as it was sent; None where it is elsewhere.

        ``/docs`` and ``/d%6Fcs`` are one path (RFC 3986 §6.2.2.2); ``/docs%2F`` is another than ``/docs/``.
        """
        above = self._plain
        if self.place and "%" in path:
            above = "/".join(path.split("/", len(self.place) + 1)[: len(self.place) + 1])
            if parse_path(above) != self.place:
                return None
        return path[len(above) :] if path == above or path.startswith(f"{above}/") else None

    def __call__(self, message: RequestMessage) -> Outcome:
        """Answer a request, at once or later, or leave it to the next responder by None.

        Raises:
            HttpProcessingError: 404 and 405, only where nothing stands behind; 412, 416; 503 where a file was
                changed as often as it was read.
            OSError: the machine is out of descriptors or memory, or the disk is broken.
        """
        path = self.beneath(message.raw_path)
        return None if path is None else self.respond(message, path)

    def respond(self, message: RequestMessage, path: str) -> Outcome:
        """Answer a request for a path beneath the mount, as `beneath` has it; raises as above."""
        return self._respond(_Asked(message, path))

    def tell_found(self, on_found: Callable[[bool], object]) -> None:
        """Have a function called for each file that is found, with whether it was kept from before."""
        self._finder.on_found = on_found

    @property
    def store(self) -> Store:
        """What is kept of the files."""
        return self._finder.store

    def has_page(self, status: int) -> bool:
        """Whether there is a page of the folder's own for an error."""
        found = self._lookup.find(self._pages[status]) if status in self._pages else None
        if isinstance(found, Found):
            found.file.close()
        return isinstance(found, Found)

    def _respond(self, asked: _Asked) -> Outcome:
        """Answer, with a page of the folder's own where there is one for an error."""
        try:
            return self._decide(asked)
        except HttpProcessingError as error:
            return self._answer_error(error, asked.path)

    def _decide(self, asked: _Asked) -> Outcome:
        is_read = asked.message.method in ("GET", "HEAD")
        answer = self._read(asked) if is_read else self._answer_other_method(asked)
        if answer is None and self._alone:
            raise HttpProcessingError(404)
        return answer

    def _read(self, asked: _Asked) -> Outcome:
        path = asked.path or "/"
        redirects = self.rules.redirects() if parse_path(path) else Redirects()
        if redirects.rules and (rule := redirects.match(path, asked.query, exists=True)):
            return self._follow(rule, asked)
        answer = self._serve(asked)
        if answer is None and redirects.rules and (rule := redirects.match(path, asked.query, exists=False)):
            answer = self._follow(rule, asked)
        if answer is None and self._settings.spa and self._is_page(asked):
            answer = self._answer_with("/", asked, VARY_OF_PAGES)
        return answer

    def _is_page(self, asked: _Asked) -> bool:
        """Whether an application in the browser may know what stands for a path."""
        return self._tree.parse(asked.path) is not None and is_page_request(
            asked.message, asked.path, explicitly=not self._alone
        )

    # What is there

    def _serve(self, asked: _Asked) -> Outcome:
        """Answer with what the path names; None where nothing can be shown."""
        match self._finder.find(asked.path, may_wait=asked.may_wait):
            case Resource() as resource:
                return self._answer(asked, resource)
            case Cold(fetch):
                return self._answer_after(ThreadWork(fetch).result, asked)
            case Unsettled(delay):
                return self._answer_after(partial(asyncio.sleep, delay), asked)
            case Folder() as folder if self._settings.listing:
                return self._list(asked, folder)
            case Redirect(there) if self._leads_somewhere(there):
                return self._redirect(there, asked)
            case _:
                return None

    def _exists(self, path: str) -> bool:
        """Whether GET would find something there."""
        found = self._lookup.find(path)
        if isinstance(found, Found):
            found.file.close()
            return True
        if isinstance(found, Redirect):
            return self._leads_somewhere(found.path)
        return isinstance(found, Folder) and self._settings.listing

    def _leads_somewhere(self, there: str) -> bool:
        """Whether a client is sent to a folder: an application may own it where it has nothing to show."""
        return self._alone or self._exists(there)

    # Other ways to an answer

    def _answer_other_method(self, asked: _Asked) -> Answer | None:
        is_preflight = self._site.is_preflight(asked.message)
        if not (self._exists(asked.path) or (is_preflight and self._alone)):
            return None
        if is_preflight or (asked.message.method == "OPTIONS" and self._alone):
            return self._site.answer_options(asked.message, asked.path)
        if self._alone:
            raise HttpMethodNotAllowed(ALLOWED)
        return None

    def _redirect(self, there: str, asked: _Asked) -> Answer:
        """Send the client to a path beneath the mount, method and query kept (RFC 9110 §15.4.9).

        The path is printable ASCII and begins with one slash; the query is made printable here.
        """
        query = asked.query
        suffix = "?" + quote(query, safe=string.punctuation, errors="replace") if query else ""
        return self._send_to(308, f"{self.prefix}{there}{suffix}", asked)

    def _send_to(self, status: int, location: str, asked: _Asked) -> Answer:
        return Answer(status, (*self._site.other_fields(asked.path), ("Location", location)))

    def _follow(self, rule: Redirection | Rewrite, asked: _Asked) -> Outcome:
        """Do what a rule of ``_redirects`` says."""
        match rule:
            case Redirection(status, location):
                there = f"{self.prefix}{location}" if location.startswith("/") else location
                return self._send_to(status, there, asked)
            case Rewrite(200, there):
                return self._answer_with(there, asked)
            case page:
                return self._page(page.status, page.path, asked.path, ())

    def _answer_with(self, there: str, asked: _Asked, *more: tuple[str, str]) -> Outcome:
        """Answer with a file that is not what the path names: with the next request it may be another."""
        match self._finder.find(there, may_wait=asked.may_wait):
            case Resource() as resource:
                return self._answer(asked, resource, *more, is_kept=False)
            case Cold(fetch):
                return self._answer_after(ThreadWork(fetch).result, asked)
            case Unsettled(delay):
                return self._answer_after(partial(asyncio.sleep, delay), asked)
            case _:
                return None

    def _answer_error(self, error: HttpProcessingError, path: str) -> Answer:
        """Answer with the folder's own page of an error, or raise it with what is said of all answers."""
        page = self._pages.get(error.code)
        answer = None if page is None else self._page(error.code, page, path, pairs_of(error.headers))
        if answer is not None:
            return answer
        error.headers = (*self._site.other_fields(path), *pairs_of(error.headers))
        raise error

    def _page(self, status: int, page: str, path: str, headers: Fields) -> Answer | None:
        found = self._finder.find(page, may_wait=False)
        if not isinstance(found, Resource):
            return None
        try:
            return found.identity.as_error(status, self._site.other_fields(path), headers)
        finally:
            found.close()

    # Files

    def _answer(
        self, asked: _Asked, resource: Resource, *more: tuple[str, str], is_kept: bool = True
    ) -> Outcome:
        """Answer with a file, and use it no more."""
        site = (*self._site.fields(asked.path, resource.name), *more)
        try:
            outcome = self._files.answer(
                asked.message, resource, site, may_wait=asked.may_wait, is_kept=is_kept
            )
        finally:
            resource.close()
        return outcome if isinstance(outcome, Answer) else self._answer_after(outcome.result, asked)

    async def _answer_after(self, wait: Callable[[], Awaitable[None]], asked: _Asked) -> Answer:
        """Wait, and begin anew: things may have changed meanwhile.

        What is waited for is made here, since a client may go before this begins.
        """
        with suppress(ChangedMeanwhileError):
            await wait()
        answer = self._respond(replace(asked, may_wait=False))
        if answer is None:  # it has gone meanwhile, and it is too late to ask anybody else
            return self._answer_error(HttpProcessingError(404), asked.path)
        return answer if isinstance(answer, Answer) else await answer

    async def _list(self, asked: _Asked, folder: Folder) -> Answer:
        listing = Listing(
            self._tree,
            folder,
            f"{self.prefix}{asked.path}",
            f"{self.prefix}/",
            self._settings.compress,
            self._site.fields(asked.path, None),
        )
        work = partial(listing.answer, asked.message, int(self._clock()))
        try:
            return await self._turns.make(listing.key_of(asked.message), work)
        except HttpProcessingError as error:  # others may have the same one
            status = error.code
        except OSError as error:  # where in our own code is no news
            logger.error("cannot list %s: %s", listing.path, error)  # noqa: TRY400
            status = 503
        return self._answer_error(HttpProcessingError(status), asked.path)
