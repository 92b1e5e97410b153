"""Every row, asked of the server that the command would start, on both loops."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.semantics.client import Answer
from tests.semantics.hosting import hosting
from tests.semantics.judge import broken_rules, complaints_of, leaks
from tests.semantics.rows import GROUPS, ROWS
from tests.semantics.rows.row import get
from tests.semantics.setups import SETUPS, words_of
from tests.semantics.site import build
from tests.static.trees import ordinary_user
from tests.wire import LOOPS

NOT_OF_A_MESSAGE = {"date", "connection", "keep-alive"}  # of the moment, and of the connection
OPEN = {"following", "hidden"}  # setups that may show what is not for everybody

every_row = pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{group}: {name}") for (group, name), row in ROWS.items()]
)
every_row_with_get = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{group}: {name}")
        for (group, name), row in ROWS.items()
        if row.request.method == "GET" and not row.request.body
    ],
)


@pytest.fixture(scope="module")
def site():
    """Build it where any user comes to; pytest's own folders are for one."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield build(Path(folder))


@pytest.fixture(scope="module", params=LOOPS, ids=lambda make: make.__module__)
def host(request):
    with hosting(request.param) as host:
        yield host


@every_row
def test_row_is_kept(host, site, row):
    client = host.client(words_of(row.setup, site))

    with ordinary_user() if row.needs_user else nullcontext():
        if row.needs_user:
            assert client.ask(get("/letters.txt")).status == 200
        answer = client.ask(row.request)

    assert list(complaints_of(row.wants[0], answer, client.fill)) == []
    assert list(broken_rules(row.request, answer)) == []
    assert row.setup in OPEN or not leaks(answer)


@every_row_with_get
def test_head_is_answered_as_get_without_its_content(host, site, row):
    """RFC 9110 §9.3.2; ranges are for GET alone (§14.2), so that it is asked without."""
    client = host.client(words_of(row.setup, site))
    fields = tuple((name, value) for name, value in row.request.fields if name not in {"Range", "If-Range"})

    with ordinary_user() if row.needs_user else nullcontext():  # or what root was given is kept for a second
        whole = client.ask(row.request._replace(fields=fields))
        head = client.ask(row.request._replace(method="HEAD", fields=fields))

    assert isinstance(whole, Answer)
    assert isinstance(head, Answer)
    assert head.status == whole.status
    assert message_fields_of(head) == message_fields_of(whole)
    assert head.body == b""


def message_fields_of(answer):
    return Counter((name, value) for name, value in answer.fields if name not in NOT_OF_A_MESSAGE)


def test_rows_have_names_of_their_own_within_their_group():
    assert len(ROWS) == sum(map(len, GROUPS.values()))


def test_every_setup_is_used():
    assert {row.setup for row in ROWS.values()} == set(SETUPS)
