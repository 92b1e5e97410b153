"""multipart/form-data; httpx and the rows of RFC 7578 are the judges."""

from __future__ import annotations

import logging
from contextlib import suppress
from tempfile import SpooledTemporaryFile

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import BadHttpMessage, HttpProcessingError
from aioserve.forms import parse_form_content_type
from aioserve.multidict import CIMultiDict, CIMultiDictProxy
from aioserve.multipart import MultipartForm, UploadedFile

DELIMITER = b"\r\n--boundary"


def encoded(*parts):
    """Write a form of parts that are pairs of header lines and content."""
    return (
        b"".join(b"--boundary\r\n" + head + b"\r\n" + content + b"\r\n" for head, content in parts)
        + b"--boundary--\r\n"
    )


def field(name, content=b"", more=b""):
    return b'Content-Disposition: form-data; name="' + name + b'"' + more + b"\r\n", content


def file(name, content=b"", filename=b"f"):
    return field(name, content, b'; filename="' + filename + b'"')


def read(body, *, step=None, boundary="boundary", **limits):
    """Read a form in pieces of `step` bytes; as plain values, the files closed."""
    form = MultipartForm(boundary, **limits)
    for at in range(0, len(body), step or len(body)):
        form.feed(body[at : at + (step or len(body))])
    pairs = [
        (name, value if isinstance(value, str) else (value.filename, value.content_type, value.file.read()))
        for name, value in form.finish().items()
    ]
    form.close()
    return pairs


# What is read


def test_fields_and_files_come_in_order_under_their_names():
    body = encoded(field(b"a", b"1"), file(b"b", b"\0\xff", b"x.bin"), field(b"a", "т".encode()), field(b"c"))
    expected = [("a", "1"), ("b", ("x.bin", "text/plain", b"\0\xff")), ("a", "т"), ("c", "")]
    assert read(body) == read(body, step=1) == read(body, step=7) == expected


def test_what_httpx_sends_is_read():
    request = httpx.Request(
        "POST",
        "http://localhost",
        data={"text": "líne\r\n--two", "list": ["1", "2"]},
        files=[("up", ('a"b.txt', b"content", "text/x-own")), ("up", ("naïve.bin", b"", None))],
    )
    multipart = parse_form_content_type(request.headers["content-type"])
    assert read(request.read(), boundary=multipart.boundary) == [
        ("text", "líne\r\n--two"),
        ("list", "1"),
        ("list", "2"),
        ("up", ("a%22b.txt", "text/x-own", b"content")),
        ("up", ("naïve.bin", "application/octet-stream", b"")),
    ]


