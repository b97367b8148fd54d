"""The aws-chunked decoder against Amazon's published bodies, bodies made here, and every cut of them."""

import hashlib
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.s3 import chunked, sigv4
from elasticlake.s3.sigv4 import STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = sigv4.signing_key(SECRET, "20130524", "us-east-1")
NOW_MS = 1_369_353_600_000
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
MODES = (STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER)


def signer(seed: str = SEED) -> sigv4.ChunkSigner:
    credentials = sigv4.Credentials(
        KEY_ID, "20130524", "us-east-1", "s3", ("host",), seed, "20130524T000000Z", NOW_MS, "header", None, "x"
    )
    return sigv4.ChunkSigner(credentials, KEY, seed)


def encode(
    mode: str, chunks: Sequence[bytes], trailers: Sequence[tuple[str, str]] = (), trailer_signature: str | None = None
) -> bytes:
    """An aws-chunked body of these chunks and the last, empty one."""
    sign = None if mode == STREAMING_UNSIGNED_TRAILER else signer()
    body = b""
    for chunk in (*chunks, b""):
        extension = f";chunk-signature={sign.sign_chunk(hashlib.sha256(chunk).hexdigest())}" if sign else ""
        body += f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    body += "".join(f"{name}:{value}\r\n" for name, value in trailers).encode()
    if sign and mode == STREAMING_SIGNED_TRAILER:
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers))
        signature = trailer_signature or sign.sign_trailer(hashlib.sha256(lines.encode()).hexdigest())
        body += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return body + b"\r\n"


def decoder(mode: str, size_bytes: int, names: Iterable[str] = ()) -> chunked.ChunkedDecoder:
    sign = None if mode == STREAMING_UNSIGNED_TRAILER else signer()
    return chunked.ChunkedDecoder(mode, size_bytes, trailer_names=tuple(names), signer=sign)


def decode(
    mode: str, body: bytes, size_bytes: int, names: Iterable[str] = (), cuts: Iterable[int] = ()
) -> tuple[bytes, dict[str, str]]:
    made = decoder(mode, size_bytes, names)
    places = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    pieces = [bytes(piece) for start, end in pairwise(places) for piece in made.feed(body[start:end])]
    return b"".join(pieces), made.finish()


def refusal_code(mode: str, body: bytes, size_bytes: int, names: Iterable[str] = (), cuts: Iterable[int] = ()) -> str:
    with pytest.raises((chunked.ChunkedBodyError, sigv4.SignatureError)) as caught:
        decode(mode, body, size_bytes, names, cuts)
    error: Any = caught.value
    assert error.message
    return str(error.code)


def test_published_example_of_signed_chunks() -> None:
    """Amazon S3 API Reference, "Signature Calculations ... Multiple Chunks": 66,560 bytes in chunks of 64 KiB."""
    signatures = (
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )
    chunks = (b"a" * 65536, b"a" * 1024, b"")
    body = b"".join(
        f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + b"\r\n"
        for chunk, signature in zip(chunks, signatures, strict=True)
    )
    assert len(body) == 66824
    assert decode(STREAMING_SIGNED, body, 66560) == (b"a" * 66560, {})


