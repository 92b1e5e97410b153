"""How an option is declared: once, beside the setting that it fills.

This file alone decides what a declaration says and what follows from it. The environment variable and the
key in a configuration file come from the long flag: ``--timeout-body`` is ``AIOSERVE_TIMEOUT_BODY`` and
``timeout-body``. The command line, the help, the manual page and the reference are all made from the
declarations, so a new option is one entry in one section of the settings.
"""

from __future__ import annotations

from dataclasses import field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from aioserve.errors import ConfigurationError
from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aioserve.kinds import Kind

    OnProblem = Callable[[str, ConfigurationError], None]

T = TypeVar("T")
D = TypeVar("D")


def refuse(_key: str, problem: ConfigurationError) -> NoReturn:
    """Go no further at the first thing that is wrong: what who serves does with it; who checks goes on."""
    raise problem


class Reach(IntEnum):
    """How far from the command line an option can be given."""

    TYPED = 0
    ENVIRONMENT = 1
    FILE = 2


@value
class Given:
    """What one source says about one option, still as text.

    Attributes:
        texts: the value, or the values of an option that is repeatable.
        source: the flag, the variable or the file and key, for error messages and for whoever asks.
    """

    texts: tuple[str, ...]
    source: str


@value
class Option:
    """The whole declaration of one option.

    Attributes:
        flags: the short form where there is one, then the long form; a bare word is the argument.
        kind: which values it takes.
        default: the value where nothing is given; None where that is found out later, or where there is none.
        meaning: one or more sentences, plain ASCII, in which backquotes mark what is typed.
        default_text: the default in words, where ``default`` does not tell; a single word is the value.
        repeatable: it can be given several times; the value is a tuple.
        separator: what stands between the values of a repeatable option in the environment.
        implied: the text that is meant where the long flag stands without a value; empty where it cannot.
        shortcuts: flags without a value and the text that each of them stands for.
        reach: where it can be given besides the command line.
        alias: another environment variable, which hosting platforms set; ours comes first.
        excludes: the keys of options that cannot be given together with it, wherever each of them is given.
    """

    flags: tuple[str, ...]
    kind: Kind[Any]
    default: object
    meaning: str
    default_text: str = ""
    repeatable: bool = False
    separator: str = ","
    implied: str = ""
    shortcuts: tuple[tuple[str, str], ...] = ()
    reach: Reach = Reach.FILE
    alias: str = ""
    excludes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name of the option in a configuration file, and everywhere inside."""
        return self.flags[-1].lstrip("-").lower()

    @property
    def variable(self) -> str | None:
        """The environment variable, or None where there is none."""
        if self.reach < Reach.ENVIRONMENT:
            return None
        return "AIOSERVE_" + self.key.upper().replace("-", "_")

    @property
    def is_argument(self) -> bool:
        """Whether it is typed by its position, without a flag."""
        return not self.flags[-1].startswith("-")

    @property
    def is_flag(self) -> bool:
        """Whether the flag alone says everything."""
        return not self.kind.metavar

    @property
    def negative(self) -> str | None:
        """The flag that says no, where something behind the command line may have said yes."""
        return f"--no-{self.key}" if self.is_flag and self.reach > Reach.TYPED else None

    @property
    def forms(self) -> tuple[str, ...]:
        """The ways to type it, without the value."""
        return (*self.flags, self.negative) if self.negative else self.flags

    @property
    def metavar(self) -> str:
        """What stands for the value behind the flag, in brackets where it can be left out; or nothing."""
        if self.is_flag or self.is_argument:
            return ""
        return f"[{self.kind.metavar}]" if self.implied else self.kind.metavar

    @property
    def description(self) -> str:
        """What it means, in sentences."""
        if not self.repeatable:
            return self.meaning
        lines = "; in the environment one on each line" if self.separator == "\n" else ""
        return f"{self.meaning} Can be given several times{lines}."

    @property
    def default_shown(self) -> str:
        """The default in words, empty where there is none."""
        if self.default_text or self.default is None or self.reach is Reach.TYPED:
            return self.default_text
        values = self.default if isinstance(self.default, tuple) else (self.default,)
        return ", ".join(map(self.kind.format, values))

    def parse(self, given: Given, on_problem: OnProblem = refuse) -> Any:
        """Make the value of what was given.

        Args:
            given: says it.
            on_problem: called with the key and what is wrong with each text that is not of the option's kind;
                the message names the source. If it returns, the value is what the other texts say, or the
                default.
        """
        values = []
        for text in given.texts:
            try:
                values.append(self.kind.parse(text))
            except ValueError as error:
                on_problem(self.key, ConfigurationError(f"{given.source}: {error}"))
        if self.repeatable:
            return tuple(values)
        return values[-1] if values else self.default


@value
class Section:
    """A group of options under one heading, and the settings class that they fill.

    Attributes:
        title: the heading.
        attribute: the name of the section in the settings.
        settings: the class of the section.
        options: the options by the name of the setting that each fills.
    """

    title: str
    attribute: str
    settings: type[Any]
    options: Mapping[str, Option]


def option(flags: str, kind: Kind[T], default: D, meaning: str, **more: Any) -> T | D:
    """Declare a dataclass field as an option; ``more`` are further attributes of `Option`."""
    return cast("T | D", _field(Option(tuple(flags.split()), kind, default, meaning, **more)))


def repeatable(flags: str, kind: Kind[T], default: tuple[T, ...], meaning: str, **more: Any) -> tuple[T, ...]:
    """Declare a dataclass field as an option that can be given several times."""
    declared = Option(tuple(flags.split()), kind, default, meaning, repeatable=True, **more)
    return cast("tuple[T, ...]", _field(declared))


def _field(declared: Option) -> object:
    return field(default=declared.default, metadata={"option": declared})


def declared_sections(settings: type[Any]) -> tuple[Section, ...]:
    """List the sections of a settings class, in the order written: the fields that default to one."""
    defaults: list[tuple[str, Any]] = [(one.name, one.default) for one in fields(settings)]
    return tuple(
        Section(
            default.title,
            name,
            type(default),
            {entry.name: entry.metadata["option"] for entry in fields(default)},
        )
        for name, default in defaults
        if hasattr(default, "title")
    )


def read_environment(options: Iterable[Option], environment: Mapping[str, str]) -> dict[str, Given]:
    """Collect what the environment says, by key.

    An empty variable counts as not set, as most programs have it. Several values are taken without the blanks
    around them, and around the whole: a block of YAML ends with a line end.
    """
    given = {}
    for one in options:
        for variable in filter(None, (one.alias, one.variable)):  # the last one that is set counts
            text = environment.get(variable)
            if text:
                parts = text.strip().split(one.separator) if one.repeatable else ()
                given[one.key] = Given(tuple(part.strip() for part in parts) or (text,), variable)
    return given
