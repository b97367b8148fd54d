"""A guard of many machines."""

from __future__ import annotations

import secrets
from typing import Any

from elasticlake.webhooks.errors import BeingHandled
from elasticlake.webhooks.guards.guard import CLAIM_SECONDS, KEEP_SECONDS, Claim

COMPLETED = "completed"
# Deletes the claim only while it is still this one.
RELEASE = """if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) else return 0 end"""


class RedisGuard:
    """Keeps each event as a key, `prefix` and its id, which Redis forgets after `keep_seconds`.

    `client` is a `redis.Redis` or what is like it: `set`, `get` and `eval` are called. What it raises is raised on; the
    event is then sent again. A Redis that evicts keys under memory pressure forgets events early.
    """

    def __init__(
        self,
        client: Any,
        prefix: str = "elasticlake:",
        *,
        claim_seconds: float = CLAIM_SECONDS,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._claim_ms = int(claim_seconds * 1000)
        self._keep_ms = int(keep_seconds * 1000)

    def begin(self, event_id: str) -> Claim | None:
        claim = Claim(event_id, secrets.token_hex(8))
        key = self._prefix + event_id
        if self._client.set(key, claim.token, nx=True, px=self._claim_ms):
            return claim
        # A claim that ended in between is as good as one that holds: the event comes again.
        if self._client.get(key) not in (COMPLETED, COMPLETED.encode()):
            raise BeingHandled
        return None

    def complete(self, claim: Claim) -> None:
        self._client.set(self._prefix + claim.id, COMPLETED, px=self._keep_ms)

    def release(self, claim: Claim) -> None:
        self._client.eval(RELEASE, 1, self._prefix + claim.id, claim.token)
