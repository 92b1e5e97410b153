"""One pair of files: read, tried, noticed when it changes, and what is said of its end."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

import pytest

from aioserve.errors import TlsError
from aioserve.listen import kept_pair
from aioserve.listen.kept_pair import DAY, KeptPair, format_date
from aioserve.listen.leaf import Leaf
from aioserve.listen.tls import Pair
from aioserve.settings import Tls
from tests.listen.pem import CERTIFICATE, CLIENT, CLIENT_CA, EXPIRED, KEY, NEXT

END = 1_609_459_200.0  # of EXPIRED: 2021-01-01


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def keep(folder):
    def keep(certificate=CERTIFICATE, **more):
        (folder / "cert.pem").write_text(certificate)
        (folder / "key.pem").write_text(KEY)
        return KeptPair(Tls(**more), Pair("cert.pem", "key.pem"))

    return keep


def said(pair, now, caplog):
    caplog.clear()
    pair.tell(now)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_pair_is_read_again_into_a_context_of_its_own(keep, folder):
    pair = keep()
    before = pair.context, pair.leaf.der
    (folder / "cert.pem").write_text(NEXT)
    pair.load()
    assert pair.leaf.der == ssl.PEM_cert_to_DER_cert(NEXT)
    assert pair.context is not before[0]


def test_a_pair_that_cannot_be_used_leaves_what_was(keep, folder):
    pair = keep()
    before = pair.context, pair.leaf
    (folder / "cert.pem").write_text(NEXT[:200])
    with pytest.raises(TlsError, match="no certificate in PEM"):
        pair.load()
    assert (pair.context, pair.leaf) == before


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ssl.SSLError(1, "no reason"), r".+"),
        (ValueError("time data is no time"), "time data is no time"),
    ],
)
def test_a_pair_with_which_no_handshake_succeeds_is_refused(keep, monkeypatch, error, reason):
    def read_leaf(_context):
        raise error

    monkeypatch.setattr(kept_pair, "read_leaf", read_leaf)
    with pytest.raises(
        TlsError, match=rf"^'cert.pem' and 'key.pem': no handshake succeeds with it: {reason}$"
    ):
        keep()


def replace(path):
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)


def touch(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def append(path):
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("change", [replace, touch, append, Path.unlink])
@pytest.mark.parametrize("name", ["cert.pem", "key.pem", "ca.pem", "password"])
def test_a_change_is_noticed_once(keep, folder, change, name):
    (folder / "ca.pem").write_text(CLIENT_CA)
    (folder / "password").write_text("secret")
    pair = keep(client_ca="ca.pem", password_file="password")  # noqa: S106 - a file
    assert not pair.notice_change()
    change(folder / name)
    assert pair.notice_change()
    assert not pair.notice_change()


def test_a_link_that_leads_to_another_file_is_a_change(keep, folder):
    pair = keep()
    key, old, new = (folder / name for name in ("key.pem", "old.pem", "new.pem"))
    key.rename(old)
    key.symlink_to(old)
    pair.notice_change()
    new.write_text(KEY)
    key.unlink()
    key.symlink_to(new)
    assert pair.notice_change()


def test_what_changes_while_it_is_read_is_noticed(keep, folder, monkeypatch):
    read_leaf = kept_pair.read_leaf

    def change_and_read(context):
        touch(folder / "cert.pem")
        return read_leaf(context)

    monkeypatch.setattr(kept_pair, "read_leaf", change_and_read)
    assert keep().notice_change()


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (15 * DAY, None),
        (14 * DAY, ("WARNING", "expires in 14 days, on 2021-01-01 00:00 UTC")),
        (DAY - 1, ("WARNING", "expires in 0 days, on 2021-01-01 00:00 UTC")),
        (0, ("ERROR", "has expired, on 2021-01-01 00:00 UTC")),
        (-DAY, ("ERROR", "has expired, on 2021-01-01 00:00 UTC")),
    ],
)
def test_of_an_end_that_is_near_is_told(keep, caplog, before, message):
    pair = keep(EXPIRED)
    expected = [(message[0], f"'cert.pem' and 'key.pem': the certificate {message[1]}")] if message else []
    assert said(pair, END - before, caplog) == expected
    assert pair.problem(END - before) == (f"the certificate {message[1]}" if before <= 0 else "")


def test_of_a_certificate_that_no_client_will_have_is_told(keep, caplog):
    ((level, text),) = said(keep(CLIENT), END, caplog)
    assert level == "ERROR"
    assert text.startswith("'cert.pem' and 'key.pem': clients refuse the certificate: ")


def test_of_an_end_that_cannot_be_known_nothing_is_told(keep, caplog):
    caplog.set_level(logging.DEBUG)
    pair = keep()
    pair.leaf = Leaf(b"")
    assert pair.problem(END) == ""
    assert said(pair, END, caplog) == []


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(TlsError):
        KeptPair(Tls(), Pair("a\0b"))


def test_times_are_written_for_people():
    assert format_date(0) == "1970-01-01 00:00 UTC"


def test_the_same_is_told_once_a_day(keep, caplog):
    """The files may be read again all the time, also those of another certificate."""
    pair = keep(EXPIRED)
    begin = END - 3 * DAY
    assert len(said(pair, begin, caplog)) == 1
    pair.load()
    assert said(pair, begin + 1, caplog) == said(pair, begin + DAY - 1, caplog) == []

    assert len(said(pair, begin + DAY, caplog)) == 1
    assert said(pair, begin + 2 * DAY - 1, caplog) == []
    assert len(said(pair, begin + DAY - 1, caplog)) == 1  # a clock that was put back


def test_what_has_become_of_it_is_told_at_once(keep, caplog):
    pair = keep(EXPIRED)
    assert [level for level, _ in said(pair, END - 1, caplog)] == ["WARNING"]
    assert [level for level, _ in said(pair, END, caplog)] == ["ERROR"]
    assert said(pair, END + 1, caplog) == []


def test_of_another_certificate_is_told_at_once(keep, folder, caplog):
    pair = keep(EXPIRED)
    said(pair, END, caplog)
    (folder / "cert.pem").write_text(CLIENT)
    pair.load()
    ((level, text),) = said(pair, END, caplog)

    assert level == "ERROR"
    assert "clients refuse the certificate" in text
