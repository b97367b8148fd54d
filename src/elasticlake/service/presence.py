"""A process's presence among the nodes: it registers, beats once a second, and learns if it was taken for dead."""

from __future__ import annotations

import asyncio

import structlog

from elasticlake.clock import Clock
from elasticlake.metadata import nodes
from elasticlake.metadata.database import Database, Touching, Transaction
from elasticlake.metadata.nodes import LEASE_MS, Node, Role

BEAT_SECONDS = 1.0
LEASE_SECONDS = LEASE_MS / 1000 - BEAT_SECONDS
"""How long after the start of its last beat a node may act on what it owns: less than until it may be reaped."""

_log = structlog.get_logger("presence")


class Presence:
    """One node. `epoch` is 0 until it has registered; a node that was reaped registers again under a new one."""

    def __init__(self, state: Database, role: Role, name: str, clock: Clock) -> None:
        self._state = state
        self._role = role
        self._clock = clock
        self.name = name
        self.epoch = 0
        self.nodes: tuple[Node, ...] = ()
        """All nodes, as of the last beat."""
        self._confirmed_at = float("-inf")
        self._steady_since = float("inf")

    @property
    def names(self) -> frozenset[str]:
        """All nodes' names, as of the last beat."""
        return frozenset(node.name for node in self.nodes)

    @property
    def may_reap(self) -> bool:
        """Whether we have been heard of all the time that others have not: after the database itself was away, everyone
        gets the time to come back."""
        return self.is_certain and self._clock.monotonic() - self._steady_since > LEASE_SECONDS

    @property
    def is_certain(self) -> bool:
        """Whether nobody can have taken us for dead yet."""
        return self.epoch > 0 and self._clock.monotonic() < self._confirmed_at + LEASE_SECONDS

    def living(self, role: Role) -> list[Node]:
        """The nodes of that role, the eldest first."""
        return [node for node in self.nodes if node.role == role]

    def heard_of(self, role: Role) -> int | None:
        """How many nodes of that role had beaten within a lease, as of our last beat; None if that was long ago."""
        if not self.is_certain:
            return None
        now_ms = max((node.heartbeat_at_ms for node in self.nodes), default=0)
        return sum(node.heartbeat_at_ms > now_ms - LEASE_MS for node in self.living(role))

    @property
    def is_eldest(self) -> bool:
        """Whether this node is the first of its role: what one is enough for, it does."""
        living = self.living(self._role)
        return self.is_certain and bool(living) and living[0].epoch == self.epoch

    async def beat(self) -> bool:
        """Register or beat, and look around; False if we had been taken for dead, and have just joined anew.

        Raises `Unavailable` where the database cannot be reached.
        """
        began_at = self._clock.monotonic()
        if not self.is_certain:
            self._steady_since = began_at
        was_lost = self.epoch > 0 and not await self._say_alive()
        if was_lost:
            self.epoch = 0
            _log.warning("this node was taken for dead and joins anew", name=self.name)
        if self.epoch == 0:
            began_at = self._clock.monotonic()
            self.epoch = await self._state.write(lambda tx: nodes.register(tx, self._role, self.name))
        self._confirmed_at = began_at
        self.nodes = tuple(await self._state.read(nodes.all_nodes, loose=True))
        return not was_lost

    async def leave(self) -> None:
        """Say good-bye, so that nobody has to wait for the silence."""
        epoch, self.epoch = self.epoch, 0
        if epoch:
            await self._state.write(lambda tx: nodes.leave(tx, epoch), touching=Touching())

    async def run(self) -> None:
        """Beat for ever; for a node that owns nothing."""
        was_well = True
        while True:
            try:
                await self.beat()
                if self.may_reap:
                    await self._state.write(_reap, touching=Touching())
            except Exception as error:
                if was_well:
                    _log.warning("no heartbeat", name=self.name, error=str(error))
                was_well = False
            else:
                if not was_well:
                    _log.info("heartbeats again", name=self.name)
                was_well = True
            await asyncio.sleep(BEAT_SECONDS)

    async def _say_alive(self) -> bool:
        epoch = self.epoch
        return await self._state.write(lambda tx: nodes.beat(tx, epoch), touching=Touching())


def _reap(tx: Transaction) -> None:
    for name in nodes.reap(tx):
        _log.warning("a node fell silent", name=name)
