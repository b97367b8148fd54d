"""The request shapes: small objects one operation at a time, mixed loads, large streams, multipart uploads.

Each shape also runs against the null server, where its rate becomes the limit `bare <name>`.
"""

from collections.abc import Iterator
from itertools import count

from bench.bed import Bed
from bench.closed_loop import run_closed
from bench.keys import KeyPool
from bench.large import multipart, stream_get, stream_put
from bench.limits import FDATASYNC_RATE, FILE_READ, MD5, WRITE_FSYNC
from bench.result import OPERATIONS, THROUGHPUT, Result, from_tally
from bench.settings import MixedShape, Settings, size_text
from bench.stats import Tally
from bench.workloads import LIST_PAGE_KEYS, Deletes, Mixed, Puts, Reads

BARE = "bare ASGI: "
FILL_CONNECTIONS = 32
READ_POOL_KEYS = 2_000
ENOUGH_SECONDS = 3_600.0


def small_name(operation: str, size_bytes: int, connections: int) -> str:
    what = f"LIST {LIST_PAGE_KEYS} keys" if operation == "LIST" else f"{operation} {size_text(size_bytes)}"
    return f"{what} x{connections}"


def small_shapes(bed: Bed, settings: Settings) -> Iterator[Result]:
    """PUT, GET, HEAD, LIST and DELETE of small objects at each number of connections."""
    for connections in settings.connections:
        written: list[str] = []
        if settings.wants("put"):
            yield _small_puts(bed, settings, connections, written)
        if settings.wants("get", "head", "list", "delete") and len(written) < READ_POOL_KEYS:
            written += fill(bed, settings.small_bytes, _names(f"small/{connections}/fill-", READ_POOL_KEYS))
        for operation in ("GET", "HEAD", "LIST"):
            if settings.wants(operation.lower()):
                yield _small_reads(bed, settings, connections, operation, written)
        if settings.wants("delete"):
            yield _small_deletes(bed, settings, connections, written)


def _small_puts(bed: Bed, settings: Settings, connections: int, written: list[str]) -> Result:
    name = small_name("PUT", settings.small_bytes, connections)
    source = Puts(bed.requests(settings.small_bytes), (f"small/{connections}/{number:09d}" for number in count()))
    bed.begin()
    tally = run_closed(bed.target, source, connections, settings.seconds)
    written += source.written
    # One connection's PUTs can share no fsync, so the disk bounds them; many connections' PUTs share.
    extra = (FDATASYNC_RATE,) if connections == 1 else ()
    return bed.end(_small_result(name, tally, connections, extra), len(source.written))


def _small_reads(bed: Bed, settings: Settings, connections: int, operation: str, keys: list[str]) -> Result:
    name = small_name(operation, settings.small_bytes, connections)
    source = Reads(bed.requests(settings.small_bytes), KeyPool(keys), operation)
    bed.begin()
    tally = run_closed(bed.target, source, connections, settings.seconds)
    return bed.end(_small_result(name, tally, connections), 0)


def _small_deletes(bed: Bed, settings: Settings, connections: int, keys: list[str]) -> Result:
    name = small_name("DELETE", settings.small_bytes, connections)
    source = Deletes(bed.requests(), keys)
    bed.begin()
    tally = run_closed(bed.target, source, connections, settings.seconds)
    extra = (FDATASYNC_RATE,) if connections == 1 else ()
    return bed.end(_small_result(name, tally, connections, extra), source.removed)


def _small_result(name: str, tally: Tally, connections: int, extra: tuple[str, ...] = ()) -> Result:
    return from_tally(name, tally, metric=OPERATIONS, connections=connections, limits=(BARE + name, *extra))


def mixed_shapes(bed: Bed, settings: Settings) -> Iterator[Result]:
    """The mixed load at each size."""
    for shape in settings.mixed:
        yield _mixed(bed, settings.seconds, shape)


def _mixed(bed: Bed, seconds: float, shape: MixedShape) -> Result:
    name, prefix = f"mixed {size_text(shape.size_bytes)} x{shape.connections}", f"mixed/{shape.size_bytes}/"
    pool = KeyPool(fill(bed, shape.size_bytes, _names(f"{prefix}fill-", shape.pool), shape.connections))
    source = Mixed(bed.requests(shape.size_bytes), pool, prefix)
    bed.begin()
    tally = run_closed(bed.target, source, shape.connections, seconds)
    result = from_tally(name, tally, metric=THROUGHPUT, connections=shape.connections, limits=(BARE + name,))
    return bed.end(result, source.changes)


def stream_name(operation: str, size_bytes: int) -> str:
    return f"stream {operation} {size_text(size_bytes)}"


def stream_shapes(bed: Bed, settings: Settings) -> Iterator[Result]:
    """One object over one connection, up and then down."""
    smallest = min(settings.stream_bytes)  # the bare limits are measured with it alone
    for size in settings.stream_bytes:
        path = f"/{bed.bucket}/stream/{size}"
        bed.begin()
        tally = stream_put(bed.target, path, size, settings.stream_repeats)
        up = (MD5, WRITE_FSYNC, BARE + stream_name("PUT", smallest))
        put = from_tally(stream_name("PUT", size), tally, metric=THROUGHPUT, limits=up)
        yield bed.end(put, put.operations)
        if not put.operations:
            continue
        bed.begin()
        tally = stream_get(bed.target, path, size, settings.stream_repeats)
        down = (FILE_READ, BARE + stream_name("GET", smallest))
        yield bed.end(from_tally(stream_name("GET", size), tally, metric=THROUGHPUT, limits=down), 0)


def multipart_shapes(bed: Bed, settings: Settings) -> Iterator[Result]:
    """Whole multipart uploads; the latencies are those of an upload from its initiation to its completion."""
    shape = settings.multipart
    name = f"multipart {shape.parts} x {size_text(shape.part_bytes)} x{shape.parallel}"
    bed.begin()
    tally = multipart(bed.target, bed.bucket, "multipart/object", shape, settings.stream_repeats)
    limits = (MD5, WRITE_FSYNC, BARE + name)
    result = from_tally(name, tally, metric=THROUGHPUT, connections=shape.parallel, limits=limits)
    # A completed upload is two events: the object's own, and multipart:completed.
    yield bed.end(result, 2 * result.operations)


def fill(bed: Bed, size_bytes: int, keys: Iterator[str], connections: int = FILL_CONNECTIONS) -> list[str]:
    """Put objects before a shape that needs them, and wait for their events; the keys that were written."""
    source = Puts(bed.requests(size_bytes), keys)
    bed.begin()
    tally = run_closed(bed.target, source, connections, ENOUGH_SECONDS)
    bed.end(from_tally("fill", tally), len(source.written))
    if not source.written:
        raise FillFailed(f"no object could be put: {dict(tally.errors)}")
    return source.written


class FillFailed(RuntimeError):
    """The objects that a shape reads could not be written."""


def _names(prefix: str, number: int) -> Iterator[str]:
    return (f"{prefix}{index:09d}" for index in range(number))
