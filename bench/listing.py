"""A page of common prefixes over many keys, against the same page over few."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bench.bed import Bed
from bench.client import Request
from bench.closed_loop import run_closed
from bench.control import S3Control
from bench.result import Detail, Result, from_tally
from bench.settings import Settings
from bench.shapes import BARE, ENOUGH_SECONDS, fill, small_name
from bench.stats import Tally
from bench.workloads import Requests

PREFIXES = 10
FEW_KEYS = 1_000
ROUNDS = 5
PAGE_KEYS = 1_000


def listing_name(keys: int) -> str:
    return f"LIST delimiter, {keys:,} keys"


@dataclass(slots=True)
class Pages:
    """The same page, asked for a number of times."""

    requests: Requests
    left: int
    answered: int = field(default=0)

    def next(self) -> Request | None:
        self.left -= 1
        return self.requests.page(delimiter="/", max_keys=PAGE_KEYS) if self.left >= 0 else None

    def done(self, request: Request, succeeded: bool) -> None:
        self.answered += succeeded


def listing_shape(bed: Bed, buckets: tuple[str, str], settings: Settings) -> Iterator[Result]:
    """Fill both buckets and time their pages in turns, so that whatever else drifts, drifts for both."""
    sizes = (FEW_KEYS, settings.listing_keys)
    beds = [replace(bed, bucket=bucket, inbox=None) for bucket in buckets]
    for one, keys in zip(beds, sizes, strict=True):
        S3Control(one.target).create_bucket(one.bucket)
        fill(one, 0, (f"p{number % PREFIXES}/{number:09d}" for number in range(keys)))
    found = [S3Control(one.target).common_prefixes(one.bucket) for one in beds]
    tallies = [Tally(), Tally()]
    for _ in range(ROUNDS):
        for one, tally in zip(beds, tallies, strict=True):
            _add(tally, _time_pages(one, settings.listing_pages // ROUNDS))
    for tally, prefixes in zip(tallies, found, strict=True):
        tally.errors.update({"wrong page": 1} if prefixes != PREFIXES else {})
    few, many = [
        from_tally(listing_name(keys), tally, limits=(BARE + small_name("LIST", 0, 1),), details={"keys": keys})
        for keys, tally in zip(sizes, tallies, strict=True)
    ]
    ratio = many.latency.p50_ms / few.latency.p50_ms if few.latency.p50_ms else 0.0
    details: dict[str, Detail] = {**many.details, "timeToFewKeysRatio": round(ratio, 3)}
    yield few
    yield replace(many, details=details)


def _time_pages(bed: Bed, pages: int) -> Tally:
    return run_closed(bed.target, Pages(bed.requests(), pages), 1, ENOUGH_SECONDS)


def _add(total: Tally, part: Tally) -> None:
    total.latencies_seconds += part.latencies_seconds
    total.errors.update(part.errors)
    total.body_bytes += part.body_bytes
    total.elapsed_seconds += part.elapsed_seconds
    total.client_cpu_seconds += part.client_cpu_seconds