def test_published_seed_signature() -> None:
    headers = {
        "content-encoding": "aws-chunked",
        "content-length": "66824",
        "x-amz-decoded-content-length": "66560",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    path = b"/examplebucket/chunkObject.txt"
    made = sigv4.sign(
        "PUT", "s3.amazonaws.com", path, (), headers, KEY_ID, SECRET, "us-east-1", NOW_MS, STREAMING_SIGNED
    )
    assert made["authorization"].endswith(SEED)
    pairs = [(name.encode(), value.encode()) for name, value in made.items()]
    credentials = sigv4.parse(b"", pairs)
    assert credentials is not None
    assert credentials.is_streaming
    assert credentials.payload_sha256 is None
    assert sigv4.verify(credentials, KEY, "PUT", path, b"", pairs, NOW_MS) == SEED


def test_published_example_of_a_signed_trailer() -> None:
    """Amazon S3 API Reference, "Including Trailing Headers": the same body with a CRC-32C after it."""
    signatures = (
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    body = b"".join(
        f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
        for chunk, signature in zip((b"a" * 65536, b"a" * 1024, b""), signatures, strict=True)
    )
    body += b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    body += b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    made = chunked.ChunkedDecoder(
        STREAMING_SIGNED_TRAILER, 66560, trailer_names=["x-amz-checksum-crc32c"], signer=signer(TRAILER_SEED)
    )
    assert b"".join(made.feed(body)) == b"a" * 66560
    assert made.finish() == {"x-amz-checksum-crc32c": "sOO8/Q=="}


CHUNKS = st.lists(st.binary(min_size=1, max_size=60), max_size=5)
CUTS = st.lists(st.integers(0, 1200), max_size=12)
TRAILERS = [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-meta-b", "two words")]


@given(mode=st.sampled_from(MODES), chunks=CHUNKS, cuts=CUTS)
def test_any_cut_gives_the_same_data_and_trailers(mode: str, chunks: list[bytes], cuts: list[int]) -> None:
    trailers = [] if mode == STREAMING_SIGNED else TRAILERS
    body = encode(mode, chunks, trailers)
    data = b"".join(chunks)
    names = [name.upper() for name, _ in trailers]
    assert decode(mode, body, len(data), names, cuts) == (data, dict(trailers))
    assert decode(mode, body, len(data), names, range(len(body))) == (data, dict(trailers))


@given(
    mode=st.sampled_from(MODES),
    chunks=CHUNKS,
    cuts=CUTS,
    place=st.integers(0, 400),
    removed=st.integers(0, 3),
    added=st.binary(max_size=3),
)
def test_any_cut_of_a_damaged_body_gives_the_same_outcome(
    mode: str, chunks: list[bytes], cuts: list[int], place: int, removed: int, added: bytes
) -> None:
    trailers = [] if mode == STREAMING_SIGNED else TRAILERS
    body = encode(mode, chunks, trailers)
    body = body[:place] + added + body[place + removed :]
    size_bytes = len(b"".join(chunks))
    outcomes = []
    for places in ((), cuts, range(len(body))):
        try:
            outcomes.append(str(decode(mode, body, size_bytes, dict(trailers), places)))
        except (chunked.ChunkedBodyError, sigv4.SignatureError) as error:
            outcomes.append(f"{error.code} {error}")
    assert len(set(outcomes)) == 1


@given(mode=st.sampled_from(MODES), chunks=CHUNKS, kept=st.integers(0, 400))
def test_a_truncated_body_is_never_whole(mode: str, chunks: list[bytes], kept: int) -> None:
    body = encode(mode, chunks)
    body = body[: min(kept, len(body) - 1)]
    assert refusal_code(mode, body, len(b"".join(chunks))) == "IncompleteBody"


@given(mode=st.sampled_from((STREAMING_SIGNED, STREAMING_SIGNED_TRAILER)), place=st.integers(0, 299))
def test_every_changed_byte_of_signed_data_is_noticed(mode: str, place: int) -> None:
    data = bytes(range(100)) * 3
    body = bytearray(encode(mode, [data[:100], data[100:]]))
    start = body.index(data[:100]) if place < 100 else body.index(data[100:]) - 100
    body[start + place] ^= 1
    assert refusal_code(mode, bytes(body), len(data)) == "SignatureDoesNotMatch"


def test_signatures_chain_so_that_chunks_cannot_change_places() -> None:
    header = len(b"5;chunk-signature=\r\n") + 64
    body = encode(STREAMING_SIGNED, [b"first", b"other"])
    one, two, rest = body[: header + 7], body[header + 7 : 2 * (header + 7)], body[2 * (header + 7) :]
    assert decode(STREAMING_SIGNED, one + two + rest, 10)[0] == b"firstother"
    assert refusal_code(STREAMING_SIGNED, two + one + rest, 10) == "SignatureDoesNotMatch"


def test_a_wrong_chunk_signature_says_what_was_signed() -> None:
    body = b"4;chunk-signature=" + b"0" * 64 + b"\r\ndata\r\n"
    with pytest.raises(sigv4.SignatureError) as caught:
        decode(STREAMING_SIGNED, body, 4)
    assert caught.value.details["StringToSign"].startswith("AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n")


def test_a_wrong_trailer_signature() -> None:
    body = encode(STREAMING_SIGNED_TRAILER, [b"data"], TRAILERS, trailer_signature="0" * 64)
    assert refusal_code(STREAMING_SIGNED_TRAILER, body, 4, dict(TRAILERS)) == "SignatureDoesNotMatch"
    whole = encode(STREAMING_SIGNED_TRAILER, [b"data"], TRAILERS).replace(b"two words", b"two wards")
    assert refusal_code(STREAMING_SIGNED_TRAILER, whole, 4, dict(TRAILERS)) == "SignatureDoesNotMatch"


def test_a_signed_trailer_needs_its_signature() -> None:
    body = encode(STREAMING_SIGNED, [b"data"])
    assert refusal_code(STREAMING_SIGNED_TRAILER, body, 4) == "MalformedTrailerError"


@pytest.mark.parametrize(
    "header",
    [
        b"+4", b"-4", b" 4", b"4 ", b"0x4", b"4_0", b"", b";a=b", b"00000000000000004", b"4\x00", b"\xb2", b"g",
        b"4\n", b"4\r", b"4" + b" " * 9000, b"4;" + b"a" * 9000,
    ],
)  # fmt: skip
def test_refused_chunk_headers(header: bytes) -> None:
    body = header + b"\r\ndata\r\n0\r\n\r\n"
    for cuts in ((), range(len(body))):
        assert refusal_code(STREAMING_UNSIGNED_TRAILER, body, 4, (), cuts) == "IncompleteBody"


@pytest.mark.parametrize("header", [b"4;name=value", b"4;a;b", b"0000000000000004", b"4;"])
def test_tolerated_unsigned_chunk_headers(header: bytes) -> None:
    assert decode(STREAMING_UNSIGNED_TRAILER, header + b"\r\ndata\r\n0\r\n\r\n", 4) == (b"data", {})


def test_a_signed_chunk_has_a_signature_and_nothing_else() -> None:
    body = encode(STREAMING_SIGNED, [b"data"])
    assert decode(STREAMING_SIGNED, body, 4) == (b"data", {})
    assert refusal_code(STREAMING_SIGNED, body.replace(b";chunk", b";a=b;chunk", 1), 4) == "IncompleteBody"
    assert refusal_code(STREAMING_SIGNED, b"4\r\ndata\r\n0\r\n\r\n", 4) == "IncompleteBody"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"4\r\ndataX\r\n0\r\n\r\n", "IncompleteBody"),
        (b"4\r\ndata\n0\r\n\r\n", "IncompleteBody"),
        (b"4\ndata\r\n0\r\n\r\n", "IncompleteBody"),
        (b"3\r\ndat\r\n0\r\n\r\n", "IncompleteBody"),
        (b"5\r\ndata!\r\n0\r\n\r\n", "IncompleteBody"),
        (b"ffffffffffffffff\r\ndata", "IncompleteBody"),
        (b"4\r\ndata\r\n0\r\n", "IncompleteBody"),
        (b"", "IncompleteBody"),
        (b"4\r\ndata\r\n0\r\n\r\nX", "MalformedTrailerError"),
        (b"4\r\ndata\r\n0\r\n\r\n\r\n", "MalformedTrailerError"),
        (b"4\r\ndata\r\n0\r\n\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"4\r\ndata\r\n0\r\nx-other:1\r\n\r\n", "MalformedTrailerError"),
        (b"4\r\ndata\r\n0\r\nx-amz-trailer-signature:1\r\n\r\n", "MalformedTrailerError"),
        (b"4\r\ndata\r\n0\r\nno colon\r\n\r\n", "MalformedTrailerError"),
    ],
)
def test_refused_bodies(body: bytes, code: str) -> None:
    for cuts in ((), range(len(body))):
        assert refusal_code(STREAMING_UNSIGNED_TRAILER, body, 4, (), cuts) == code


@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        b"x-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:a\r\n",
        b"x-amz-checksum-crc32:\xff\r\n",
        b"x-amz-checksum-crc32:a\n",
        b"x-amz-checksum-crc32:" + b" " * 16000 + b"\xff\r\n",
        b"x-amz-checksum-crc32 a\r\n",
        b" x-amz-checksum-crc32:a\r\n",
        b"x-amz-checksum-sha1:a\r\n",
        b"x-amz-checksum-crc32:" + b"a" * 17000 + b"\r\n",
        b"x-amz-checksum-crc32:" + b"a" * 17000,
    ],
)
def test_refused_trailers(trailer: bytes) -> None:
    body = b"0\r\n" + trailer + b"\r\n"
    for cuts in ((), range(len(body))):
        code = refusal_code(STREAMING_UNSIGNED_TRAILER, body, 0, ["x-amz-checksum-crc32"], cuts)
        assert code == "MalformedTrailerError"


