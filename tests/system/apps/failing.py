"""Answers, and fails where it is asked to."""

from __future__ import annotations

import aioserve


class Handler(aioserve.ServerHttpProtocol):
    def handle_request(self, message, payload):  # noqa: ARG002
        answers = {"/": "Hello\n"}
        self.writer.write_response(200, answers[message.path])
