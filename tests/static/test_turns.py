"""Answers are made one at a time; who waits for the same one shares it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from aioserve.http.messages import Answer, FileSlice
from aioserve.static.shared_file import SharedFile
from aioserve.static.turns import Turns
from tests.wire import turns

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


class ByHand(ThreadPoolExecutor):
    """Threads that do what they are given when the test says so.

    Attributes:
        given: what they have not done yet.
        is_over: they take nothing more.
    """

    def __init__(self):
        super().__init__(1)
        self.given = []
        self.is_over = False

    def submit(self, work, /):
        if self.is_over:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.given.append((Future(), work))
        return self.given[-1][0]

    async def do(self):
        """Do all there is; it is one piece of work."""
        ((future, work),) = self.given
        self.given.clear()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            future.set_exception(error)
        await turns()


class Making:
    """Asks for answers, and makes them by hand.

    Attributes:
        turns: what is tested.
        threads: make them.
        made: the names of the answers that were made.
        files: theirs.
    """

    def __init__(self, path):
        self._path = path
        self.turns = Turns()
        self.threads = ByHand()
        self.made = []
        self.files = []

    def ask(self, name, error=None):
        """Ask for an answer of a name; the length of its body is that of the name."""

        def work():
            self.made.append(name)
            if error is not None:
                raise error
            self.files.append(self._path.open("rb"))
            body = FileSlice(SharedFile(self.files[-1], self._path.stat()), 0, len(name))
            return Answer(200, (), (b"<", body, b">"))

        return asyncio.create_task(self.turns.make(name, work))

    def run(self, scenario):
        """Run a scenario in a loop whose threads are these."""

        async def watched():
            complaints = []
            loop = asyncio.get_running_loop()
            loop.set_default_executor(self.threads)
            loop.set_exception_handler(lambda _, context: complaints.append(context))
            await scenario()
            await turns()
            return complaints

        assert asyncio.run(watched()) == []
        assert all(file.closed for file in self.files)


@pytest.fixture
def making(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return Making(path)


def close(answer):
    """Need an answer no more; return how long the body of its file was."""
    _, piece, _ = answer.body
    piece.file.close()
    return piece.length


# One at a time


def test_the_next_is_made_when_the_last_is_done(making):
    async def scenario():
        names = ["a", "bb", "ccc"]
        tasks = [making.ask(name) for name in names]
        await turns()
        for number, task in enumerate(tasks):
            assert len(making.threads.given) == 1
            assert making.made == names[:number]
            assert not any(each.done() for each in tasks[number:])
            await making.threads.do()
            assert task.done()
            assert close(await task) == number + 1
        assert making.threads.given == []

    making.run(scenario)


def test_work_is_done_by_a_thread():
    async def scenario():
        return await asyncio.gather(*(Turns().make(name, lambda: Answer(200)) for name in "ab"))

    assert [answer.status for answer in asyncio.run(scenario())] == [200, 200]


def test_one_that_fails_gives_its_turn_to_the_next(making):
    async def scenario():
        failing, last = making.ask("a", OSError("broken")), making.ask("b")
        await turns()
        await making.threads.do()
        with pytest.raises(OSError, match="broken"):
            await failing
        await making.threads.do()
        assert close(await last) == 1

    making.run(scenario)


# Shared


def test_those_who_wait_for_the_same_share_it(making):
    async def scenario():
        first, *same = (making.ask(name) for name in ("a", "bb", "bb", "bb"))
        await turns()
        await making.threads.do()
        close(await first)
        await making.threads.do()
        assert making.made == ["a", "bb"]
        assert making.threads.given == []
        file = making.files[1]
        for task in same:
            assert not file.closed
            assert close(await task) == 2
        assert file.closed

    making.run(scenario)


def test_error_is_told_to_all_who_share_it(making):
    async def scenario():
        first, *same = (making.ask(name, OSError(name)) for name in ("a", "b", "b"))
        await turns()
        await making.threads.do()
        await making.threads.do()
        errors = await asyncio.gather(first, *same, return_exceptions=True)
        assert [str(error) for error in errors] == ["a", "b", "b"]
        assert making.made == ["a", "b"]

    making.run(scenario)


def test_nobody_joins_one_that_has_begun(making):
    async def scenario():
        early = making.ask("a")
        await turns()
        late = making.ask("a")
        await turns()
        await making.threads.do()
        close(await early)
        assert not late.done()
        await making.threads.do()
        close(await late)
        assert making.made == ["a", "a"]

    making.run(scenario)


def test_who_joins_takes_no_turn_from_those_before(making):
    async def scenario():
        tasks = [making.ask(name) for name in "abcbc"]
        await turns()
        for _ in "abc":
            await making.threads.do()
        for task in tasks:
            close(await task)
        assert making.made == ["a", "b", "c"]

    making.run(scenario)


# Those who go


def test_one_who_goes_before_its_turn_takes_the_turn_of_nobody(making):
    async def scenario():
        first, gone, last = (making.ask(name) for name in "abc")
        await turns()
        gone.cancel()
        await turns()
        await making.threads.do()
        await making.threads.do()
        close(await first)
        close(await last)
        assert gone.cancelled()
        assert making.made == ["a", "c"]

    making.run(scenario)


def test_who_asks_again_waits_behind_the_others(making):
    async def scenario():
        _, gone, other = tasks = [making.ask(name) for name in "abc"]
        await turns()
        gone.cancel()
        await turns()
        tasks[1] = making.ask("b")
        for _ in "acb":
            await making.threads.do()
        for task in tasks:
            close(await task)
        assert other.done()
        assert making.made == ["a", "c", "b"]

    making.run(scenario)


@pytest.mark.parametrize("is_begun", [False, True])
def test_one_who_goes_leaves_the_others_theirs(making, is_begun):
    async def scenario():
        first, gone, staying = (making.ask(name) for name in "abb")
        await turns()
        if is_begun:
            await making.threads.do()
        gone.cancel()
        await turns()
        if not is_begun:
            await making.threads.do()
        await making.threads.do()
        close(await first)
        assert close(await staying) == 1
        assert making.files[1].closed

    making.run(scenario)


@pytest.mark.parametrize("error", [None, OSError("broken")])
def test_turn_lasts_until_the_answer_is_there_though_nobody_wants_it(making, error):
    async def scenario():
        gone, last = making.ask("a", error), making.ask("b")
        await turns()
        gone.cancel()
        await turns()
        assert gone.cancelled()
        assert len(making.threads.given) == 1
        await making.threads.do()
        assert making.made == ["a"]
        await making.threads.do()
        close(await last)

    making.run(scenario)


def test_one_who_goes_while_its_answer_is_made_takes_no_turn_from_who_came_later(making):
    async def scenario():
        gone = making.ask("a")
        await turns()
        late = making.ask("a")
        await turns()
        gone.cancel()
        await turns()
        joining = making.ask("a")
        await turns()
        for _ in range(2):
            await making.threads.do()
        close(await late)
        close(await joining)
        assert making.made == ["a", "a"]

    making.run(scenario)


@pytest.mark.parametrize("error", [None, OSError("broken")])
@pytest.mark.parametrize("steps", range(8))
def test_one_who_goes_in_any_moment_leaves_no_file(making, steps, error):
    """Between the end of the work and the answer are some turns of the loop."""

    async def scenario():
        first, going, staying = (making.ask(name, error) for name in "xaa")
        await turns()
        await making.threads.do()
        ((future, work),) = making.threads.given
        making.threads.given.clear()
        try:
            future.set_result(work())
        except OSError as raised:
            future.set_exception(raised)
        for _ in range(steps):
            await asyncio.sleep(0)
        going.cancel()
        for outcome in await asyncio.gather(first, going, staying, return_exceptions=True):
            if isinstance(outcome, Answer):
                close(outcome)

    making.run(scenario)


# Threads that cannot be had


def test_who_can_have_no_thread_is_told_and_keeps_no_turn(making):
    async def scenario():
        first, *others = (making.ask(name) for name in "abc")
        await turns()
        making.threads.is_over = True
        await making.threads.do()
        close(await first)
        for task in (*others, making.ask("d")):
            with pytest.raises(RuntimeError, match="after shutdown"):
                await task
        making.threads.is_over = False
        last = making.ask("e")
        await turns()
        await making.threads.do()
        close(await last)

    making.run(scenario)


def test_one_who_has_gone_is_not_told(making):
    async def scenario():
        first, gone, staying = (making.ask(name) for name in "abb")
        await turns()
        making.threads.is_over = True
        ((future, work),) = making.threads.given
        future.set_result(work())
        for _ in range(10):  # until it is known that there is no thread
            gone.cancel()
            await asyncio.sleep(0)
        close(await first)
        outcomes = await asyncio.gather(gone, staying, return_exceptions=True)
        assert [type(each) for each in outcomes] == [asyncio.CancelledError, RuntimeError]

    making.run(scenario)


def test_work_that_is_called_off_is_no_answer(making):
    async def scenario():
        first, *same, last = (making.ask(name) for name in "xaab")
        await turns()
        await making.threads.do()
        close(await first)
        ((future, _),) = making.threads.given
        making.threads.given.clear()
        future.cancel()
        outcomes = await asyncio.gather(*same, return_exceptions=True)
        assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2
        await making.threads.do()
        close(await last)
        assert making.made == ["x", "b"]

    making.run(scenario)