def test_trailer_names_and_values_are_trimmed_and_lowered() -> None:
    body = b"0\r\nX-Amz-Checksum-CRC32 : AAAAAA== \r\n\r\n"
    names = [" x-amz-checksum-crc32 ", ""]
    assert decode(STREAMING_UNSIGNED_TRAILER, body, 0, names) == (b"", {"x-amz-checksum-crc32": "AAAAAA=="})


def test_a_trailer_announced_for_a_body_that_has_none() -> None:
    with pytest.raises(chunked.MalformedTrailerError):
        decoder(STREAMING_SIGNED, 0, ["x-amz-checksum-crc32"])


def test_a_decoder_is_made_for_one_mode() -> None:
    with pytest.raises(ValueError):
        chunked.ChunkedDecoder(sigv4.UNSIGNED_PAYLOAD, 0)
    with pytest.raises(ValueError):
        chunked.ChunkedDecoder(STREAMING_SIGNED, 0)
    with pytest.raises(ValueError):
        chunked.ChunkedDecoder(STREAMING_UNSIGNED_TRAILER, 0, signer=signer())


def test_a_decoder_that_raised_stays_refused() -> None:
    made = decoder(STREAMING_UNSIGNED_TRAILER, 0)
    with pytest.raises(chunked.MalformedTrailerError):
        made.feed(b"0\r\n\r\nX")
    with pytest.raises(chunked.IncompleteBodyError):
        made.finish()
    with pytest.raises(chunked.ChunkedBodyError):
        made.feed(b"0\r\n\r\n")