@pytest.mark.parametrize(
    ("reason", "body", "expected"),
    [
        ("no parts", b"--boundary--\r\n", []),
        ("no end of line at the end", encoded(field(b"a", b"1"))[:-2], [("a", "1")]),
        ("epilogue, RFC 2046 §5.1.1", encoded(field(b"a", b"1")) + b"whatever --boundary\r\n", [("a", "1")]),
        ("lines before the first boundary", b"\r\n\r\n" + encoded(field(b"a", b"1")), [("a", "1")]),
        (
            "padding, RFC 2046 §5.1.1",
            encoded(field(b"a", b"1"), field(b"b")).replace(DELIMITER + b"\r", DELIMITER + b" \t\r"),
            [("a", "1"), ("b", "")],
        ),
        ("nearly a boundary", encoded(field(b"a", b"\r\n--boundarx\r\n-")), [("a", "\r\n--boundarx\r\n-")]),
        ("not UTF-8", encoded(field(b"\xff", b"\xfe")), [("\ufffd", "\ufffd")]),
        ("a field left empty", encoded(file(b"f", b"", b"")), [("f", ("", "text/plain", b""))]),
        ("quoted pairs", encoded(file(b'\\"', b"", b"a\\\\b")), [('"', ("a\\b", "text/plain", b""))]),
        (
            "other headers",
            encoded((b"X-A: b\r\nContent-Type:text/html\r\n" + field(b"a")[0], b"1")),
            [("a", "1")],
        ),
        ("RFC 7578 §4.2: no filename*", encoded(field(b"a", b"1", b"; filename*=UTF-8''x")), [("a", "1")]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_form_is_read(reason, body, expected):
    assert read(body) == read(body, step=1) == expected, reason


def test_a_file_has_the_headers_of_its_part():
    form = MultipartForm("boundary")
    form.feed(
        encoded((b"content-type:  text/html \r\nX-Empty:\r\nX-A: 1\r\nX-A: 2\r\n" + file(b"f")[0], b"<p>"))
    )
    uploaded = form.finish()["f"]
    assert (uploaded.name, uploaded.content_type) == ("f", "text/html")
    assert uploaded.headers.getall("x-a") == ["1", "2"]
    assert uploaded.headers["X-Empty"] == ""
    form.close()


@pytest.mark.parametrize(
    ("filename", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("naïve 写真.jpg", "naïve 写真.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cv.pdf", "cv.pdf"),
        ("dir/", "file"),
        ("", "file"),
        ("..", "file"),
        (" .bashrc. ", "bashrc"),
        ("a\0b\r\nc\u202egpj.exe", "abcgpj.exe"),
        ('a<b>:c"|?*.txt', "abc.txt"),
        ("x" * 300 + ".tar.gz", "x" * 248 + ".tar.gz"),
        ("€" * 100 + ".t", "€" * 84 + ".t"),
        ("a" * 3 + "." * 200 + "b" * 100, "b" * 100),
    ],
)
def test_safe_filename_is(filename, safe):
    uploaded = UploadedFile("f", filename, "text/plain", CIMultiDictProxy(CIMultiDict()), None)
    assert uploaded.safe_filename == safe


@given(st.text(max_size=400))
def test_safe_filename_is_always_one_component(filename):
    safe = UploadedFile("f", filename, "", CIMultiDictProxy(CIMultiDict()), None).safe_filename
    assert safe
    assert safe.isprintable()
    assert not set('/\\<>:"|?*') & set(safe)
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 255


# Where files are, and for how long


def test_a_big_file_is_on_the_disk_and_read_from_its_beginning():
    content = bytes(range(256)) * 2048
    form = MultipartForm("boundary")
    body = encoded(file(b"f", content), file(b"g", content[: 256 * 1024]))
    for at in range(0, len(body), 65536):
        form.feed(body[at : at + 65536])
    big, small = (form.finish()[name] for name in "fg")
    assert big.file.fileno() > 0
    assert small.file._rolled is False
    assert big.file.read() == content
    form.close()
    form.close()
    assert big.file.closed
    assert small.file.closed


@pytest.mark.parametrize(
    ("reason", "rest"),
    [
        ("malformed", b"\r\n--boundary\r\nno header\r\n\r\n"),
        ("no name", b"\r\n--boundary\r\n\r\n"),
        ("too many", DELIMITER + b"\r\n" + file(b"g")[0] + b"\r\n"),
        ("truncated", b""),
    ],
)
def test_an_error_closes_the_files(reason, rest):
    form = MultipartForm("boundary", max_files=1)
    form.feed(encoded(file(b"f", b"content")).removesuffix(DELIMITER + b"--\r\n"))
    (uploaded,) = form._files
    assert not uploaded.file.closed
    with pytest.raises(HttpProcessingError):  # noqa: PT012 - which of the two raises is not the point
        form.feed(rest)
        form.finish()
    assert uploaded.file.closed, reason


def test_a_full_disk_closes_the_files(monkeypatch):
    class OnFullDisk(SpooledTemporaryFile):
        def write(self, _data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("aioserve.multipart.SpooledTemporaryFile", OnFullDisk)
    form = MultipartForm("boundary")
    with pytest.raises(OSError, match="No space"):
        form.feed(encoded(file(b"f", b"content")))
    (uploaded,) = form._files
    assert uploaded.file.closed


# What is refused


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("empty", b""),
        ("other boundary", encoded(field(b"a")).replace(b"boundary", b"boundarx")),
        ("text before the first boundary", b"preamble\r\n" + encoded(field(b"a"))),
        ("bare LF", encoded(field(b"a", b"1")).replace(b"\r\n", b"\n")),
        ("RFC 7578 §4.2: no disposition", encoded((b"Content-Type: text/plain\r\n", b"1"))),
        ("RFC 7578 §4.2: two dispositions", encoded((field(b"a")[0] + field(b"b")[0], b"1"))),
        ("RFC 7578 §4.2: not form-data", encoded((b'Content-Disposition: attachment; name="a"\r\n', b"1"))),
        ("RFC 7578 §4.2: no name", encoded((b"Content-Disposition: form-data\r\n", b"1"))),
        ("two names", encoded(field(b"a", b"1", b"; name=b"))),
        ("unterminated name", encoded((b'Content-Disposition: form-data; name="a\r\n', b"1"))),
        ("no headers", encoded((b"", b"1"))),
        ("folded header", encoded((b"X-A: 1\r\n 2\r\n" + field(b"a")[0], b"1"))),
        ("blank in a header name", encoded((b"X A: 1\r\n" + field(b"a")[0], b"1"))),
        ("NUL in a header", encoded(file(b"a", b"1", b"x\0.png"))),
        ("LF in a header", encoded(file(b"a", b"1", b"x\nSet-Cookie: y"))),
        ("nine headers", encoded((b"X-A: 1\r\n" * 8 + field(b"a")[0], b"1"))),
        ("a long header", encoded(file(b"a", b"1", b"x" * 5000))),
        ("a header without end", b"--boundary\r\n" + b"x" * 5000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("step", [1, 100_000])
def test_malformed_form_is_refused_and_not_logged(reason, body, step, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(BadHttpMessage) as caught:
        read(body, step=step)
    assert caught.value.code == 400, reason
    assert caplog.records == []


@pytest.mark.parametrize("end", range(1, len(encoded(field(b"a", b"1"))) - 3))
def test_a_truncated_form_is_refused(end):
    with pytest.raises(BadHttpMessage, match="before its last boundary"):
        read(encoded(field(b"a", b"1"))[:end])


@pytest.mark.parametrize(
    ("limit", "body", "message"),
    [
        ({"max_fields": 2}, encoded(field(b"a"), file(b"f"), field(b"b"), field(b"c")), "more than 2 fields"),
        ({"max_files": 1}, encoded(file(b"f"), field(b"a"), file(b"g")), "more than 1 files"),
        ({"max_field_size": 9}, encoded(file(b"f", b"x" * 99), field(b"a", b"y" * 10)), "more than 9 bytes"),
    ],
    ids=["fields", "files", "size"],
)
@pytest.mark.parametrize("step", [1, 100_000])
def test_limit_answers_413(limit, body, message, step):
    with pytest.raises(HttpProcessingError, match=message) as caught:
        read(body, step=step, **limit)
    assert caught.value.code == 413
    ((name, value),) = limit.items()
    assert read(body, step=step, **{name: value + 1})


# Whatever comes

text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
content = (
    st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"--", b"--boundar", b"boundary", b"-", b"x", b"\0\xff"]),
        max_size=12,
    )
    .map(b"".join)
    .filter(lambda content: DELIMITER not in b"\r\n" + content)
)


@given(
    st.lists(st.tuples(text, st.none() | text, content), max_size=5),
    st.integers(1, 50),
)
def test_forms_read_as_they_were_encoded(parts, step):
    def quoted(value):
        return value.replace("\\", "\\\\").replace('"', '\\"').encode()

    body = encoded(
        *(
            field(quoted(name), data) if filename is None else file(quoted(name), data, quoted(filename))
            for name, filename, data in parts
        )
    )
    assert read(body, step=step) == [
        (name, data.decode("utf-8", "replace") if filename is None else (filename, "text/plain", data))
        for name, filename, data in parts
    ]


@given(st.data())
def test_changed_forms_raise_nothing_but_the_documented_errors(data):
    body = bytearray(encoded(field(b"a", b"1"), file(b"f", b"23"), field(b"b")))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 9)))
        body[start:end] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\r\n", b"--", DELIMITER, b'"', b";"])
        )
    form = MultipartForm("boundary")
    with suppress(HttpProcessingError):
        form.feed(bytes(body))
        form.finish()
    form.close()
    assert all(uploaded.file.closed for uploaded in form._files)


