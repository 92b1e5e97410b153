"""The certificate for development, made by the program where there is one, and by a stand-in elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from pathlib import Path
from shutil import rmtree

import pytest

from aioserve.errors import TlsError
from aioserve.listen import self_signed
from aioserve.listen.leaf import read_leaf
from aioserve.listen.self_signed import self_signed_file
from aioserve.listen.tls import Pair, make_context
from aioserve.settings import Tls

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl is not installed")


@needs_openssl
@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("Box.lan", ("localhost", "box.lan")),
        ("localhost", ("localhost",)),
        ("a\nb", ("localhost",)),
        ("a,DNS:evil", ("localhost",)),
        ("", ("localhost",)),
    ],
)
def test_it_can_be_served_and_has_the_names_of_the_machine(monkeypatch, host, names):
    monkeypatch.setattr(socket, "gethostname", lambda: host)

    with self_signed_file() as name:
        leaf = read_leaf(make_context(Tls(), Pair(name)))

    assert leaf.names == names
    assert leaf.complaint == ""
    assert 29 < (leaf.ends - time.time()) / 86_400 < 31


@needs_openssl
def test_only_its_owner_can_read_it_and_in_the_end_nothing_is_left():
    with self_signed_file() as name:
        folder = Path(name).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


@needs_openssl
def test_child_that_leaves_the_block_leaves_the_file_to_its_parent(monkeypatch):
    with self_signed_file() as name:
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: 1)
            with self_signed_file() as own:
                child.undo()
        assert Path(own).exists()
        assert Path(name).exists()
    rmtree(Path(own).parent)


def refusal():
    with pytest.raises(TlsError) as refused, self_signed_file():
        pass
    return str(refused.value)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Write the script that is found as ``openssl``."""

    def write(text, mode=0o755):
        (tmp_path / "openssl").write_text(text)
        (tmp_path / "openssl").chmod(mode)

    monkeypatch.setenv("PATH", str(tmp_path))
    return write


@pytest.mark.usefixtures("program")
def test_without_the_program_it_is_said_what_to_install():
    assert refusal() == (
        "--ssl-self-signed: there is no program openssl; install the package openssl, "
        "or give a certificate by --ssl-certfile"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'first' >&2; echo 'cannot do it' >&2; exit 1", "openssl has failed: cannot do it"),
        ("exit 3", "openssl has failed: it does not say why"),
    ],
)
def test_what_the_program_says_last_is_passed_on(program, text, said):
    program(f"#!/bin/sh\n{text}\n")
    assert refusal() == f"--ssl-self-signed: {said}"


def test_a_program_that_cannot_be_run_is_refused(program):
    program("#!/bin/sh\n", mode=0o644)
    assert refusal().startswith("--ssl-self-signed: openssl cannot be run: ")


def test_a_program_that_does_not_end_is_given_up(monkeypatch):
    def run(words, **more):
        raise subprocess.TimeoutExpired(words, more["timeout"])

    monkeypatch.setattr(self_signed.subprocess, "run", run)
    assert refusal().startswith("--ssl-self-signed: openssl cannot be run: ")
    assert os.environ["PATH"]
