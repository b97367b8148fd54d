"""The shapes of large objects: one stream up, one stream down, and a multipart upload with parts in parallel."""

import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

from bench.control import S3Control, S3Failed
from bench.result import MIB
from bench.signer import Signer
from bench.stats import Tally
from bench.stream import StreamConnection, TransferFailed
from bench.target import Target
from bench.workloads import random_body

BLOCK_BYTES = MIB


@dataclass(frozen=True, slots=True)
class MultipartShape:
    """How an upload is cut up."""

    parts: int = 16
    part_bytes: int = 16 * MIB
    parallel: int = 4


def stream_put(target: Target, path: str, size_bytes: int, repeats: int) -> Tally:
    """PUT one object again and again over one connection."""
    block = memoryview(random_body(min(BLOCK_BYTES, size_bytes)))

    def once() -> float:
        with StreamConnection(target, Signer(target)) as connection:
            return connection.put(path, size_bytes, block)[0]

    return _repeat(once, size_bytes, repeats)


def stream_get(target: Target, path: str, size_bytes: int, repeats: int) -> Tally:
    """GET one object again and again; it must exist with that size."""

    def once() -> float:
        with StreamConnection(target, Signer(target)) as connection:
            return connection.get(path, size_bytes)

    return _repeat(once, size_bytes, repeats)


def multipart(target: Target, bucket: str, key: str, shape: MultipartShape, repeats: int) -> Tally:
    """Initiate, upload the parts over `parallel` connections, complete. One latency is one whole upload's."""
    control = S3Control(target)
    block = memoryview(random_body(min(BLOCK_BYTES, shape.part_bytes)))

    def once() -> float:
        start = perf_counter()
        upload = control.initiate(bucket, key)

        def worker(first: int) -> list[tuple[int, str]]:
            with StreamConnection(target, Signer(target)) as connection:
                return [
                    (number, connection.put(path, shape.part_bytes, block, f"partNumber={number}&uploadId={upload}")[1])
                    for number in range(first, shape.parts + 1, shape.parallel)
                ]

        path = f"/{bucket}/{key}"
        with ThreadPoolExecutor(shape.parallel) as threads:
            uploaded = [part for parts in threads.map(worker, range(1, shape.parallel + 1)) for part in parts]
        control.complete(bucket, key, upload, sorted(uploaded))
        return perf_counter() - start

    return _repeat(once, shape.parts * shape.part_bytes, repeats)


def _repeat(once: Callable[[], float], size_bytes: int, repeats: int) -> Tally:
    tally = Tally()
    before = _cpu_seconds()
    for _ in range(repeats):
        start = perf_counter()
        try:
            seconds = once()
        except (TransferFailed, S3Failed, OSError) as error:
            tally.failed(str(error) or type(error).__name__)
            tally.elapsed_seconds += perf_counter() - start
        else:
            tally.succeeded(seconds, size_bytes)
            tally.elapsed_seconds += seconds
    tally.client_cpu_seconds = _cpu_seconds() - before
    return tally


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
