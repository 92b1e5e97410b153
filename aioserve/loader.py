"""From the words ``module:name`` to something that makes handlers.

This file alone decides how APP is read, where it is looked for, what counts as a handler, and how to say what
is wrong with it: in one line, and with the user's own traceback where it is the user's code that fails.
"""

from __future__ import annotations

import importlib
import inspect
import signal
import sys
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from typing import TYPE_CHECKING

from aioserve.errors import StartupError
from aioserve.server import ServerHttpProtocol
from aioserve.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType, TracebackType

_FORM = "APP is module:name or ./file.py:name, such as app:Handler"
_FILE_MODULE = "__aioserve_app__"
_MACHINERY = {
    __file__,
    importlib.__file__,
    "<frozen importlib._bootstrap>",
    "<frozen importlib._bootstrap_external>",
}


def load_handler(target: str, app_dir: Path) -> Callable[[], ServerHttpProtocol]:
    """Import what APP names and return what makes a handler of it for each connection.

    Args:
        target: ``module:name``, ``package.module:name`` or ``path/file.py:name``; the name may be dotted.
            A subclass of `ServerHttpProtocol` makes its own instances. A function is called once, now, to
            see what it returns: a handler, then the function is called for each connection, or a class.
        app_dir: the folder that files are relative to and that modules are imported from.

    Raises:
        StartupError: nothing of the kind is there, or importing it fails; ``details`` holds the traceback
            of the user's code where that is what failed.
    """
    place, colon, name = target.rpartition(":") if ":" in target else (target, "", "")
    if not place or "\0" in place or (colon and not _is_dotted_name(name)):
        raise StartupError(f"{target!r} names no handler; {_FORM}")
    try:
        if not colon:
            _refuse_folder(place, app_dir)
        module = _import(place, app_dir)
    except OSError as error:
        raise StartupError(f"{place}: {error.strerror}") from error
    if not colon:
        raise StartupError(_missing_name(place, module))
    return _check_handler(target, _look_up(module, place, name))


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


# Importing


def _refuse_folder(place: str, app_dir: Path) -> None:
    path = app_dir / place
    if path.is_dir() and not (path / "__init__.py").exists():
        raise StartupError(f"{place!r} is a folder; to serve its files: aioserve --static {place}")


def _import(place: str, app_dir: Path) -> ModuleType:
    if not app_dir.is_dir():
        raise StartupError(f"there is no folder {str(app_dir)!r} to import from")
    _make_importable(app_dir)
    if place.endswith(".py") or "/" in place:
        return _import_file(app_dir / place)
    return _import_module(place, app_dir)


def _make_importable(folder: Path) -> None:
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.insert(0, path)


def _import_module(name: str, app_dir: Path) -> ModuleType:
    if not _is_dotted_name(name):
        raise StartupError(f"{name!r} is not the name of a module; {_FORM}")
    try:
        return importlib.import_module(name)
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and _user_frames(error) is None:
            near = did_you_mean(name, (path.stem for path in app_dir.glob("*.py")))
            raise StartupError(f"there is no module {error.name!r} in {app_dir.resolve()}{near}") from error
        raise _user_failure(f"{name} cannot be imported", error) from error


def _import_file(path: Path) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        near = did_you_mean(path.name, (other.name for other in path.parent.glob("*.py")))
        raise StartupError(f"there is no Python file {str(path)!r}{near}")
    _make_importable(path.parent)
    # The file's own name, so that other modules can import it, unless that is the name of another module.
    is_free = path.stem not in sys.modules and path.stem not in sys.stdlib_module_names
    name = path.stem if is_free else _FILE_MODULE
    loader = SourceFileLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True
    module = sys.modules[name] = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        raise _user_failure(f"{path} cannot be imported", error) from error
    return module


# Finding the handler


def _missing_name(place: str, module: ModuleType) -> str:
    handlers = [
        f"{place}:{name}"
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, ServerHttpProtocol)
        and value is not ServerHttpProtocol
    ]
    if handlers:
        return f"{place} is a module; a handler of it is {' or '.join(handlers)}"
    return f"{place} is a module, and there is no handler class in it; {_FORM}"


def _look_up(module: ModuleType, place: str, name: str) -> object:
    found: object = module
    owner = place
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise StartupError(f"{owner} has no {part!r}{did_you_mean(part, dir(found))}") from error
        owner = f"{owner}.{part}" if owner != place else f"{place}:{part}"
    return found


def _check_handler(target: str, found: object) -> Callable[[], ServerHttpProtocol]:
    if isinstance(found, ServerHttpProtocol):
        raise StartupError(f"{target} is a handler already; give its class, to make one for each connection")
    if isinstance(found, type) and not issubclass(found, ServerHttpProtocol):
        raise StartupError(f"{target} is a class, but not a subclass of aioserve.ServerHttpProtocol")
    if not callable(found):
        kind = type(found).__name__
        raise StartupError(
            f"{target} is of type {kind}, neither a handler class nor a function that makes one"
        )
    try:
        inspect.signature(found).bind()
    except (TypeError, ValueError) as error:  # ValueError: a builtin that keeps its signature to itself
        raise StartupError(f"{target} cannot be called without arguments: {error}") from error
    if isinstance(found, type):
        return _check_factory(target, found)
    if inspect.iscoroutinefunction(found):
        raise StartupError(f"{target} is an async function; a function that makes handlers is a plain one")
    return _check_factory(target, found)


def _check_factory(target: str, factory: Callable[[], object]) -> Callable[[], ServerHttpProtocol]:
    try:
        made = factory()
    except BaseException as error:
        raise _user_failure(f"{target}() fails", error) from error
    if isinstance(made, type) and issubclass(made, ServerHttpProtocol):
        return made
    if isinstance(made, ServerHttpProtocol):
        return factory  # type: ignore[return-value]  # as the call has shown
    raise StartupError(f"{target}() returns an object of type {type(made).__name__}, not a handler")


# What the user's code raised


def _user_failure(what: str, error: BaseException) -> StartupError:
    # Of a worker it is the module's own; a person's Ctrl+C is for whoever waits for `--check`.
    if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        raise error
    lines = traceback.format_exception(type(error), error, _user_frames(error))
    summary = f"{type(error).__name__}: {error}".partition("\n")[0]
    return StartupError(f"{what}: {summary}", "".join(lines))


def _user_frames(error: BaseException) -> TracebackType | None:
    """Cut off the frames of this file and of the import machinery."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename in _MACHINERY:
        frames = frames.tb_next
    return frames
