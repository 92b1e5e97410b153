from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import parse_address
from aioserve.options import Given
from aioserve.settings import Bind, Settings
from aioserve.units.place import Place
from aioserve.units.printing import format_units

TYPED = {"app": Given(("app:Handler",), "APP")}
PLACE = Place(("/usr/bin/aioserve",), "/srv/web")


@pytest.mark.parametrize(
    ("which", "files"),
    [("both", ["service", "socket"]), ("service", ["service"]), ("socket", ["socket"])],
)
def test_each_part_begins_with_its_place(which, files):
    text = format_units(which, TYPED, Settings(), PLACE)

    comments = [f"# /etc/systemd/system/aioserve.{suffix}" for suffix in files]
    assert text.startswith(f"{comments[0]}\n[Unit]\n")
    assert [line for line in text.splitlines() if line.startswith("# /etc")] == comments
    assert text.endswith(".target\n" if "socket" in files else "Also=%N.socket\n")


@pytest.mark.parametrize("which", ["both", "service", "socket"])
def test_what_one_of_them_cannot_say_is_refused_whichever_is_wanted(which):
    with pytest.raises(ConfigurationError, match="any free port"):
        format_units(which, TYPED, Settings(bind=Bind(port=0)), PLACE)
    addresses = tuple(map(parse_address, ("unix:/a", "unix:/b?mode=600")))
    with pytest.raises(ConfigurationError, match="one mode"):
        format_units(which, TYPED, Settings(bind=Bind(addresses=addresses)), PLACE)
