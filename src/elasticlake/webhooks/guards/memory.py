"""A guard of one process, for as long as it lives."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from elasticlake.webhooks.errors import BeingHandled
from elasticlake.webhooks.guards.guard import CLAIM_SECONDS, Claim

MAX_COMPLETED = 100_000


class MemoryGuard:
    """Remembers the `max_completed` events completed last, some 200 bytes each; a restart forgets them all."""

    def __init__(
        self,
        max_completed: int = MAX_COMPLETED,
        *,
        claim_seconds: float = CLAIM_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_completed = max_completed
        self._claim_seconds = claim_seconds
        self._monotonic = monotonic
        self._claims: OrderedDict[str, tuple[Claim, float]] = OrderedDict()
        """With the time of its end; the first to end comes first."""
        self._completed: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def begin(self, event_id: str) -> Claim | None:
        with self._lock:
            now = self._monotonic()
            self._end_claims(now)
            if event_id in self._completed:
                return None
            if event_id in self._claims:
                raise BeingHandled
            claim = Claim(event_id, secrets.token_hex(8))
            self._claims[event_id] = (claim, now + self._claim_seconds)
            return claim

    def complete(self, claim: Claim) -> None:
        with self._lock:
            self._claims.pop(claim.id, None)
            self._completed[claim.id] = None
            self._completed.move_to_end(claim.id)
            while len(self._completed) > self._max_completed:
                self._completed.popitem(last=False)

    def release(self, claim: Claim) -> None:
        with self._lock:
            if self._claims.get(claim.id, (None, 0.0))[0] == claim:
                del self._claims[claim.id]

    def _end_claims(self, now: float) -> None:
        while self._claims:
            event_id, (_, ends_at) = next(iter(self._claims.items()))
            if ends_at > now:
                return
            del self._claims[event_id]
