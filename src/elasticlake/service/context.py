"""What every service works with, and what every request brings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from elasticlake.blobs.store import BlobStore
from elasticlake.clock import Clock
from elasticlake.errors import InsufficientStorage
from elasticlake.metadata.database import Database
from elasticlake.model.accounts import Actor, Caller
from elasticlake.record import record


@record
class Request:
    """Who asks, and under which id the answer, the event and the log line can be found together."""

    caller: Caller
    id: str
    trace: str | None = None
    """Where it is in a trace, as a `traceparent`; None where nobody traces."""

    @property
    def actor(self) -> Actor:
        """Who is said to have done what the request changes."""
        return replace(self.caller.actor, request_id=self.id)


class SpaceGuard:
    """Refuses writes while the disk is nearly full, so that reads, deletes and delivery can go on."""

    def __init__(self, blobs: BlobStore, clock: Clock, reserve_bytes: int) -> None:
        self._blobs = blobs
        self._clock = clock
        self._reserve_bytes = reserve_bytes
        self._checked_at = float("-inf")
        self._enough = True

    def require(self) -> None:
        """Raises `InsufficientStorage` below the reserve; looks at the disk once a second."""
        now = self._clock.monotonic()
        if now - self._checked_at >= 1:
            free = self._blobs.free_bytes()
            self._enough = free is None or free >= self._reserve_bytes
            self._checked_at = now
        if not self._enough:
            raise InsufficientStorage


@dataclass(frozen=True, slots=True)
class Stores:
    """The adapters that the composition root chose."""

    database: Database
    blobs: BlobStore
    clock: Clock
    space: SpaceGuard
    owner: str
    """Names this process in the intents of the blobs that it writes."""
    blob_grace_ms: int = 3_600_000
    """How long a blob without a row stays, so that its readers finish."""
