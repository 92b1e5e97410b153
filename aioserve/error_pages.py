"""Error pages: what a client reads when a request ends in an error.

This file decides the form of the page (HTML for a browser, JSON for a program that asks for it, plain text
for all others), what it says, and which frames of a traceback are worth showing. It does no input or output.
"""

from __future__ import annotations

import asyncio
import traceback as tracebacks
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

_OFFERS = ("text/plain", "text/html", "application/json")  # plain text first: `*/*` is curl

_INTERNAL_FOLDERS = tuple(f"{Path(file).parent}/" for file in (__file__, asyncio.__file__))

_HTML = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ --text: #1c1e21; --quiet: #5a6068; --ground: #fff; --panel: #f3f4f6 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --text: #e6e8eb; --quiet: #a2a9b3; --ground: #16181b; --panel: #22262b }}
}}
body {{ margin: 0; background: var(--ground); color: var(--text); font: 1.125rem/1.5 system-ui, sans-serif }}
main {{ max-width: 60rem; margin: 0 auto; padding: 12vh 1.5rem 3rem }}
h1 {{ margin: 0; font-size: 1.75rem; line-height: 1.25 }}
h1 span {{ color: var(--quiet); font-weight: 400 }}
p {{ margin: 1rem 0; overflow-wrap: anywhere; white-space: pre-wrap }}
pre {{ padding: 1rem; overflow-x: auto; background: var(--panel); border-radius: .5rem; font-size: .875rem }}
</style>
</head>
<body>
<main>
<h1><span>{status}</span> {reason}</h1>
{details}</main>
</body>
</html>
"""


def render_error_page(
    *, status: int, reason: str, message: str, accept: str | None, traceback: str | None
) -> tuple[str, bytes]:
    """Make the body of an error answer.

    Args:
        status: the status code.
        reason: its reason phrase.
        message: a sentence for the reader; may be empty.
        accept: the Accept field of the request, or None.
        traceback: shown where given, as `format_traceback` makes it.

    Returns:
        The value of Content-Type, and the body. Where Accept allows none of the three forms it is plain text:
        an error that is understood is worth more than a 406 (RFC 9110 §12.5.1 leaves the choice).
    """
    from aioserve.http.negotiation import preferred_media_type  # noqa: PLC0415 - with the first error

    reason = escape_controls(reason)
    message = escape_controls(message)
    traceback = None if traceback is None else escape_controls(traceback)
    match preferred_media_type(accept, _OFFERS):
        case "text/html":
            return "text/html; charset=utf-8", _render_html(status, reason, message, traceback).encode()
        case "application/json":
            return "application/json", _render_json(status, reason, message, traceback).encode()
        case _:
            return "text/plain; charset=utf-8", _render_text(status, reason, message, traceback).encode()


def format_traceback(exc: BaseException) -> str:
    """Write an exception as Python does, without the frames of aioserve and asyncio.

    Never fails, whatever the exception's own methods do.
    """
    try:
        whole = tracebacks.TracebackException.from_exception(exc, compact=True)
        for part in _parts(whole):
            _leave_out_internal(part.stack)
        return "".join(whole.format())
    except Exception as error:  # noqa: BLE001 - an exception's attributes may be any code
        return f"{type(exc).__name__} (its traceback cannot be shown: {type(error).__name__})\n"


def is_internal(filename: str) -> bool:
    """Tell whether a frame is aioserve's or asyncio's own, and no news to whoever wrote a handler."""
    return filename.startswith(_INTERNAL_FOLDERS)


def _parts(whole: tracebacks.TracebackException) -> Iterator[tracebacks.TracebackException]:
    """Walk an exception, what it was raised from, and what it groups."""
    waiting = [whole]
    while waiting:
        part = waiting.pop()
        yield part
        linked = (part.__cause__, part.__context__, *(part.exceptions or ()))
        waiting += [other for other in linked if other is not None]


def _leave_out_internal(stack: tracebacks.StackSummary) -> None:
    others = [frame for frame in stack if not is_internal(frame.filename)]
    if others:  # else the error is ours, and all there is to see
        stack[:] = others


def _render_html(status: int, reason: str, message: str, traceback: str | None) -> str:
    import html  # noqa: PLC0415 - as above

    details = ""
    if message:
        details += f"<p>{html.escape(message)}</p>\n"
    if traceback is not None:
        details += f"<pre>{html.escape(traceback)}</pre>\n"
    reason = html.escape(reason)
    return _HTML.format(title=f"{status} {reason}", status=status, reason=reason, details=details)


def _render_json(status: int, reason: str, message: str, traceback: str | None) -> str:
    import json  # noqa: PLC0415 - as above

    page: dict[str, object] = {"status": status, "error": reason, "message": message}
    if traceback is not None:
        page["traceback"] = traceback.splitlines()
    return json.dumps(page, ensure_ascii=False) + "\n"


def _render_text(status: int, reason: str, message: str, traceback: str | None) -> str:
    paragraphs = [f"{status} {reason}", message, traceback or ""]
    return "\n\n".join(paragraph.strip("\n") for paragraph in paragraphs if paragraph) + "\n"
