"""What a client makes of the bytes that a server wrote, if it knows which requests it sent.

This file decides when bytes are a sequence of answers. h11 reads each answer, for it is not our code. What it
cannot tell, as it is asked to read one answer to one request, is judged here: that 100 Continue comes once
and only to a request that asked for it, that nothing stands behind an answer that ends the connection, and
where an answer was cut off. So is keep-alive in HTTP/1.0, of which h11 knows nothing.

An answer to bytes that are no request is read as one to GET: no method was understood.
"""

# ruff: noqa: ANN001, ANN201, ANN202, INP001 - scripts, with the tests' freedom from annotations

from __future__ import annotations

from typing import NamedTuple

import h11

MOST = 1 << 20  # bytes of a head


class Said(NamedTuple):
    """One final answer.

    Attributes:
        status: of it.
        closes: no other answer may stand behind it.
        is_whole: its end is there, or the end of the connection tells it.
        switches: what follows is no HTTP.
    """

    status: int
    closes: bool
    is_whole: bool
    switches: bool = False

    @property
    def persists(self):
        """Whether another answer may stand behind it."""
        return self.is_whole and not (self.closes or self.switches)


def read_answers(data, messages):
    """Take what a server wrote apart.

    Args:
        data: the bytes.
        messages: the heads of the requests, in their order.

    Raises:
        AssertionError, h11.RemoteProtocolError: the bytes are no sequence of answers.
    """
    answers = []
    while data:
        message = messages[len(answers)] if len(answers) < len(messages) else None
        if answers and not answers[-1].persists:
            raise AssertionError(f"{data!r} stands behind {answers[-1]}")
        answer, data = _read_answer(data, message)
        if answer is None:
            break
        answers.append(answer)
        if answer.switches:
            break  # what follows is for another client
    return answers


def _read_answer(data, message):
    """Read one final answer and the interim ones before it; return it, and what stands behind.

    The answer is None where only interim ones are there, as the client broke its body off.
    """
    client = _client_for(message)
    client.receive_data(data)
    head, interim = None, []
    while True:
        match client.next_event():
            case h11.InformationalResponse(status_code=status) if status != 101:
                interim.append(status)
                if interim != [100] or message is None or not message.expects_continue:
                    raise AssertionError(f"{interim} were said to {message}")
            case h11.InformationalResponse() | h11.Response() as head:
                if client.their_state is h11.SWITCHED_PROTOCOL:
                    switched = Said(head.status_code, closes=False, is_whole=True, switches=True)
                    return switched, client.trailing_data[0]
            case h11.EndOfMessage():
                return Said(head.status_code, _closes(head), is_whole=True), client.trailing_data[0]
            case h11.NEED_DATA:
                if head is None and client.trailing_data[0]:
                    raise AssertionError(f"{data!r} is no whole head")  # each is written at once
                return head and _at_end(head), b""


def _client_for(message):
    """Make a client that has sent one request."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST)
    fields = [("Host", "a")]
    if message is not None and message.upgrade:
        fields += [("Upgrade", "any"), ("Connection", "upgrade")]
    method = "GET" if message is None else message.method
    client.send(h11.Request(method=method, target="/", headers=fields))
    client.send(h11.EndOfMessage())
    return client


def _at_end(head):
    """Return an answer whose end is not there: it was cut off, unless the connection's end is its own."""
    names = {name for name, _value in head.headers}
    ends_by_close = not names & {b"content-length", b"transfer-encoding"}
    return Said(head.status_code, closes=True, is_whole=ends_by_close)


def _closes(head):
    """Return whether an answer ends the connection (RFC 9112 §9.3); to h11 every one of HTTP/1.0 does."""
    options = dict(head.headers).get(b"connection", b"").lower().split(b", ")
    return b"close" in options or (head.http_version < b"1.1" and b"keep-alive" not in options)
