"""The aws-chunked body encoding, decoded as the bytes arrive.

    size[;chunk-signature=HEX]CRLF data CRLF … 0[;chunk-signature=HEX]CRLF [name:value CRLF]… CRLF

No chunk is ever held: data is handed on as slices of what was fed, and a signed chunk's hash grows as it passes. So
data comes out before its signature is checked; nothing may be kept of a body until `finish` has returned.

Source: "Transferring Payload in Multiple Chunks" and "Including Trailing Headers", Amazon S3 API Reference.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from enum import Enum, auto

from elasticlake.s3.credentials import STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER
from elasticlake.s3.sigv4 import ChunkSigner

MAX_CHUNK_HEADER_BYTES = 8 * 1024
MAX_TRAILER_BYTES = 16 * 1024

_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_CRLF = b"\r\n"
_signed_header = re.compile(rb"([0-9A-Fa-f]{1,16});chunk-signature=([0-9A-Fa-f]{64})\r\n").fullmatch
_unsigned_header = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\r\n]*)?\r\n").fullmatch
# One way to match each byte: blanks that two parts could both take would cost a hostile line cubic time.
_trailer_line = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:([\x20-\x7e\t]*)\r\n").fullmatch


class ChunkedBodyError(Exception):
    """An aws-chunked body is refused.

    `code`, `message` and `details` are for S3's error XML, as a SignatureError's are; `reason` says what was found.
    """

    code = "IncompleteBody"
    message = "The request body terminated unexpectedly"

    def __init__(self, reason: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{self.code}: {reason}")
        self.reason = reason
        self.details: dict[str, str] = dict(details or {})


class IncompleteBodyError(ChunkedBodyError):
    """The framing is broken, the body ends too soon, or it is not as long as x-amz-decoded-content-length says."""


class MalformedTrailerError(ChunkedBodyError):
    """The trailer is not what x-amz-trailer announced, or bytes follow its end."""

    code = "MalformedTrailerError"
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."


class _State(Enum):
    HEADER = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    DONE = auto()
    FAILED = auto()


# Members of an enumeration are slow to look up, and a body may have a chunk every 8 KiB.
_HEADER, _DATA, _DATA_END, _TRAILER, _DONE, _FAILED = _State


class ChunkedDecoder:
    """Decodes one body. How the bytes are cut into `feed`s makes no difference to data, trailers or errors.

    `payload_hash` is the request's x-amz-content-sha256, one of the STREAMING_ words; `decoded_size_bytes` is
    x-amz-decoded-content-length; `trailer_names` are x-amz-trailer's; `signer` is that of the request, and None where
    the chunks are unsigned. A decoder that raised is spent. Chunks under 8 KiB, which S3 refuses except for the last,
    are accepted: clients that stream small pieces then work too.
    """

    def __init__(
        self,
        payload_hash: str,
        decoded_size_bytes: int,
        *,
        trailer_names: Collection[str] = (),
        signer: ChunkSigner | None = None,
    ) -> None:
        if payload_hash not in (STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER):
            raise ValueError(f"{payload_hash} does not announce an aws-chunked body")
        if (signer is None) != (payload_hash == STREAMING_UNSIGNED_TRAILER):
            raise ValueError("signed chunks need a signer and unsigned ones have none")
        self._signer = signer
        self._trailer_is_signed = payload_hash == STREAMING_SIGNED_TRAILER
        self._announced = frozenset(name.strip().lower() for name in trailer_names) - {""}
        if payload_hash == STREAMING_SIGNED and self._announced:
            raise MalformedTrailerError("a trailer is announced for a body that has none")
        self._decoded_size_bytes = decoded_size_bytes
        self._state = _HEADER
        self._line = b""
        self._left_bytes = 0
        self._announced_bytes = 0
        self._trailer_bytes = 0
        self._hash = hashlib.sha256()
        self._signature = ""
        self._trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[memoryview]:
        """Decode the next bytes of the body; returns the object's bytes among them, as views into `data`.

        Raises ChunkedBodyError for a malformed body, SignatureError for a chunk or trailer signature that is wrong.
        """
        try:
            return self._decode(data)
        except Exception:
            self._state = _FAILED
            raise

    def finish(self) -> dict[str, str]:
        """The trailers by lower-case name, without their signature; call it at the body's end.

        Raises IncompleteBodyError if the body was not whole.
        """
        if self._state is not _DONE:
            raise IncompleteBodyError("the body ends before its last chunk and trailer do")
        return self._trailers

    def _decode(self, data: bytes) -> list[memoryview]:
        pieces: list[memoryview] = []
        view = memoryview(data)
        position, end = 0, len(data)
        while position < end:
            if self._state is _DATA:
                piece = view[position : position + self._left_bytes]
                self._pass_data(piece)
                pieces.append(piece)
                position += len(piece)
                continue
            line_end = data.find(b"\n", position) + 1
            self._line += data[position : line_end or end]
            self._check_line_size()
            if not line_end:
                break
            position = line_end
            line, self._line = self._line, b""
            self._take_line(line)
        return pieces

    def _pass_data(self, piece: memoryview) -> None:
        if self._signer is not None:
            self._hash.update(piece)
        self._left_bytes -= len(piece)
        if not self._left_bytes:
            self._state = _DATA_END

    def _check_line_size(self) -> None:
        state, size_bytes = self._state, len(self._line)
        if state is _HEADER:
            if size_bytes > MAX_CHUNK_HEADER_BYTES:
                raise IncompleteBodyError(f"a chunk's header is over {MAX_CHUNK_HEADER_BYTES} bytes")
        elif state is _DATA_END:
            if not _CRLF.startswith(self._line):
                raise IncompleteBodyError("a chunk's data is not followed by CRLF")
        elif state is _TRAILER:
            if self._trailer_bytes + size_bytes > MAX_TRAILER_BYTES:
                raise MalformedTrailerError(f"the trailer is over {MAX_TRAILER_BYTES} bytes")
        else:
            raise MalformedTrailerError("bytes follow the end of the body")

    def _take_line(self, line: bytes) -> None:
        if self._state is _HEADER:
            self._take_header(line)
        elif self._state is _DATA_END:
            self._check_chunk_signature()
            self._state = _HEADER
        else:
            self._trailer_bytes += len(line)
            self._take_trailer_line(line)

    def _take_header(self, line: bytes) -> None:
        found = _unsigned_header(line) if self._signer is None else _signed_header(line)
        if found is None:
            raise IncompleteBodyError("a chunk's header is malformed")
        size_bytes = int(found[1], 16)
        self._announced_bytes += size_bytes
        if self._announced_bytes > self._decoded_size_bytes:
            raise self._wrong_size()
        if self._signer is not None:
            self._signature = found[2].decode("ascii").lower()
        self._left_bytes = size_bytes
        if size_bytes:
            self._state = _DATA
        else:
            self._end_data()

    def _end_data(self) -> None:
        self._check_chunk_signature()
        if self._announced_bytes != self._decoded_size_bytes:
            raise self._wrong_size()
        self._state = _TRAILER

    def _wrong_size(self) -> IncompleteBodyError:
        expected, provided = str(self._decoded_size_bytes), str(self._announced_bytes)
        details = {"NumberBytesExpected": expected, "NumberBytesProvided": provided}
        return IncompleteBodyError(f"chunks of {provided} bytes instead of {expected}", details)

    def _check_chunk_signature(self) -> None:
        if self._signer is not None:
            self._signer.check_chunk(self._hash.hexdigest(), self._signature)
            self._hash = hashlib.sha256()

    def _take_trailer_line(self, line: bytes) -> None:
        if line == _CRLF:
            self._end_trailer()
            return
        found = _trailer_line(line)
        if found is None:
            raise MalformedTrailerError("a trailer line is malformed")
        name = found[1].decode("ascii").lower()
        if name not in self._announced and not (self._trailer_is_signed and name == _TRAILER_SIGNATURE):
            raise MalformedTrailerError(f"{name} was not announced by x-amz-trailer")
        if name in self._trailers:
            raise MalformedTrailerError(f"{name} came twice")
        self._trailers[name] = found[2].decode("ascii").strip()

    def _end_trailer(self) -> None:
        signature = self._trailers.pop(_TRAILER_SIGNATURE, None)
        missing = self._announced - self._trailers.keys()
        if missing or (self._trailer_is_signed and signature is None):
            raise MalformedTrailerError(f"missing: {', '.join(sorted(missing)) or _TRAILER_SIGNATURE}")
        if self._signer is not None and signature is not None:
            canonical = "".join(f"{name}:{self._trailers[name]}\n" for name in sorted(self._trailers))
            self._signer.check_trailer(hashlib.sha256(canonical.encode()).hexdigest(), signature.lower())
        self._state = _DONE
