"""Classes of values that take no time to define.

This file alone decides how such a class behaves: as a frozen dataclass, compared and hashed by its values.
Python writes and compiles methods for each dataclass, which takes 0.8 ms, and every start would need two
dozen of them. Here all share the same methods, and defining one takes 0.03 ms. They are slower to make
(3.5 us, not 1.4): what is made for every request is no such class.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Make a class of records of its annotated attributes, which may be changed; otherwise as `value`."""
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    declared = dataclasses.fields(made)
    given = [each for each in declared if each.init]
    made._names = tuple(each.name for each in given)  # noqa: SLF001 - here and below, a class of ours
    made._defaults = {each.name: each.default for each in given if each.default is not MISSING}  # noqa: SLF001
    made._factories = {  # noqa: SLF001
        each.name: each.default_factory for each in given if each.default_factory is not MISSING
    }
    made._compared = property(attrgetter(*(each.name for each in declared if each.compare)))  # noqa: SLF001
    made.__init__, made.__eq__, made.__hash__, made.__repr__ = _init, _eq, None, _repr
    if not hasattr(made, "__post_init__"):
        made.__post_init__ = _do_nothing
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def value(cls: type[T]) -> type[T]:
    """Make a class of values of its annotated attributes; `dataclasses.fields` and ``replace`` know it."""
    made: Any = record(cls)
    made.__hash__, made.__setattr__, made.__delattr__ = _hash, _refuse, _refuse
    return made  # type: ignore[no-any-return]


def _init(self: Any, *given: object, **named: object) -> None:
    cls, names = type(self), self._names
    if len(given) > len(names):
        raise TypeError(f"{cls.__name__}() takes {len(names)} values, not {len(given)}")
    values = cls._defaults | dict(zip(names, given, strict=False))
    for name in named:
        if name not in names or name in names[: len(given)]:
            raise TypeError(f"{cls.__name__}() takes no {name!r}, or has it already")
    values |= named
    for name in names[len(given) :]:
        if name not in values:
            if name not in cls._factories:
                raise TypeError(f"{cls.__name__}() needs {name!r}")
            values[name] = cls._factories[name]()
    self.__dict__.update(values)
    self.__post_init__()


def _do_nothing(_self: object) -> None:
    """Add nothing to what was given."""


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self._compared == other._compared  # noqa: SLF001 - as above


def _hash(self: Any) -> int:
    return hash(self._compared)


def _repr(self: Any) -> str:
    shown = [each.name for each in dataclasses.fields(self) if each.repr]
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({values})"


def _refuse(self: Any, name: str, *_: object) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__} cannot be changed, nor its {name!r}")
