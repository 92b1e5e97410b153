from __future__ import annotations

import os
import termios

from aioserve.live.modes import Modes

LOCAL = 3


def test_keys_come_one_by_one_unseen_and_only_ctrl_c_is_a_signal(terminal_pair):
    Modes(terminal_pair.program).take_keys()
    mode = termios.tcgetattr(terminal_pair.program)

    assert not mode[LOCAL] & (termios.ICANON | termios.ECHO)
    assert mode[LOCAL] & termios.ISIG
    assert mode[6][termios.VINTR] == b"\x03"
    assert mode[6][termios.VSUSP] == b"\x00"


def test_terminal_is_left_as_it_was_found(terminal_pair):
    before = termios.tcgetattr(terminal_pair.program)
    modes = Modes(terminal_pair.program)
    modes.take_keys()
    modes.restore()

    assert termios.tcgetattr(terminal_pair.program) == before


def test_what_is_no_terminal_is_left_alone():
    reading, writing = os.pipe()
    modes = Modes(reading)
    modes.take_keys()
    modes.restore()
    os.close(reading)
    os.close(writing)


def test_a_terminal_that_has_gone_is_no_harm(terminal_pair):
    own = os.dup(terminal_pair.program)
    modes = Modes(own)
    os.close(own)
    modes.restore()
