"""A form, and what happens to an uploaded file. Run it with: aioserve examples/upload.py:Handler."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage

PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Upload</title>
<form method="post" enctype="multipart/form-data">
<label>Your name <input name="name"></label>
<label>A file <input type="file" name="file"></label>
<button>Send</button>
</form>
"""


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:
        match message.method:
            case "GET" | "HEAD":
                self.writer.write_response(200, PAGE, content_type="text/html; charset=utf-8")
            case "POST":
                form = await payload.form()  # a file is on disk once it is larger than 256 KiB
                if "file" not in form:
                    raise aioserve.HttpProcessingError(422, "There is no file in the form.")
                size = len(form["file"].file.read())
                name = escape(form.get("name", "somebody"))
                answer = f"<!DOCTYPE html><p>{name} sent {size} bytes."
                self.writer.write_response(200, answer, content_type="text/html; charset=utf-8")
            case _:
                raise aioserve.HttpMethodNotAllowed(["GET", "HEAD", "POST"])
