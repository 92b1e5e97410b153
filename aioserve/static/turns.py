"""Answers that take a thread its time, made one after the other and shared.

This file decides whose turn it is, and who shares an answer. Two listings at once would not be there any
sooner, and each makes others wait for the interpreter. Requests for the same one share it while it waits for
its turn. Nobody joins one that is being made: what is answered is never older than the request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aioserve.file_body import pieces_of
from aioserve.http.messages import FileSlice
from aioserve.static.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aioserve.http.messages import Answer


@dataclass(slots=True, eq=False)
class _Turn:
    """One answer to be made.

    Attributes:
        work: makes it.
        waiting: the futures of those who share it.
    """

    work: Callable[[], Answer]
    waiting: set[asyncio.Future[Answer]] = field(default_factory=set)

    def tell(self, made: asyncio.Future[Answer]) -> None:
        """Give those who still wait what has become of it, and each a share of its file."""
        waiting = [each for each in self.waiting if not each.done()]
        if made.cancelled():
            for each in waiting:
                each.cancel()
        elif (error := made.exception()) is not None:
            self.fail(error)
        else:
            answer = made.result()
            for file in _files_of(answer):
                for _ in waiting:
                    file.share()
                file.close()  # the share of who made it
            for each in waiting:
                each.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """Tell those who still wait what went wrong."""
        for each in self.waiting:
            if not each.done():
                each.set_exception(error)


class Turns:
    """Has answers made by a thread, one at a time."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}  # the next one first
        self._is_busy = False

    async def make(self, key: Hashable, work: Callable[[], Answer]) -> Answer:
        """Wait for its turn, and for the answer; whoever waits no more takes the turn of nobody.

        Args:
            key: requests that have the same answer have the same.
            work: makes the answer, in a thread.

        Returns:
            The answer, which others may have as well. Each closes its file.

        Raises:
            Exception: whatever the work does; others may have the same one.
            RuntimeError: there is no thread for it.
        """
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = _Turn(work)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        turn.waiting.add(future)
        self._begin()
        try:
            return await future
        except asyncio.CancelledError:
            turn.waiting.discard(future)
            if not turn.waiting and self._turns.get(key) is turn:
                del self._turns[key]
            if not future.cancelled() and future.exception() is None:  # it came in the same moment
                for file in _files_of(future.result()):
                    file.close()
            raise

    def _begin(self) -> None:
        """Have the next one made, if none is being made."""
        while self._turns and not self._is_busy:
            turn = self._turns.pop(next(iter(self._turns)))
            try:
                made = asyncio.get_running_loop().run_in_executor(None, turn.work)
            except RuntimeError as error:
                turn.fail(error)
                continue
            self._is_busy = True
            made.add_done_callback(partial(self._end, turn))

    def _end(self, turn: _Turn, made: asyncio.Future[Answer]) -> None:
        self._is_busy = False
        turn.tell(made)
        self._begin()


def _files_of(answer: Answer) -> list[SharedFile]:
    return [
        piece.file
        for piece in pieces_of(answer.body)
        if isinstance(piece, FileSlice) and isinstance(piece.file, SharedFile)
    ]
