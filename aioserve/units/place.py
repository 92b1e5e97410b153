"""Where the command is given: what a unit must know that no option says.

This file alone decides by which words the command is run again, and which folders Python needs to be there.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """Where, and how.

    Attributes:
        program: the first words of the command line, of which the very first is an absolute path.
        folder: the current folder.
        installed: the folders of Python and of what is installed for it.
        environment: all variables.
    """

    program: tuple[str, ...]
    folder: str
    installed: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Place:
        """Look around in this process."""
        script = Path(sys.argv[0]).absolute()
        # Not by `python -m aioserve`, where the script is a file that nobody could start.
        is_script = script.name == "aioserve" and os.access(script, os.X_OK) and script.is_file()
        package = Path(aioserve.__file__).absolute().parent.parent
        return cls(
            (str(script),) if is_script else (sys.executable, "-m", "aioserve"),
            str(Path.cwd()),
            (sys.prefix, sys.base_prefix, str(package)),
            os.environ,
        )

    def path(self, name: str) -> str:
        """Return the absolute path of what is named from the current folder; links in it stay."""
        return os.path.normpath(Path(self.folder, name))
