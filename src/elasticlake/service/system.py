"""What operators want to know of a whole installation at a glance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from elasticlake.blobs.store import BlobStore
from elasticlake.clock import Clock
from elasticlake.metadata import nodes, overview, retention
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.nodes import Node
from elasticlake.metadata.overview import Totals
from elasticlake.model.accounts import Token
from elasticlake.model.webhooks import WebhookStatus
from elasticlake.service.metrics import BACKLOG, OLDEST_SECONDS, Snapshot
from elasticlake.service.reach import require_every_account
from elasticlake.service.shared_metrics import SharedMetrics

REMEMBER_SECONDS = 1.0
REMEMBER_LOGS_SECONDS = 60.0
"""The oldest event is looked for in every bucket's log, and changes slowly."""
_LOGS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Engine:
    """The metadata's engine; its databases' sizes in bytes, by name, where they are files of this machine."""

    name: str
    version: str
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Setup:
    """How this process was started: nothing of it is a secret."""

    version: str
    role: str
    started_at_ms: int
    public_url: str
    blobs: str
    reserve_bytes: int
    event_retention_days: int
    event_retention_bytes: int
    activity_retention_days: int
    history_days: int | None
    """For how many days attempts are kept; None if none are."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the dispatchers of this server have yet to deliver, as they measured it in the last seconds."""

    events: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """How the installation stands. `now_ms` is the database's clock, which the nodes' heartbeats are read from."""

    setup: Setup
    engine: Engine
    now_ms: int
    nodes: list[Node]
    free_bytes: int | None
    totals: Totals
    webhooks: Mapping[WebhookStatus, int]
    oldest_event_ms: int | None
    backlog: Backlog | None
    """None where no dispatcher of this server has measured any."""


class System:
    """Describes the installation; an answer serves for a second."""

    def __init__(
        self,
        core: Database,
        delivery: Database,
        blobs: BlobStore,
        clock: Clock,
        setup: Setup,
        engine: Callable[[], Awaitable[Engine]],
        metrics: SharedMetrics,
    ) -> None:
        self._core = core
        self._delivery = delivery
        self._blobs = blobs
        self._clock = clock
        self._setup = setup
        self._engine = engine
        self._metrics = metrics
        self._asking = asyncio.Lock()
        self._known: State | None = None
        self._known_at = self._logs_known_at = float("-inf")
        self._oldest_event_ms: int | None = None

    async def state(self, token: Token) -> State:
        """How everything stands. Raises `AccessDenied` to tokens of some accounts, `Unavailable`."""
        require_every_account(token)
        async with self._asking:
            if self._known is None or self._clock.monotonic() - self._known_at >= REMEMBER_SECONDS:
                self._known = await self._look()
                self._known_at = self._clock.monotonic()
            return self._known

    async def _look(self) -> State:
        totals, by_status = await self._core.read(_counts)
        now_ms, living = await self._delivery.read(lambda reader: (reader.now_ms(), nodes.all_nodes(reader)))
        return State(
            setup=self._setup,
            engine=await self._engine(),
            now_ms=now_ms,
            nodes=living,
            free_bytes=self._blobs.free_bytes(),
            totals=totals,
            webhooks=by_status,
            oldest_event_ms=await self._oldest_event(),
            backlog=_backlog(await self._metrics.of_all()),
        )

    async def _oldest_event(self) -> int | None:
        if self._clock.monotonic() - self._logs_known_at >= REMEMBER_LOGS_SECONDS:
            self._oldest_event_ms = await self._look_for_oldest_event()
            self._logs_known_at = self._clock.monotonic()
        return self._oldest_event_ms

    async def _look_for_oldest_event(self) -> int | None:
        """A log's first event is its oldest."""
        found: list[int] = []
        after_id = 0
        while page := await self._core.read(lambda reader: retention.logs(reader, after_id, _LOGS_AT_ONCE)):  # noqa: B023
            found.append(min(log.first_time_ms for log in page))
            after_id = page[-1].bucket_id
            # There may be many: all else has its turn before the next.
            await asyncio.sleep(0)
        return min(found, default=None)


def _counts(reader: Reader) -> tuple[Totals, dict[WebhookStatus, int]]:
    return overview.totals(reader), overview.webhooks_by_status(reader)


def _backlog(measured: Snapshot) -> Backlog | None:
    events = measured.get(BACKLOG.name, {}).get(())
    oldest = measured.get(OLDEST_SECONDS.name, {}).get((), [0.0])
    return Backlog(int(events[0]), oldest[0]) if events else None
