"""A handshake without a socket, for the tests of more than one file."""

from __future__ import annotations

import ssl


class Handshake:
    """A client and a server that hear each other through memory.

    Args:
        server: its context.
        client: its context.
        name: what the client asks for; None where it sends no name.
        session: what the client wants to take up again.
    """

    def __init__(self, server, client, name="localhost", session=None):
        self._to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._from_client = ssl.MemoryBIO()
        self.server = server.wrap_bio(self._to_server, to_client, server_side=True)
        self.client = client.wrap_bio(to_client, self._from_client, server_hostname=name, session=session)

    def run(self, change=lambda data: data):
        """Let each speak until both have done; what the server refuses is raised.

        Args:
            change: what becomes of the bytes of the client.
        """
        waiting = [self.client, self.server]
        while waiting:
            for each in tuple(waiting):
                try:
                    each.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                else:
                    waiting.remove(each)
                self._to_server.write(change(self._from_client.read()))
        return self
