"""multipart/form-data: fields and uploaded files out of a body, read as it arrives (RFC 7578).

This file alone decides what a part may look like, how much of a form is held in memory, and how many fields
and files a peer may send. The boundaries are found by ``python-multipart``; nobody here waits for data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from logging import CRITICAL, Logger
from tempfile import SpooledTemporaryFile

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from aioserve.errors import BadHttpMessage, HttpProcessingError
from aioserve.forms import parse_parameters
from aioserve.multidict import CIMultiDict, CIMultiDictProxy, MultiDict

_IN_MEMORY = 256 * 1024  # bytes of one uploaded file
_MAX_HEADERS = 8  # of one part
_MAX_HEADER_LINE = 4096

_CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# The parser logs a warning for each malformed body: any peer could fill the log.
_SILENT = Logger("python_multipart", CRITICAL)  # noqa: LOG001 - one that nobody's configuration reaches


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file out of a form.

    Attributes:
        name: the name of the field.
        filename: as the peer sent it: perhaps with folders, perhaps empty, where a user chose no file. It is
            no path to write to; `safe_filename` can be part of one.
        content_type: as the peer sent it; ``text/plain`` where it did not (RFC 7578 §4.4).
        headers: all header fields of the part.
        file: the content, at its beginning. Up to 256 KiB are in memory, more are in a temporary file that
            has no name. It is closed with the form.
    """

    name: str
    filename: str
    content_type: str
    headers: CIMultiDictProxy[str]
    file: SpooledTemporaryFile[bytes]

    @property
    def safe_filename(self) -> str:
        r"""The last component of `filename`, fit to name a new file.

        That is what follows the last ``/`` or ``\``, without unprintable characters, without those that some
        file system forbids (``<>:"|?*``), without dots and blanks around it, and at most its last 255 bytes
        in UTF-8; ``file`` where nothing is left.
        """
        name = re.split(r"[/\\]", self.filename)[-1]
        name = "".join(character for character in name if character.isprintable())
        name = re.sub(r'[<>:"|?*]', "", name).strip(". ")
        return name.encode()[-255:].decode(errors="ignore").lstrip(". ") or "file"


class MultipartForm:
    """A form in the making: `feed` it the body, then `finish` it.

    Files beyond 256 KiB are written to the disk within `feed`. `close` closes all files and discards those on
    the disk; where a method raises, that has been done.

    Args:
        boundary: as `aioserve.forms.Multipart` has it.
        max_fields: how many fields of text there may be.
        max_files: how many files there may be.
        max_field_size: how many bytes the text of a field may have.
    """

    def __init__(
        self,
        boundary: str,
        *,
        max_fields: int = 1000,
        max_files: int = 100,
        max_field_size: int = 1024 * 1024,
    ) -> None:
        self._max_fields = max_fields
        self._max_files = max_files
        self._max_field_size = max_field_size
        self._fields: list[tuple[str, str | UploadedFile]] = []
        self._files: list[UploadedFile] = []
        self._is_complete = False
        # The part that is being read
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._name = ""
        self._text = bytearray()
        self._file: UploadedFile | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_LINE,
        )
        self._parser.logger = _SILENT

    def feed(self, data: bytes) -> None:
        """Read the next piece of the body; what follows the last boundary is ignored (RFC 2046 §5.1.1).

        Raises:
            BadHttpMessage: the form is malformed.
            HttpProcessingError: 413, it is over one of the limits.
            OSError: a file cannot be written.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            self.close()
            raise BadHttpMessage("The multipart form is malformed.") from error
        except BaseException:
            self.close()
            raise

    def finish(self) -> MultiDict[str | UploadedFile]:
        """Return all fields, in the order of the form.

        Raises:
            BadHttpMessage: the body ended before its last boundary.
        """
        if not self._is_complete:
            self.close()
            raise BadHttpMessage("The multipart form ends before its last boundary.")
        return MultiDict(self._fields)

    def close(self) -> None:
        """Close all files; doing so again changes nothing."""
        for uploaded in self._files:
            uploaded.file.close()

    # What the parser finds, in this order

    def _on_part_begin(self) -> None:
        self._headers = CIMultiDict()
        self._text.clear()
        self._file = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if _CONTROL_CHARACTER.search(self._header_value):
            raise BadHttpMessage("A header field of the form has a control character.")
        value = self._header_value.decode("utf-8", "replace").strip(" \t")
        self._headers.add(self._header_name.decode("ascii"), value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        dispositions = self._headers.getall("Content-Disposition", [])
        kind, parameters = parse_parameters(dispositions[0]) if len(dispositions) == 1 else ("", {})
        if kind != "form-data" or "name" not in parameters:  # RFC 7578 §4.2
            raise BadHttpMessage("A part of the form has no name.")
        self._name = parameters["name"]
        if "filename" in parameters:
            self._begin_file(parameters["filename"])
        elif len(self._fields) - len(self._files) >= self._max_fields:
            raise HttpProcessingError(413, f"The form has more than {self._max_fields} fields.")

    def _begin_file(self, filename: str) -> None:
        if len(self._files) >= self._max_files:
            raise HttpProcessingError(413, f"The form has more than {self._max_files} files.")
        self._file = UploadedFile(
            self._name,
            filename,
            self._headers.get("Content-Type", "text/plain"),
            CIMultiDictProxy(self._headers),
            SpooledTemporaryFile(_IN_MEMORY),  # noqa: SIM115 - lives until close()
        )
        self._files.append(self._file)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.file.write(memoryview(data)[start:end])
        elif len(self._text) + end - start > self._max_field_size:
            raise HttpProcessingError(413, f"A field of the form has more than {self._max_field_size} bytes.")
        else:
            self._text += data[start:end]

    def _on_part_end(self) -> None:
        if self._file is None:
            self._fields.append((self._name, self._text.decode("utf-8", "replace")))
        else:
            self._file.file.seek(0)
            self._fields.append((self._name, self._file))

    def _on_end(self) -> None:
        self._is_complete = True
