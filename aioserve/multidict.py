"""The multidict family under the names of the seed, on PyPI's ``multidict`` package.

This file alone decides where the family differs from the package: a `MultiDict` may have keys that are not
`str` (``MultiDict(parse_qsl(body))`` has bytes), and ``items(getall=True)``, as it was written before 2014,
still runs. Everything else is the package's: text keys never leave its C implementation.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import multidict
from multidict import istr

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    Pairs = Mapping[Any, Any] | Iterable[tuple[Any, Any]]

__all__ = [
    "CIMultiDict",
    "CIMultiDictProxy",
    "MultiDict",
    "MultiDictProxy",
    "MutableMultiDict",
    "istr",
    "upstr",
]

_V = TypeVar("_V")


class CIMultiDict(multidict.CIMultiDict[_V]):
    """Several values a key, in order, keys being `str` compared without regard to case."""

    __slots__ = ()

    def items(self, getall: bool = True) -> ItemsView[str, _V]:  # noqa: ARG002 - accepted for old code
        """Return a view of all pairs in order; ``getall`` changes nothing."""
        return super().items()


class CIMultiDictProxy(multidict.CIMultiDictProxy[_V]):
    """A read-only, live view of a `CIMultiDict`."""

    __slots__ = ()

    def items(self, getall: bool = True) -> ItemsView[str, _V]:  # noqa: ARG002 - accepted for old code
        """Return a view of all pairs in order; ``getall`` changes nothing."""
        return super().items()


class MultiDict(multidict.MultiDict[_V]):
    """Several values a key, in order.

    Made of text keys it is the package's MultiDict, which takes and looks up `str` only. Made empty, or with
    another key among the pairs, it takes any hashable key (a class derived from it does not). Keys that are
    not `str` are told apart by type and `repr`.

    Args:
        arg: a mapping, another multidict, or pairs.
        **kwargs: more pairs.
    """

    __slots__ = ()

    def __init__(self, arg: Pairs = (), /, **kwargs: _V) -> None:
        if hasattr(arg, "__next__"):
            arg = list(arg)  # an iterator can be read only once, and may have to be read again below
        try:
            super().__init__(arg, **kwargs)
        except TypeError:
            if type(self) is not MultiDict:
                raise
            super().__init__()
            self.__class__ = _AnyKeyMultiDict
            self.extend(arg, **kwargs)
        else:
            # Empty counts as any key: a handler that looks up bytes must also survive an empty body.
            if type(self) is MultiDict and (not self or isinstance(arg, _AnyKey)):
                self.__class__ = _AnyKeyMultiDict

    def items(self, getall: bool = True) -> ItemsView[str, _V]:  # noqa: ARG002 - accepted for old code
        """Return a view of all pairs in order; ``getall`` changes nothing."""
        return super().items()


class MultiDictProxy(multidict.MultiDictProxy[_V]):
    """A read-only, live view of a `MultiDict`."""

    __slots__ = ()

    def __init__(self, arg: multidict.MultiDict[_V] | multidict.MultiDictProxy[_V]) -> None:
        super().__init__(arg)
        if type(self) is MultiDictProxy and isinstance(arg, _AnyKey):
            self.__class__ = _AnyKeyMultiDictProxy

    def items(self, getall: bool = True) -> ItemsView[str, _V]:  # noqa: ARG002 - accepted for old code
        """Return a view of all pairs in order; ``getall`` changes nothing."""
        return super().items()


MutableMultiDict = MultiDict
upstr = istr


# Keys that are not str. The package stores text only, so such a key is stored as a text of its own; the
# class of the multidict then is one that translates keys on the way in and out. The class is chosen once,
# when the object is made: translating in every call would make looking up text three times as slow.


class _StoredKey(str):
    """The text under which a key that is not `str` is stored."""

    original: Hashable

    __slots__ = ("original",)

    def __repr__(self) -> str:
        return repr(self.original)


def _stored(key: Hashable) -> str:
    if isinstance(key, str):
        return key
    hash(key)  # what cannot be a key of a dict cannot be one here: TypeError
    # A lone high surrogate comes out of no decoding of bytes, so no peer can send this text as a key.
    stored = _StoredKey(f"\ud800{type(key).__qualname__} {key!r}")
    stored.original = key
    return stored


def _original(key: str) -> Any:
    return key.original if isinstance(key, _StoredKey) else key


def _stored_pairs(arg: Pairs) -> list[tuple[str, Any]]:
    pairs = arg.items() if isinstance(arg, Mapping) else arg
    return [(_stored(key), value) for key, value in pairs]


class _AnyKeyItemsView(ItemsView[Any, Any]):
    """The package's view of the pairs, which it holds as its mapping, with the keys as they were given."""

    _mapping: ItemsView[str, Any]

    def __contains__(self, item: object) -> bool:
        match item:
            case (key, value):
                return (_stored(key), value) in self._mapping
        return False

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for key, value in self._mapping:
            yield _original(key), value


