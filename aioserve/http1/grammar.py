"""The grammar of a request on the wire, as patterns over bytes (RFC 9112 §2.2 to §7.1).

This file alone decides which bytes form a head, a chunk line and a trailer. Every quantifier is possessive,
so a match never goes back and takes time linear in its input, whatever the input is. Nothing here is
lenient: lines end with CRLF, names are tokens without blanks around them, folded lines do not exist.
"""

from __future__ import annotations

import re

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # RFC 9110 §5.6.2
_VALUE = rb"[\t -~\x80-\xff]"  # RFC 9110 §5.5, without the control bytes that it calls invalid
# Browsers send some printable bytes raw that RFC 3986 wants encoded ('|', '[', '{'), so all of them are let
# by except the fragment's '#', which is never sent (RFC 9112 §3.2).
_TARGET = rb'[!"$-~]'

_LINE_1 = rb"(" + _TOKEN + rb"++) (" + _TARGET + rb"++) HTTP/1\.([0-9])\r\n"
REQUEST_LINE_1 = re.compile(_LINE_1)
HEAD = re.compile(_LINE_1 + rb"((?:" + _TOKEN + rb"++:" + _VALUE + rb"*+\r\n)*+)\r\n")
REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"++) (" + _TARGET + rb"++) HTTP/([0-9])\.([0-9])\r\n")
FIELD_LINE = re.compile(_TOKEN + rb"++:" + _VALUE + rb"*+\r\n")
TOKEN = re.compile(_TOKEN + rb"++")
TOKENS = re.compile(  # RFC 9110 §5.6.1
    rb"[\t ,]*+(?:" + _TOKEN + rb"++[\t ]*+,[\t ,]*+)*+(?:" + _TOKEN + rb"++[\t ]*+)?+"
)

# What a line may hold at all; what `bytes.translate` leaves over is a line end or a reason to refuse.
REQUEST_LINE_BYTES = bytes(range(0x20, 0x7F))
FIELD_LINE_BYTES = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

# The grammar lets a port have any digits; there are none over 65535 (RFC 9293 §3.1).
_PORT = rb"0*+(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4}+)?+"

# uri-host [ ":" port ] (RFC 9112 §3.2, RFC 3986 §3.2.2), and not empty: an http URI has a host.
HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]++\]|\[v[0-9A-Fa-f]++\.[A-Za-z0-9\-._~!$&'()*+;=:]++\]"
    rb"|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})++)(?::" + _PORT + rb")?+"
)

_BLANKS = rb"[\t ]*+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'  # RFC 9110 §5.6.4
PLAIN_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16}+)\r\n")
CHUNK_LINE = re.compile(  # RFC 9112 §7.1 and §7.1.1; sixteen digits are more bytes than there are
    rb"([0-9A-Fa-f]{1,16}+)"
    rb"((?:" + _BLANKS + rb";" + _BLANKS + _TOKEN + rb"++"
    rb"(?:" + _BLANKS + rb"=" + _BLANKS + rb"(?:" + _TOKEN + rb"++|" + _QUOTED + rb"))?+)*+)\r\n"
)
