"""The numbers that an operator reckons with are those of the code."""

from __future__ import annotations

import re

from tests.docs.documents import Document

from elasticlake.blobs.remote_store import DEFAULT_PATIENCE
from elasticlake.blobs.remote_writer import PART_BYTES, PARTS_UNDER_WAY
from elasticlake.delivery.flights import MAX_IN_FLIGHT, MAX_IN_FLIGHT_PER_WEBHOOK
from elasticlake.metadata.nodes import LEASE_MS
from elasticlake.metadata.postgres.committer import GROUPS_AT_ONCE, MAX_GROUP
from elasticlake.metadata.postgres.database import LONG_AT_ONCE, SNAPSHOTS_AT_ONCE
from elasticlake.metadata.postgres.link import _SESSION
from elasticlake.server.gateway import DRAIN_SECONDS
from elasticlake.service.intake import INLINE_BYTES
from elasticlake.service.presence import LEASE_SECONDS

OPERATIONS = Document("docs/operations.md")
SCALING = Document("docs/scaling.md")
# History, its statistics, notifying, listening.
SINGLE_CONNECTIONS = 4


def has(page: Document, text: str) -> bool:
    """Whether the page says it, wherever its lines break."""
    return text in " ".join(page.text.split())


def test_the_connections_of_a_process_are_counted_right() -> None:
    one_database = GROUPS_AT_ONCE + SNAPSHOTS_AT_ONCE + 1 + LONG_AT_ONCE
    parts = f"{one_database} for objects ({GROUPS_AT_ONCE} groups of changes, {SNAPSHOTS_AT_ONCE} snapshots, 1 shared"
    assert has(OPERATIONS, parts)
    assert has(OPERATIONS, f"{LONG_AT_ONCE} for long changes), {one_database} for the state of deliveries")
    total = 2 * one_database + SINGLE_CONNECTIONS
    assert has(OPERATIONS, f"opens up to **{total}** connections")
    assert has(OPERATIONS, f"max_connections ≥ {total} × (gateways + dispatchers) + 10")
    assert has(OPERATIONS, f"Four gateway nodes with two workers each and two dispatchers: {total * (4 * 2 + 2) + 10}")


def test_an_uploads_memory_is_reckoned_right() -> None:
    mib = (1 + PARTS_UNDER_WAY) * PART_BYTES // 1024**2
    assert has(OPERATIONS, f"{mib} MiB with an object store")


def test_the_times_of_failures_are_those_of_the_code() -> None:
    assert has(OPERATIONS, f"after {LEASE_MS // 1000} s of silence")
    assert has(OPERATIONS, f"{LEASE_SECONDS:g} s after its last heartbeat")
    assert has(OPERATIONS, f"after {DEFAULT_PATIENCE.retry_seconds:g} s of tries")
    assert has(OPERATIONS, f"finished for {DRAIN_SECONDS} s at most")
    assert re.findall(r"SET (?:idle_in_transaction_session|lock)_timeout = '(\d+)s'", _SESSION) == ["5", "5"]
    assert has(OPERATIONS, "each session sets 5 s for itself")


def test_the_limits_that_scaling_reckons_with_are_those_of_the_code() -> None:
    assert has(SCALING, f"{MAX_IN_FLIGHT} attempts under way at most, {MAX_IN_FLIGHT_PER_WEBHOOK} for one webhook")
    assert has(SCALING, f"at most {MAX_GROUP} mutations in each")
    assert has(SCALING, f"Objects above {INLINE_BYTES // 1024} KiB")
