"""Large bodies: one huge aws-chunked chunk never lies in memory whole (I9), and nobody reads what nobody takes."""

from __future__ import annotations

import hashlib
import re
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.s3.wire import Wire, read_reply
from tests.integration.server import SECRET_KEY, Server

from elasticlake.s3 import sigv4

MIB = 1024 * 1024
SIZES = [192 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.soak)]
MAX_GROWTH_BYTES = 64 * MIB
BLOCK = bytes(range(256)) * (MIB // 256)
_rss_anon = re.compile(r"RssAnon:\s+(\d+) kB")


def rss_anon_bytes(pids: list[int]) -> int:
    """The processes' anonymous memory."""
    found = (_rss_anon.search(Path(f"/proc/{pid}/status").read_text()) for pid in pids)
    return sum(int(match[1]) * 1024 for match in found if match)


@contextmanager
def growth_below(pids: list[int], limit_bytes: int) -> Iterator[None]:
    """Watch the processes' memory while something goes on."""
    before, peak, over = rss_anon_bytes(pids), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, rss_anon_bytes(pids))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert peak - before < limit_bytes


def signed_frames(size_bytes: int, seed: str, headers: dict[str, str]) -> tuple[bytes, bytes]:
    """What goes before and after the data of one signed chunk."""
    date = headers["x-amz-date"]
    scope = f"{date[:8]}/us-east-1/s3/aws4_request"
    key = sigv4.signing_key(SECRET_KEY, date[:8], "us-east-1")
    data = hashlib.sha256()
    for _ in range(size_bytes // MIB):
        data.update(BLOCK)

    def sign(previous: str, sha256_hex: str) -> str:
        empty = hashlib.sha256(b"").hexdigest()
        to_sign = f"AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{empty}\n{sha256_hex}"
        return sigv4.hmac_hex(key, to_sign.encode())

    first = sign(seed, data.hexdigest())
    last = sign(first, hashlib.sha256(b"").hexdigest())
    before = f"{size_bytes:x};chunk-signature={first}\r\n".encode()
    return before, f"\r\n0;chunk-signature={last}\r\n\r\n".encode()


def unsigned_frames(size_bytes: int) -> tuple[bytes, bytes]:
    """What goes before and after the data of one unsigned chunk with its checksum in a trailer."""
    crc = 0
    for _ in range(size_bytes // MIB):
        crc = zlib.crc32(BLOCK, crc)
    trailer = b"x-amz-checksum-crc32:" + b64encode(crc.to_bytes(4, "big"))
    return f"{size_bytes:x}\r\n".encode(), b"\r\n0\r\n" + trailer + b"\r\n\r\n"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize("mode", [sigv4.STREAMING_UNSIGNED_TRAILER, sigv4.STREAMING_SIGNED])
def test_one_huge_chunk_keeps_memory_flat(
    server: Server, wire: Wire, s3: Any, bucket: str, mode: str, size_bytes: int
) -> None:
    path = f"/{bucket}/huge"
    headers = {"x-amz-decoded-content-length": str(size_bytes)}
    if mode == sigv4.STREAMING_UNSIGNED_TRAILER:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
        before, after = unsigned_frames(size_bytes)
        now_ms = round(time.time() * 1000)
    else:
        now_ms = round(time.time() * 1000)
        sent = wire.sign("PUT", path, (), headers, mode, now_ms)
        before, after = signed_frames(size_bytes, sent["authorization"].rpartition("=")[2], sent)
    length = len(before) + size_bytes + len(after)
    head = wire.head(
        "PUT", path, headers=headers, unsigned={"content-length": str(length)}, payload_hash=mode, now_ms=now_ms
    )
    s3.put_object(Bucket=bucket, Key="warm", Body=bytes(8 * MIB))
    with growth_below(server.gateway_pids, MAX_GROWTH_BYTES), wire.connect() as connection:
        connection.settimeout(120)
        connection.sendall(head + before)
        for _ in range(size_bytes // MIB):
            connection.sendall(BLOCK)
        connection.sendall(after)
        reply = read_reply(connection, "PUT")
    assert reply.status == 200, reply.body
    assert s3.head_object(Bucket=bucket, Key="huge")["ContentLength"] == size_bytes
    s3.delete_object(Bucket=bucket, Key="huge")


def read_bytes(pid: int) -> int:
    """How much the process has read of files and sockets so far."""
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


def test_a_download_ends_with_its_client(server: Server, wire: Wire, s3: Any, bucket: str) -> None:
    """Otherwise everyone who closes a video has the rest of it read for nobody."""
    s3.put_object(Bucket=bucket, Key="film", Body=bytes(96 * MIB))
    (pid,) = server.gateway_pids
    before = read_bytes(pid)
    with wire.connect() as connection:
        connection.sendall(wire.head("GET", f"/{bucket}/film"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    # A request that comes later shows that the loop has had its time.
    time.sleep(0.5)
    assert s3.head_object(Bucket=bucket, Key="film")["ContentLength"] == 96 * MIB
    assert read_bytes(pid) - before < 32 * MIB
