from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from aioserve.own_file import OwnFile


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Work in a folder: the path of a socket cannot be long."""
    monkeypatch.chdir(tmp_path)
    return Path("file")


def make_text(path):
    path.write_text("ours")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize("make", [make_text, make_socket])
def test_file_is_ours_until_it_is_removed(path, make):
    make(path)
    own = OwnFile.at(path)

    assert own.is_ours
    own.remove()
    assert not path.exists()
    assert not own.is_ours
    own.remove()


@pytest.mark.parametrize("make", [make_text, make_socket])
def test_file_with_the_inode_of_ours_is_another_if_it_was_made_later(path, make):
    """Where a file has gone, the next one often has its number."""
    make(path)
    own = OwnFile.at(path)
    os.utime(path, ns=(own.identity[2] + 1, own.identity[2] + 1))

    assert not own.is_ours
    own.remove()
    assert path.exists()


def test_file_with_another_inode_is_another(path):
    path.write_text("ours")
    own = OwnFile.at(path)
    other = path.with_name("other")
    other.write_text("another's")
    os.utime(other, ns=(own.identity[2], own.identity[2]))
    other.replace(path)

    assert not own.is_ours


def test_link_to_our_file_is_not_our_file(path):
    path.write_text("ours")
    own = OwnFile.at(path)
    path.rename("moved")
    path.symlink_to("moved")
    own.remove()

    assert path.is_symlink()


def test_file_must_be_there(path):
    with pytest.raises(FileNotFoundError):
        OwnFile.at(path)


def test_file_that_cannot_be_removed_stays(path, monkeypatch):
    def unlink(_path):
        raise PermissionError

    path.write_text("ours")
    own = OwnFile.at(path)
    monkeypatch.setattr(Path, "unlink", unlink)
    own.remove()

    assert own.is_ours