@pytest.mark.parametrize("mode", MODES)
def test_one_huge_chunk_is_never_held(mode: str) -> None:
    size_bytes = 64 << 20
    piece = bytes(64 << 10)
    made = decoder(mode, size_bytes)
    digest = hashlib.sha256()
    for _ in range(size_bytes // len(piece)):
        digest.update(piece)
    sign = None if mode == STREAMING_UNSIGNED_TRAILER else signer()
    header = f"{size_bytes:x}" + (f";chunk-signature={sign.sign_chunk(digest.hexdigest())}" if sign else "")
    tracemalloc.start()
    try:
        made.feed(header.encode() + b"\r\n")
        passed = sum(len(view) for _ in range(size_bytes // len(piece)) for view in made.feed(piece))
        made.feed(b"\r\n")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert passed == size_bytes
    assert peak_bytes < 100_000


def test_data_is_not_copied() -> None:
    made = decoder(STREAMING_UNSIGNED_TRAILER, 8)
    fed = b"8\r\n12345678\r\n"
    (piece,) = made.feed(fed)
    assert piece.obj is fed


@given(data=st.binary(max_size=300), chunk_size=st.integers(1, 64), read_size=st.integers(1, 64))
def test_bodies_that_botocore_encodes(data: bytes, chunk_size: int, read_size: int) -> None:
    wrapper = AwsChunkedWrapper(
        BytesIO(data), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32", chunk_size=chunk_size
    )
    made = decoder(STREAMING_UNSIGNED_TRAILER, len(data), ["x-amz-checksum-crc32"])
    decoded = b"".join(bytes(view) for fed in iter(lambda: wrapper.read(read_size), b"") for view in made.feed(fed))
    checksum = b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert (decoded, made.finish()) == (data, {"x-amz-checksum-crc32": checksum})


def test_a_wrong_length_is_told_in_numbers() -> None:
    with pytest.raises(chunked.IncompleteBodyError) as caught:
        decode(STREAMING_UNSIGNED_TRAILER, b"4\r\ndata\r\n0\r\n\r\n", 5)
    assert caught.value.details == {"NumberBytesExpected": "5", "NumberBytesProvided": "4"}