class Metered(bytes):
    """Bytes that count how many of them were looked at."""

    looked_at = 0

    def __getitem__(self, key):
        found = super().__getitem__(key)
        Metered.looked_at += len(found) if isinstance(key, slice) else 1
        return found

    def find(self, sought, start=0, end=None):
        at = super().find(sought, start, len(self) if end is None else end)
        Metered.looked_at += (len(self) if at < 0 else at) - start
        return at

    def rfind(self, sought, start=0, end=None):
        Metered.looked_at += (len(self) if end is None else end) - start
        return super().rfind(sought, start, len(self) if end is None else end)

    def startswith(self, prefix, start=0, end=None):
        Metered.looked_at += len(prefix)
        return super().startswith(prefix, start, len(self) if end is None else end)


@pytest.mark.parametrize(
    ("before", "repeated"),
    [
        (b"\r\n", b"\r\n"),
        (b"\r\n", b"-"),
        (b"\r\n", b"x"),
        (b"--boundary", b" "),
        (b"--boundary\r\n", b"x"),
        (b"--boundary\r\nx:", b" "),
        (b"--boundary\r\nx:", b"y"),
        (b"--boundary\r\n" + file(b"f")[0] + b"\r\n", b"\r"),
        (b"--boundary\r\n" + file(b"f")[0] + b"\r\n", b"\r\n"),
        (b"--boundary\r\n" + file(b"f")[0] + b"\r\n", b"\r\n--boundar"),
        (b"--boundary\r\n" + file(b"f")[0] + b"\r\n", b"\r\n--boundary-"),
        (b"--boundary\r\n" + field(b"f")[0] + b"\r\n", DELIMITER),
        (b"", b"--boundary\r\n" + field(b"f")[0] + b"\r\n\r\n"),
        (b"", b"--boundary\r\n"),
        (b"--boundary--", DELIMITER),
    ],
    ids=repr,
)
@pytest.mark.parametrize("step", [1, 1000, 64 * 1024])
def test_the_work_is_proportional_to_the_length(before, repeated, step):
    length = 64 * 1024
    body = before + repeated * (length // len(repeated))
    form = MultipartForm("boundary", max_fields=length)
    Metered.looked_at = 0
    with suppress(HttpProcessingError):
        for at in range(0, len(body), step):
            form.feed(Metered(body[at : at + step]))
    form.close()
    assert Metered.looked_at <= 8 * length
