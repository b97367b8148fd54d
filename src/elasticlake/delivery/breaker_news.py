"""Tells others which breakers are not closed: a look now and then, and a row for each that has changed since.

Attempts know nothing of it, so it costs them nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from elasticlake.clock import Clock
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.pace import Pace, Paces
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import breakers
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.metadata.database import Database, Touching, Transaction

Said = tuple[str, float]
"""A breaker's state, and when it is to be probed next (by the monotonic clock)."""


class BreakerNews:
    """What this dispatcher has told of its breakers."""

    def __init__(
        self, state: Database, paces: Paces, roster: Roster, membership: Membership, ledger: Ledger, clock: Clock
    ) -> None:
        self._state = state
        self._paces = paces
        self._roster = roster
        self._membership = membership
        self._ledger = ledger
        self._clock = clock
        self._epoch = 0
        self._told: dict[str, Said] = {}

    async def tell(self) -> None:
        """Store what has changed; what was told under another epoch is true no more."""
        if self._epoch != self._membership.epoch:
            self._epoch, self._told = self._membership.epoch, {}
            await self._state.write(breakers.forget_untrue, touching=Touching())
        known = self._known()
        for webhook_id in self._told.keys() - known.keys():
            del self._told[webhook_id]
            if self._membership.may_send(webhook_id):
                self._store(webhook_id, partial(breakers.forget, webhook_id=webhook_id))
        for webhook_id, pace in known.items():
            said = (pace.state, pace.probe_at)
            if self._told.get(webhook_id) != said:
                self._told[webhook_id] = said
                self._store(webhook_id, partial(breakers.put, breaker=self._row(webhook_id, pace)))

    def _known(self) -> dict[str, Pace]:
        """The breakers that are not closed, of webhooks that are ours and as they are defined now."""
        found: dict[str, Pace] = {}
        for webhook_id, revision, pace in self._paces.not_closed():
            webhook = self._roster.get(webhook_id)
            is_current = webhook is not None and webhook.status == "enabled" and webhook.revision == revision
            if is_current and self._membership.may_send(webhook_id):
                found[webhook_id] = pace
        return found

    def _row(self, webhook_id: str, pace: Pace) -> OpenBreaker:
        if pace.state == "half_open":
            return OpenBreaker(webhook_id, self._epoch, "half_open", None)
        wait_seconds = pace.probe_at - self._clock.monotonic()
        return OpenBreaker(webhook_id, self._epoch, "open", self._clock.now_ms() + int(1000 * wait_seconds))

    def _store(self, webhook_id: str, write: Callable[[Transaction], None]) -> None:
        self._ledger.store(webhook_id, ("breaker", webhook_id), write)
