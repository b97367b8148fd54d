"""A dispatcher among dispatchers: which webhooks are its own, for how long that is certain, and when they move.

Its word is good for a lease that it renews once a second. Whoever finds it silent for longer takes its webhooks;
by then it has stopped by itself, and what it still writes is refused (the fence in `ledger`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.sharing import Plan, plan
from elasticlake.metadata import nodes
from elasticlake.metadata.database import Database, Touching, Transaction
from elasticlake.service.presence import Presence

PLAN_ANEW_SECONDS = 5.0

_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Moved:
    """What a look around changed: webhooks that are ours now, those to let go of in order, those lost at once."""

    gained: frozenset[str] = frozenset()
    releasing: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


class Membership:
    """What this dispatcher owns."""

    def __init__(self, presence: Presence, state: Database, clock: Clock) -> None:
        self._presence = presence
        self._state = state
        self._clock = clock
        self._epoch = 0
        self._owned: frozenset[str] = frozenset()
        self._releasing: frozenset[str] = frozenset()
        self._seen: tuple[object, ...] = ()
        self._planned_at = float("-inf")

    @property
    def epoch(self) -> int:
        """The epoch that what we own belongs to."""
        return self._epoch

    @property
    def is_certain(self) -> bool:
        """Whether what we own can be nobody else's."""
        return self._presence.is_certain and self._presence.epoch == self._epoch

    def may_send(self, webhook_id: str) -> bool:
        """Whether a new attempt may start."""
        return webhook_id in self._owned and webhook_id not in self._releasing and self.is_certain

    async def look_around(self, webhook_ids: Iterable[str]) -> Moved:
        """Beat, and share all webhooks with whoever else lives. Raises `Unavailable`."""
        wanted = frozenset(webhook_ids)
        await self._presence.beat()
        if self._presence.epoch != self._epoch:
            # We were taken for dead. Nothing is claimed under the new epoch before all of the old is forgotten.
            lost, self._owned, self._releasing, self._seen = self._owned, frozenset(), frozenset(), ()
            self._epoch = self._presence.epoch
            if lost:
                return Moved(lost=lost)
        # Who lives, who seems silent, what there is to share: while none of it changes there is nothing to do. But now
        # and then we look all the same: a crash of the database may have taken back what was agreed last.
        expired_ms = max((node.heartbeat_at_ms for node in self._presence.nodes), default=0) - nodes.LEASE_MS
        silent = any(node.heartbeat_at_ms < expired_ms for node in self._presence.nodes) and self._presence.may_reap
        seen = (tuple(node.epoch for node in self._presence.living("dispatcher")), wanted)
        if not silent and seen == self._seen and self._clock.monotonic() - self._planned_at < PLAN_ANEW_SECONDS:
            return Moved()
        return await self._plan(wanted, seen)

    async def _plan(self, wanted: frozenset[str], seen: tuple[object, ...]) -> Moved:
        epoch, held, may_reap = self._epoch, self._owned, self._presence.may_reap
        planned = await self._state.write(lambda tx: _share(tx, wanted, epoch, held, may_reap))
        self._planned_at = self._clock.monotonic()
        # While a webhook is another's, or goes to another, the next look plans anew.
        self._seen = () if planned.is_waiting or planned.releases else seen
        self._owned = (self._owned | planned.claims) & wanted
        newly_releasing = planned.releases - self._releasing
        # What was to go to a node that is gone meanwhile is as good as gained.
        gained = planned.claims | (self._releasing & self._owned) - planned.releases
        self._releasing = planned.releases
        if gained or newly_releasing:
            _log.info("webhooks moved", epoch=epoch, gained=len(gained), releasing=len(newly_releasing))
        return Moved(gained, newly_releasing)

    async def released(self, webhook_id: str) -> None:
        """Nothing of the webhook is under way or unwritten here any more: whoever it belongs to may take it."""
        self._forget(webhook_id)
        epoch = self.epoch
        await self._state.write(lambda tx: nodes.release(tx, [webhook_id], epoch), touching=Touching())

    def lost(self, webhook_ids: Iterable[str]) -> None:
        """The fence says that these are another's."""
        for webhook_id in webhook_ids:
            self._forget(webhook_id)
        self._seen = ()

    async def leave(self) -> None:
        """End in order: everything is free at once."""
        self._owned = self._releasing = frozenset()
        await self._presence.leave()

    @property
    def releasing(self) -> frozenset[str]:
        return self._releasing

    def _forget(self, webhook_id: str) -> None:
        self._owned -= {webhook_id}
        self._releasing -= {webhook_id}


def _share(tx: Transaction, webhook_ids: frozenset[str], epoch: int, held: frozenset[str], may_reap: bool) -> Plan:
    for name in nodes.reap(tx) if may_reap else ():
        _log.warning("a node fell silent", name=name)
    living = {node.epoch for node in nodes.all_nodes(tx) if node.role == "dispatcher"}
    if epoch not in living:
        return Plan(frozenset(), frozenset(), True)
    planned = plan(webhook_ids, nodes.owners(tx), living, epoch, held)
    nodes.claim(tx, sorted(planned.claims), epoch)
    return planned
