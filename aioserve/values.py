"""Classes of values that take no time to define.

This file alone decides how such a class behaves: as a frozen dataclass, compared and hashed by its values.
Python writes and compiles methods for each dataclass, which takes 1 ms, and every start would need two dozen
of them. Here all share the same methods, and defining one takes 0.05 ms. They are slower to make (5 us, not
2): what is made for every request is no such class.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def value(cls: type[T]) -> type[T]:
    """Make a class of values of its annotated attributes; `dataclasses.fields` and ``replace`` know it."""
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__, made.__eq__, made.__hash__ = _init, _eq, _hash
    made.__repr__, made.__setattr__, made.__delattr__ = _repr, _refuse, _refuse
    return made  # type: ignore[no-any-return]


def _init(self: Any, *given: object, **named: object) -> None:
    declared = dataclasses.fields(self)
    name = type(self).__name__
    if len(given) > len(declared):
        raise TypeError(f"{name}() takes {len(declared)} values, not {len(given)}")
    values = {each.name: one for each, one in zip(declared, given, strict=False)}
    for each in declared[len(given) :]:
        values[each.name] = named.pop(each.name) if each.name in named else _default_of(name, each)
    if named:
        raise TypeError(f"{name}() takes no {next(iter(named))!r}, or has it already")
    self.__dict__.update(values)


def _default_of(name: str, declared: dataclasses.Field[Any]) -> object:
    if declared.default is not dataclasses.MISSING:
        return declared.default
    if declared.default_factory is not dataclasses.MISSING:
        return declared.default_factory()
    raise TypeError(f"{name}() needs {declared.name!r}")


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self.__dict__ == other.__dict__


def _hash(self: Any) -> int:
    return hash(tuple(self.__dict__.values()))


def _repr(self: Any) -> str:
    values = ", ".join(f"{name}={each!r}" for name, each in self.__dict__.items())
    return f"{type(self).__qualname__}({values})"


def _refuse(self: Any, name: str, *_: object) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__} cannot be changed, nor its {name!r}")
