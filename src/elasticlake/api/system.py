"""The installation at a glance, for its operators."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from elasticlake.api.documents import Document, Timestamp, example, optional_timestamp, resource, timestamp
from elasticlake.api.services import Call
from elasticlake.metadata.nodes import LEASE_MS, Node
from elasticlake.service.system import State

router = resource("system")
_EXAMPLE: dict[str, Any] = {
    "version": "1.0.0",
    "role": "all",
    "startedAt": "2026-01-02T03:04:05.678Z",
    "publicUrl": "http://127.0.0.1:9000",
    "engine": {
        "name": "SQLite", "version": "3.50.4",
        "databases": {"core": 81920, "delivery": 49152, "history": 16384},
    },
    "nodes": [
        {
            "name": "gateway-0", "role": "gateway", "epoch": "1852000000000000123",
            "startedAt": "2026-01-02T03:04:05.678Z", "heartbeatAt": "2026-01-02T03:14:05.678Z", "isAlive": True,
        }
    ],
    "blobs": {"place": "DATA/blobs", "freeBytes": 68719476736, "reserveBytes": 536870912},
    "accounts": 2,
    "buckets": 1,
    "objects": 2,
    "bytes": 2097152,
    "webhooks": {"enabled": 1, "disabled": 0},
    "events": {"retentionDays": 30, "retentionBytes": 0, "oldestAt": "2026-01-02T03:04:05.678Z"},
    "attempts": {"retentionDays": 30},
    "activity": {"retentionDays": 400},
    "backlog": {"events": 0, "oldestSeconds": 0},
}  # fmt: skip


class EngineDocument(Document):
    """`databases` are their sizes in bytes, where they are files."""

    name: str
    version: str
    databases: dict[str, int]


class NodeDocument(Document):
    """A process that said that it lives. `epoch` names it for as long as it is not taken for dead."""

    name: str
    role: Literal["gateway", "dispatcher"]
    epoch: str
    started_at: Timestamp
    heartbeat_at: Timestamp
    is_alive: bool

    @classmethod
    def of(cls, node: Node, now_ms: int) -> NodeDocument:
        return cls(
            name=node.name,
            role=node.role,
            epoch=str(node.epoch),
            started_at=timestamp(node.started_at_ms),
            heartbeat_at=timestamp(node.heartbeat_at_ms),
            is_alive=node.heartbeat_at_ms > now_ms - LEASE_MS,
        )


class BlobsDocument(Document):
    """With less free space than the reserve, writes are refused. `freeBytes` is null where nobody knows."""

    place: str
    free_bytes: int | None
    reserve_bytes: int


class RetentionDocument(Document):
    """0 is for ever; null: none are kept."""

    retention_days: int | None


class EventsDocument(Document):
    """How long events are kept, and about how many bytes of them in each bucket (0: no limit); when the oldest that is
    kept happened."""

    retention_days: int
    retention_bytes: int
    oldest_at: Timestamp | None


class BacklogDocument(Document):
    """Events that enabled webhooks have yet to come to, and the age of the oldest one that has not arrived."""

    events: int
    oldest_seconds: float


class SystemDocument(Document):
    """`backlog` is what the dispatcher of the server that answers measured last; null where it has none."""

    model_config = ConfigDict(json_schema_extra=example(**_EXAMPLE))

    version: str
    role: str
    started_at: Timestamp
    public_url: str
    engine: EngineDocument
    nodes: list[NodeDocument]
    blobs: BlobsDocument
    accounts: int
    buckets: int
    objects: int
    bytes: int
    webhooks: dict[str, int]
    events: EventsDocument
    attempts: RetentionDocument
    activity: RetentionDocument
    backlog: BacklogDocument | None

    @classmethod
    def of(cls, state: State) -> SystemDocument:
        setup, totals, engine = state.setup, state.totals, state.engine
        backlog = state.backlog
        return cls(
            version=setup.version,
            role=setup.role,
            started_at=timestamp(setup.started_at_ms),
            public_url=setup.public_url,
            engine=EngineDocument(name=engine.name, version=engine.version, databases=dict(engine.sizes)),
            nodes=[NodeDocument.of(node, state.now_ms) for node in state.nodes],
            blobs=BlobsDocument(place=setup.blobs, free_bytes=state.free_bytes, reserve_bytes=setup.reserve_bytes),
            # The account root is nowhere stored.
            accounts=totals.accounts + 1,
            buckets=totals.buckets,
            objects=totals.objects,
            bytes=totals.size_bytes,
            webhooks={"enabled": 0, "disabled": 0, **state.webhooks},
            events=EventsDocument(
                retention_days=setup.event_retention_days,
                retention_bytes=setup.event_retention_bytes,
                oldest_at=optional_timestamp(state.oldest_event_ms),
            ),
            attempts=RetentionDocument(retention_days=setup.history_days),
            activity=RetentionDocument(retention_days=setup.activity_retention_days),
            backlog=backlog and BacklogDocument(events=backlog.events, oldest_seconds=backlog.oldest_seconds),
        )


@router.get("/system", summary="Describe the installation")
async def get_system(call: Call) -> SystemDocument:
    """Its nodes, engine, places, totals and backlog. For tokens of every account; an answer may be a second old."""
    return SystemDocument.of(await call.services.system.state(call.token))
