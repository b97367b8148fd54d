"""The machine's own limits: what one core hashes, and what the disk under the data directory does."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.result import MIB, MILLISECONDS, OPERATIONS, THROUGHPUT, Limit
from bench.stats import percentile

MD5, SHA256 = "MD5", "SHA-256"
FDATASYNC_P50, FDATASYNC_P99 = "fdatasync 4 KiB p50", "fdatasync 4 KiB p99"
FDATASYNC_RATE = "fdatasync 4 KiB, one by one"
WRITE_FSYNC, FILE_READ = "file write with fsync", "file read (page cache)"
HASH_SECONDS = 0.4
ROUNDS = 3


def hash_speed(name: str, algorithm: str) -> Limit:
    """One core's speed over MiB blocks: the best of a few rounds, since a limit is what is possible."""
    block, best = os.urandom(MIB), 0.0
    for _ in range(ROUNDS):
        digest, count, start = hashlib.new(algorithm, usedforsecurity=False), 0, perf_counter()
        while perf_counter() - start < HASH_SECONDS:
            digest.update(block)
            count += 1
        best = max(best, count / (perf_counter() - start))
    return Limit(name, best, THROUGHPUT)


def fdatasync_times(directory: Path, count: int) -> list[Limit]:
    """Append 4 KiB and fdatasync, as a database's log does."""
    path, block, seconds = directory / "fdatasync.tmp", os.urandom(4096), list[float]()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        for _ in range(count):
            os.write(descriptor, block)
            start = perf_counter()
            os.fdatasync(descriptor)
            seconds.append(perf_counter() - start)
    finally:
        os.close(descriptor)
        path.unlink()
    seconds.sort()
    return [
        Limit(FDATASYNC_P50, percentile(seconds, 0.5) * 1e3, MILLISECONDS),
        Limit(FDATASYNC_P99, percentile(seconds, 0.99) * 1e3, MILLISECONDS),
        Limit(FDATASYNC_RATE, count / sum(seconds), OPERATIONS),
    ]


def file_speeds(directory: Path, size_bytes: int) -> list[Limit]:
    """Write a file in MiB blocks with one fsync at the end, then read it back from the page cache."""
    path = directory / "sequential.tmp"
    try:
        written = max(_timed(lambda: _write(path, size_bytes), size_bytes) for _ in range(ROUNDS))
        read = max(_timed(lambda: _read(path), size_bytes) for _ in range(ROUNDS))
    finally:
        path.unlink(missing_ok=True)
    return [Limit(WRITE_FSYNC, written, THROUGHPUT), Limit(FILE_READ, read, THROUGHPUT)]


def machine_limits(directory: Path, *, quick: bool) -> list[Limit]:
    """All limits of this machine that need no server."""
    return [
        hash_speed(MD5, "md5"),
        hash_speed(SHA256, "sha256"),
        *fdatasync_times(directory, 200 if quick else 1000),
        *file_speeds(directory, (64 if quick else 256) * MIB),
    ]


def _timed(work: Callable[[], None], size_bytes: int) -> float:
    start = perf_counter()
    work()
    return size_bytes / MIB / (perf_counter() - start)


def _write(path: Path, size_bytes: int) -> None:
    path.unlink(missing_ok=True)
    block = os.urandom(MIB)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(size_bytes // MIB):
            os.write(descriptor, block)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> None:
    buffer = bytearray(MIB)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
