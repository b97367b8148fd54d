"""The order of a run: the machine's limits, the null server's, then the server under test, all in one go."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bench.bed import Bed
from bench.closed_loop import run_closed
from bench.control import ApiFailed, S3Control, S3Failed
from bench.database import running_database
from bench.delivery import delivery_shape, receiver_limit
from bench.engine_shapes import engine_buckets, engine_shapes
from bench.environment import environment
from bench.inbox import InboxClient, running_receiver
from bench.latency import latency_shapes
from bench.limits import machine_limits
from bench.listing import listing_shape
from bench.memory import Sampler
from bench.pages import pages_shape
from bench.report import Report
from bench.result import Limit, Result
from bench.server import Server, null_server, spawned
from bench.settings import ENGINE_SHAPES, Settings
from bench.shapes import BARE, ENOUGH_SECONDS, FillFailed, mixed_shapes, multipart_shapes, small_shapes, stream_shapes
from bench.stats import Percentiles
from bench.workloads import Deletes

BARE_SECONDS = 2.0
Tell = Callable[[str], None]


@dataclass(slots=True)
class Plan:
    """One run. `external` is a server that somebody else started; without it, ElasticLake is spawned."""

    settings: Settings
    directory: Path
    region: str
    tell: Tell
    external: Server | None = None
    engine: str = "sqlite"

    def run(self, report: Report) -> None:
        """Measure everything that the settings want, into `report`."""
        report.environment |= environment(self.directory) | {"engine": self.engine}
        self._limits(report)
        with running_receiver(self.directory) as inbox:
            if self.settings.wants("delivery", "backlog"):
                self._limit(report, receiver_limit(inbox, min(self.settings.seconds, BARE_SECONDS)))
            if self.external is not None:
                self._load(self.external, inbox, report)
                self._engine(self.external, inbox, report)
                return
            with self._metadata() as make, spawned(self._folder("history-on"), self.region, metadata=make()) as server:
                self._load(server, inbox, report)
            if self.settings.wants("delivery"):
                folder = self._folder("history-off")
                with self._metadata() as make, spawned(folder, self.region, history=False, metadata=make()) as server:
                    self._second(server, inbox, report)
            if self.settings.wants(*ENGINE_SHAPES):
                folder = self._folder("engine")
                with (
                    self._metadata() as make,
                    spawned(folder, self.region, metadata=make(), unanswered_names=True) as server,
                ):
                    self._engine(server, inbox, report)
        if self.settings.wants("pages") and self.engine == "sqlite":
            folder = self._folder("pages")
            with spawned(folder, self.region) as server:
                assert server.api is not None
                self._results(report, pages_shape(server, server.api, self.settings, folder / "data"))

    @contextmanager
    def _metadata(self) -> Iterator[Callable[[], str | None]]:
        """Makes the URL of an empty database, on a PostgreSQL beside the server; None for SQLite."""
        if self.engine == "sqlite":
            yield lambda: None
            return
        with running_database(quick=self.settings.quick) as postgres:
            yield postgres.create_database

    def _limits(self, report: Report) -> None:
        self.tell("limits of the machine")
        for limit in machine_limits(self.directory, quick=self.settings.quick):
            self._limit(report, limit)
        with null_server(self._folder("null"), self.region) as server:
            for result in chain.from_iterable(
                _request_shapes(Bed(server.target, "bare"), _bare_settings(self.settings))
            ):
                self._limit(report, Limit(BARE + result.name, result.rate, result.metric))

    def _limit(self, report: Report, limit: Limit) -> None:
        report.limits[limit.name] = limit
        self.tell(f"  {limit.name}: {limit.value:,.3g} {limit.unit}")

    def _load(self, server: Server, inbox: InboxClient, report: Report) -> None:
        report.environment |= {"endpoint": server.target.url, "serverVersion": server.version}
        suffix = secrets.token_hex(4)
        main, backlog, few, many = (f"elasticlake-bench-{use}-{suffix}" for use in ("load", "backlog", "few", "many"))
        with ExitStack() as stack:
            sampler = stack.enter_context(Sampler([server.pid])) if server.pid else None
            if sampler is not None:
                stack.callback(lambda: report.processes.extend(sampler.uses))
            bed = Bed(server.target, main, server.api, sampler=sampler)
            if self.external is not None:
                stack.callback(self._clean_up, replace(bed), (main, backlog, few, many))
            stack.enter_context(self._bucket(bed, server, inbox))
            for results in _request_shapes(bed, self.settings):
                self._results(report, results)
            self._results(report, self._latency(bed))
            if self.settings.wants("delivery"):
                self._results(report, self._delivery(replace(bed, bucket=backlog, inbox=inbox), inbox, history=True))
            if self.settings.wants("listing"):
                self._results(report, listing_shape(bed, (few, many), self.settings))

    def _second(self, server: Server, inbox: InboxClient, report: Report) -> None:
        with Sampler([server.pid] if server.pid else []) as sampler:
            bed = Bed(server.target, "elasticlake-bench-backlog", server.api, inbox, sampler)
            self._results(report, self._delivery(bed, inbox, history=False))
        report.processes += sampler.uses

    def _engine(self, server: Server, inbox: InboxClient, report: Report) -> None:
        """The shapes of the delivery engine, where there is one."""
        if server.api is None or not self.settings.wants(*ENGINE_SHAPES):
            return
        prefix = f"elasticlake-bench-engine-{secrets.token_hex(4)}"
        with Sampler([server.pid] if server.pid else []) as sampler:
            bed = Bed(server.target, prefix, server.api, sampler=sampler if server.pid else None)
            try:
                for results in engine_shapes(bed, server.api, inbox, self.settings, self.directory):
                    self._results(report, results)
            finally:
                if self.external is not None:
                    self._clean_up(bed, engine_buckets(prefix))
        report.processes += sampler.uses

    @contextmanager
    def _bucket(self, bed: Bed, server: Server, inbox: InboxClient) -> Iterator[None]:
        """The main bucket, with one matching webhook where the server has our REST API."""
        S3Control(bed.target).create_bucket(bed.bucket)
        if server.api is None:
            yield
            return
        webhook = server.api.create_webhook(bed.bucket, inbox.endpoint)
        bed.inbox = inbox
        try:
            yield
        finally:
            server.api.delete_webhook(webhook)

    def _latency(self, bed: Bed) -> Iterator[Result]:
        if self.settings.wants("latency"):
            yield from latency_shapes(bed, self.settings)

    def _delivery(self, bed: Bed, inbox: InboxClient, *, history: bool) -> Iterator[Result]:
        if bed.api is not None:
            yield delivery_shape(bed, bed.api, inbox, self.settings, history=history)

    def _results(self, report: Report, results: Iterator[Result]) -> None:
        """Take in a group of results; what breaks it off is one more failure to show."""
        for result in _until_broken(results):
            report.results.append(result)
            self.tell(
                f"{result.name}: {result.operations_per_second:,.1f} ops/s, {result.mib_per_second:,.1f} MiB/s, "
                f"p50 {result.latency.p50_ms:.2f} ms, p99 {result.latency.p99_ms:.2f} ms, {result.error_count} errors"
            )

    def _clean_up(self, bed: Bed, buckets: Iterable[str]) -> None:
        """Leave nothing on a server that is not ours."""
        self.tell("removing what was written")
        control = S3Control(bed.target)
        existing = [bucket for bucket in buckets if control.exists(bucket)]
        for bucket in existing:
            emptied = replace(bed, bucket=bucket)
            before: list[str] = []
            while (keys := control.keys(bucket)) and keys != before:
                before = keys
                run_closed(bed.target, Deletes(emptied.requests(), list(keys)), 8, ENOUGH_SECONDS)
            control.delete_bucket(bucket)

    def _folder(self, name: str) -> Path:
        folder = self.directory / name
        folder.mkdir()
        return folder


def _request_shapes(bed: Bed, settings: Settings) -> Iterator[Iterator[Result]]:
    """The groups of request shapes: if one breaks off, the others still run."""
    if settings.wants("put", "get", "head", "list", "delete"):
        yield small_shapes(bed, settings)
    if settings.wants("mixed"):
        yield mixed_shapes(bed, settings)
    if settings.wants("stream"):
        yield stream_shapes(bed, settings)
    if settings.wants("multipart"):
        yield multipart_shapes(bed, settings)


def broken_off(error: Exception) -> Result:
    """What stands in a report in the place of results that could not be measured."""
    return Result("broken off", 0, 0, 0.0, Percentiles(), errors={f"{type(error).__name__}: {error}": 1})


def _until_broken(results: Iterator[Result]) -> Iterator[Result]:
    try:
        yield from results
    except (FillFailed, S3Failed, ApiFailed, OSError) as error:
        yield broken_off(error)


def _bare_settings(settings: Settings) -> Settings:
    """The same shapes for the null server, but shorter: it has nothing to warm up and no disk to be slow."""
    return replace(
        settings,
        # The listing is compared with the bare list page, so that page is always measured with it.
        only=settings.only | ({"list"} if settings.wants("listing") else set()),
        seconds=min(settings.seconds, BARE_SECONDS),
        stream_bytes=(min(settings.stream_bytes),),
        stream_repeats=2,
    )
