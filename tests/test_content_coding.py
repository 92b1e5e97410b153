"""Content codings: the libraries' own encoders are the judges of the decoders, and the other way round."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from contextlib import suppress
from importlib import import_module
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve import content_coding
from aioserve.content_coding import Encoder, decoder_for, supported_codings
from aioserve.errors import ContentEncodingError

MIB = 1024 * 1024


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def brotli_encoded(data):
    return import_module("brotli").compress(data, quality=1)


def zstd_encoded(data):
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return import_module(name).compress(data)


def needs(coding):
    return pytest.mark.skipif(coding not in supported_codings(), reason=f"no library for {coding}")


CODINGS = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", raw_deflate, id="raw-deflate"),
    pytest.param("br", brotli_encoded, id="br", marks=needs("br")),
    pytest.param("zstd", zstd_encoded, id="zstd", marks=needs("zstd")),
]
REPEATABLE = [parameter for parameter in CODINGS if parameter.id in {"gzip", "zstd"}]
SINGLE = [parameter for parameter in CODINGS if parameter not in REPEATABLE]

every_coding = pytest.mark.parametrize(("coding", "encoded"), CODINGS)


def slices(coding, pieces, max_length):
    """Decode as a caller does, and check on the way what `decode` promises."""
    decoder = decoder_for(coding)
    for piece in pieces:
        output = decoder.decode(piece, max_length)
        while output or not decoder.needs_input:
            assert 1 <= len(output) <= max_length
            yield output
            output = decoder.decode(b"", max_length)
    decoder.finish()


def decoded(coding, *pieces, max_length=64 * 1024):
    return b"".join(slices(coding, pieces, max_length))


# Names


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("gzip", "§8.4.1.3"),
        ("x-gzip", "§8.4.1.3: equivalent"),
        ("GZip", "§8.4.1: case-insensitive"),
        ("deflate", "§8.4.1.2"),
    ],
)
def test_coding_is_decoded(name, clause):
    assert decoder_for(name) is not None, clause


@pytest.mark.parametrize("name", ["identity", "compress", "gzip, gzip", "", "brotli", "ﬂate"])
def test_coding_is_not_supported(name):
    assert decoder_for(name) is None


def test_supported_codings_are_those_that_have_a_decoder():
    assert supported_codings()[:2] == ("gzip", "deflate")
    assert all(decoder_for(name) is not None for name in supported_codings())


# Optional libraries


@pytest.fixture
def fresh_libraries():
    """The libraries are looked for again, in this test and after it."""
    caches = content_coding._br, content_coding._zstd
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("fresh_libraries")
def test_without_libraries_there_are_the_codings_of_zlib(monkeypatch):
    for name in ("brotli", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert supported_codings() == ("gzip", "deflate")
    assert decoder_for("br") is decoder_for("zstd") is None


@pytest.mark.usefixtures("fresh_libraries")
def test_brotli_that_cannot_limit_its_output_is_not_used(monkeypatch):
    old = ModuleType("brotli")
    old.Decompressor = type("Decompressor", (), {"process": lambda _self, data: data})
    monkeypatch.setitem(sys.modules, "brotli", old)
    assert decoder_for("br") is None


# Whole bodies


@every_coding
@given(data=st.data())
def test_decodes_to_what_was_encoded_however_it_is_cut(coding, encoded, data):
    body = data.draw(
        st.binary(max_size=300) | st.builds(lambda b, n: b * n, st.binary(max_size=9), st.integers(0, 9999))
    )
    wire = encoded(body)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    max_length = data.draw(st.integers(len(body) // 50 + 1, 50_000))
    assert decoded(coding, *pieces, max_length=max_length) == body


@every_coding
def test_data_that_does_not_compress_is_decoded(coding, encoded):
    body = bytes(zlib.crc32(n.to_bytes(4)) & 0xFF for n in range(200_000))
    assert decoded(coding, encoded(body)) == decoded(coding, encoded(body), max_length=777) == body


@every_coding
def test_input_given_before_the_last_was_used_up_is_kept(coding, encoded):
    body = b"0123456789" * 10_000
    wire = encoded(body)
    decoder = decoder_for(coding)
    output = bytearray()
    for at in range(len(wire)):
        output += decoder.decode(wire[at : at + 1], 7)
    while not decoder.needs_input:
        output += decoder.decode(b"", 70_000)
    decoder.finish()
    assert output == body


@every_coding
def test_a_bomb_is_decoded_in_flat_memory(coding, encoded):
    bomb = encoded(bytes(64 * MIB))
    assert len(bomb) < MIB // 4
    tracemalloc.start()
    try:
        length = sum(map(len, slices(coding, [bomb], 64 * 1024)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length == 64 * MIB
    assert peak < MIB


@needs("zstd")
def test_a_zstd_window_over_8_mib_is_refused():
    # RFC 8878 §3.1.1: magic number; descriptor without content size; window of 2**24 bytes; empty last block
    frame = bytes.fromhex("28b52ffd 00") + bytes([(24 - 10) << 3]) + bytes.fromhex("010000")
    with pytest.raises(ContentEncodingError):
        decoded("zstd", frame)
    assert decoded("zstd", frame.replace(bytes([14 << 3]), bytes([13 << 3]))) == b""


# Broken bodies


@every_coding
@pytest.mark.parametrize("length", [0, 1, 5, -1], ids=["empty", "one-byte", "head", "all-but-one"])
def test_a_truncated_body_is_an_error(coding, encoded, length):
    with pytest.raises(ContentEncodingError, match="truncated"):
        decoded(coding, encoded(b"some text that is long enough")[:length])


@pytest.mark.parametrize(("coding", "encoded"), REPEATABLE)
def test_several_members_are_one_body(coding, encoded):
    wire = encoded(b"one ") + encoded(b"") + encoded(b"two")
    assert decoded(coding, wire) == b"one two"
    assert decoded(coding, *(bytes([byte]) for byte in wire), max_length=1) == b"one two"


@pytest.mark.parametrize(("coding", "encoded"), REPEATABLE)
def test_members_without_end_are_an_error(coding, encoded):
    assert decoded(coding, encoded(b"") * 1000) == b""
    with pytest.raises(ContentEncodingError, match="more parts"):
        decoded(coding, encoded(b"") * 1001)


@needs("zstd")
def test_skippable_zstd_frames_are_skipped():
    skippable = bytes.fromhex("502a4d18 03000000") + b"abc"  # RFC 8878 §3.1.2
    assert decoded("zstd", skippable + zstd_encoded(b"text") + skippable) == b"text"


@pytest.mark.parametrize(("coding", "encoded"), SINGLE)
@pytest.mark.parametrize("together", [True, False], ids=["in-one-piece", "in-two"])
def test_a_second_body_behind_the_first_is_an_error(coding, encoded, together):
    wire = encoded(b"one")
    pieces = [wire + wire] if together else [wire, wire]
    with pytest.raises(ContentEncodingError):
        decoded(coding, *pieces)


@every_coding
@pytest.mark.parametrize("garbage", [b"\0", b"garbage", b"\x1f\x8b"], ids=["zero", "text", "half-a-member"])
def test_garbage_behind_the_end_is_an_error(coding, encoded, garbage):
    with pytest.raises(ContentEncodingError):
        decoded(coding, encoded(b"text") + garbage)


def test_a_wrong_checksum_is_an_error():
    wire = bytearray(gzip.compress(b"text"))
    wire[-5] ^= 1
    with pytest.raises(ContentEncodingError, match="corrupt"):
        decoded("gzip", bytes(wire))


def test_a_preset_dictionary_is_an_error():
    compressor = zlib.compressobj(zdict=b"text")
    with pytest.raises(ContentEncodingError, match="corrupt"):
        decoded("deflate", compressor.compress(b"text") + compressor.flush())


@every_coding
@given(data=st.data())
def test_changed_bytes_raise_nothing_but_the_documented_error(coding, encoded, data):
    wire = bytearray(encoded(data.draw(st.binary(max_size=100))))
    for at in data.draw(st.lists(st.integers(0, len(wire) - 1), min_size=1, max_size=4)):
        wire[at] = data.draw(st.integers(0, 255))
    with suppress(ContentEncodingError):
        decoded(coding, bytes(wire), max_length=1000)


@pytest.mark.parametrize("max_length", [0, -1])
def test_a_slice_has_a_length(max_length):
    with pytest.raises(ValueError, match="max_length must be positive"):
        decoder_for("gzip").decode(b"", max_length)


# Encoding


@pytest.mark.parametrize(
    ("coding", "judge"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)], ids=["gzip", "deflate"]
)
@given(pieces=st.lists(st.binary(max_size=200), max_size=5))
def test_encoded_pieces_decode_to_the_whole(coding, judge, pieces):
    encoder = Encoder(coding)
    wire = b"".join([encoder.compress(piece) for piece in pieces] + [encoder.finish()])
    assert judge(wire) == decoded(coding, wire) == b"".join(pieces)


@pytest.mark.parametrize("coding", ["br", "identity", ""])
def test_other_codings_have_no_encoder(coding):
    with pytest.raises(ValueError, match="not one of"):
        Encoder(coding)
