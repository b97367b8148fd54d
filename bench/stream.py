"""Large bodies over a blocking socket: memoryviews out, one reused buffer in, nothing copied by the generator."""

import re
import socket
from time import perf_counter
from typing import Self

from bench.signer import Signer
from bench.target import Target

CHUNK_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 120.0
_ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CODE = re.compile(rb"<Code>([^<]{1,80})</Code>")


class TransferFailed(Exception):
    """The server answered with something other than 2xx, or the connection broke."""


class StreamConnection:
    """A connection for single-stream transfers. Not for concurrent use."""

    def __init__(self, target: Target, signer: Signer) -> None:
        self._signer = signer
        plain = socket.create_connection((target.host, target.port), timeout=TIMEOUT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = target.tls_context()
        self._socket = tls.wrap_socket(plain, server_hostname=target.host) if tls else plain
        self._buffer = memoryview(bytearray(CHUNK_BYTES))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def put(self, path: str, size_bytes: int, block: memoryview, query: str = "") -> tuple[float, str]:
        """Send `size_bytes` made of `block` repeated; the seconds to the complete answer, and the ETag.

        Raises TransferFailed.
        """
        head = self._signer.head("PUT", path, query, size_bytes)
        start = perf_counter()
        try:
            self._socket.sendall(head)
            for offset in range(0, size_bytes, len(block)):
                self._socket.sendall(block[: size_bytes - offset])
        except OSError:
            pass  # a server that refuses closes its side early: its answer, if any, says why
        answer, _ = self._answer()
        seconds = perf_counter() - start
        etag = _ETAG.search(answer)
        return seconds, etag[1].decode() if etag else ""

    def get(self, path: str, size_bytes: int) -> float:
        """Receive a body of `size_bytes`; the seconds to its last byte. Raises TransferFailed."""
        head = self._signer.head("GET", path)
        start = perf_counter()
        self._socket.sendall(head)
        _, length = self._answer()
        if length != size_bytes:
            raise TransferFailed(f"body of {length} bytes, expected {size_bytes}")
        return perf_counter() - start

    def _answer(self) -> tuple[bytes, int]:
        """Read one answer; its head and its body's length."""
        try:
            return self._read_answer()
        except OSError as error:
            raise TransferFailed(type(error).__name__) from error

    def _read_answer(self) -> tuple[bytes, int]:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise TransferFailed("connection lost")
            data += self._buffer[:count]
        head, length = data[:end], _LENGTH.search(data[:end])
        body_bytes = int(length[1]) if length else 0
        left = body_bytes - (len(data) - end - 4)
        while left > 0:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise TransferFailed("connection lost")
            left -= count
            if head[9:10] != b"2" and len(data) < CHUNK_BYTES:
                data += self._buffer[:count]
        if head[9:10] != b"2":
            code = _CODE.search(data[end:])
            raise TransferFailed(f"{head[9:12].decode()} {code[1].decode(errors='replace') if code else ''}".strip())
        return head, body_bytes