if TYPE_CHECKING:
    _Reading = multidict.MultiDict[Any]
else:
    _Reading = object  # the next class in line is one of the package


class _AnyKey(_Reading):
    """What reading is like where any key may be stored: by a `MultiDict` and by its proxy."""

    __slots__ = ()

    def __getitem__(self, key: Hashable) -> Any:
        return super().__getitem__(_stored(key))

    def __contains__(self, key: object) -> bool:
        return super().__contains__(_stored(key))

    def get(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().get(_stored(key), *default, **options)

    def getone(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().getone(_stored(key), *default, **options)

    def getall(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().getall(_stored(key), *default, **options)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> KeysView[Any]:
        return dict.fromkeys(map(_original, super().keys())).keys()

    def items(self, getall: bool = True) -> ItemsView[Any, Any]:  # noqa: ARG002 - accepted for old code
        return _AnyKeyItemsView(super().items())  # type: ignore[arg-type]

    def to_dict(self) -> dict[Any, list[Any]]:
        return {key: self.getall(key) for key in self}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Mapping) and not isinstance(other, multidict.MultiMapping):
            return len(self) == len(other) and all(
                key in other and other[key] == value for key, value in self.items()
            )
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other  # the package has a __ne__, so Python would not ask __eq__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        pairs = ", ".join(f"{key!r}: {value!r}" for key, value in self.items())
        return f"<{type(self).__bases__[1].__name__}({pairs})>"


class _AnyKeyMultiDict(_AnyKey, MultiDict[_V]):
    """A `MultiDict` with any keys; `MultiDict` itself makes it."""

    __slots__ = ()

    def __setitem__(self, key: Hashable, value: _V) -> None:
        super().__setitem__(_stored(key), value)

    def __delitem__(self, key: Hashable) -> None:
        super().__delitem__(_stored(key))

    def add(self, key: Hashable, value: _V) -> None:
        super().add(_stored(key), value)

    def setdefault(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().setdefault(_stored(key), *default, **options)

    def popone(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().popone(_stored(key), *default, **options)

    pop = popone

    def popall(self, key: Hashable, *default: Any, **options: Any) -> Any:
        return super().popall(_stored(key), *default, **options)

    def popitem(self) -> tuple[Any, _V]:
        key, value = super().popitem()
        return _original(key), value

    def extend(self, arg: Any = (), /, **kwargs: _V) -> None:
        super().extend(_stored_pairs(arg), **kwargs)

    def update(self, arg: Any = (), /, **kwargs: _V) -> None:
        super().update(_stored_pairs(arg), **kwargs)

    def merge(self, arg: Any = (), /, **kwargs: _V) -> None:
        super().merge(_stored_pairs(arg), **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return MultiDict, (list(self.items()),)


class _AnyKeyMultiDictProxy(_AnyKey, MultiDictProxy[_V]):  # type: ignore[misc]  # only a mutable one pickles
    """The proxy of a `MultiDict` with any keys; `MultiDictProxy` itself makes it."""

    __slots__ = ()
