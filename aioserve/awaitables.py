"""What the handler API returns: legal with ``await``, with ``yield from``, and when ignored.

The API is older than ``async def``, and both ways of writing a handler are served by the same objects. A
native coroutine would refuse ``yield from`` in a plain generator and warn when nobody awaits it.
"""

from __future__ import annotations

import types
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_P = ParamSpec("_P")
_S = TypeVar("_S")
_T = TypeVar("_T")

coroutine = types.coroutine
"""Marks a handler written as a generator, as ``asyncio.coroutine`` did before Python 3.11."""


class Steps(Generic[_T]):
    """The steps of an operation, taken when somebody awaits them or yields from them."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Generator[Any, Any, _T]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, _T]:
        return self._steps

    __iter__ = __await__


def steps(
    method: Callable[Concatenate[_S, _P], Generator[Any, Any, _T]],
) -> Callable[Concatenate[_S, _P], Steps[_T]]:
    """Make of a generator method one that returns `Steps`."""

    @wraps(method)
    def take(self: _S, *args: _P.args, **kwargs: _P.kwargs) -> Steps[_T]:
        return Steps(method(self, *args, **kwargs))

    return take  # type: ignore[return-value]  # `wraps` loses the name of the first parameter
