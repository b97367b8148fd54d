"""The shapes of the delivery engine, one after the other on one server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench import backlog, breakers, isolation
from bench.backlog import backlog_shape
from bench.bed import Bed
from bench.breakers import breaker_shapes
from bench.control import Api
from bench.fanout import fanout_shape
from bench.inbox import InboxClient
from bench.isolation import isolation_shape
from bench.result import Result
from bench.settings import Settings
from bench.sick import sick_endpoints


def engine_buckets(prefix: str) -> list[str]:
    """Every bucket that they make."""
    uses = {"breakers": breakers.BUCKETS, "isolation": isolation.BUCKETS, "backlog": backlog.BUCKETS}
    return [f"{prefix}-fanout", *(f"{prefix}-{shape}-{use}" for shape, found in uses.items() for use in found)]


def engine_shapes(
    bed: Bed, api: Api, inbox: InboxClient, settings: Settings, directory: Path
) -> Iterator[Iterator[Result]]:
    """The groups of results: if one breaks off, the others still run. Buckets are named after the bed's."""

    def on(use: str) -> Bed:
        return replace(bed, bucket=f"{bed.bucket}-{use}")

    def fanning() -> Iterator[Result]:
        yield fanout_shape(on("fanout"), api, inbox, settings)

    def isolating() -> Iterator[Result]:
        with sick_endpoints(directory) as sick:
            yield from isolation_shape(on("isolation"), api, inbox, sick, settings)

    def waiting() -> Iterator[Result]:
        yield backlog_shape(on("backlog"), api, inbox, settings, directory)

    if settings.wants("fanout"):
        yield fanning()
    if settings.wants("breakers"):
        yield breaker_shapes(on("breakers"), api, inbox, settings)
    if settings.wants("isolation"):
        yield isolating()
    if settings.wants("backlog"):
        yield waiting()
