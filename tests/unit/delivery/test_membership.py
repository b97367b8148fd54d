"""Dispatchers over one state database: webhooks move from the dead, never from the living, and a fence is between."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest
import pytest_asyncio
from tests.conformance.metadata.conftest import ENGINES, Open, closing_all
from tests.unit.world import StillClock

from elasticlake.delivery.feed import Budget, Feed
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership, Moved
from elasticlake.delivery.sharing import chosen
from elasticlake.errors import Unavailable
from elasticlake.metadata import deliveries, nodes
from elasticlake.metadata.database import ALONE, Committed, Database, Reader, Touching, Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Position
from elasticlake.metadata.nodes import LEASE_MS
from elasticlake.service.presence import LEASE_SECONDS, Presence
from elasticlake.service.selection import Selection

T = TypeVar("T")
WEBHOOKS = frozenset(f"wh_{number}" for number in range(24))
NOBODY = Moved()


class Stumbling:
    """The database, but one of the next reads or writes fails if that is wanted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fails_in: dict[str, int] = {}
        """1 for the next of that kind."""

    def _count(self, kind: str) -> None:
        self.fails_in[kind] = self.fails_in.get(kind, 0) - 1
        if self.fails_in[kind] == 0:
            raise Unavailable

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        self._count("read")
        return await self._database.read(query, loose=loose)

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        self._count("write")
        return await self._database.write(mutation, touching=touching, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


class Dispatcher:
    """One dispatcher's membership, with a connection and a clock of its own."""

    def __init__(self, database: Stumbling, name: str, clock: StillClock) -> None:
        self.database = database
        self.clock = clock
        self.presence = Presence(database, "dispatcher", name, clock)
        self.membership = Membership(self.presence, database, clock)

    @property
    def owned(self) -> set[str]:
        return {webhook_id for webhook_id in WEBHOOKS if self.membership.may_send(webhook_id)}

    async def look(self) -> Moved:
        return await self.membership.look_around(WEBHOOKS)

    async def hand_over(self) -> None:
        """Nothing is under way here."""
        for webhook_id in self.membership.releasing:
            await self.membership.released(webhook_id)


class Group:
    """Dispatchers that live on one clock, which tests move; the database's clock moves with it."""

    def __init__(self, open_state: Open) -> None:
        self._open = open_state
        self.database = open_state()
        self.clock = StillClock()
        self.members: list[Dispatcher] = []

    def join(self, clock: StillClock | None = None) -> Dispatcher:
        member = Dispatcher(Stumbling(self._open()), f"dispatcher-{len(self.members)}", clock or self.clock)
        self.members.append(member)
        return member

    async def second(self, *acting: Dispatcher) -> None:
        """A second passes in which these look around."""
        self.clock.time_ms += 1000
        sql = "UPDATE nodes SET heartbeat_at_ms = heartbeat_at_ms - 1000"
        await self.database.write(lambda tx: tx.run(sql), touching=Touching())
        for member in acting:
            await member.look()
            await member.hand_over()

    async def seconds(self, count: int, *acting: Dispatcher) -> None:
        for _ in range(count):
            await self.second(*acting)

    async def owners(self) -> dict[str, int]:
        return await self.database.read(nodes.owners)


@pytest_asyncio.fixture(params=sorted(ENGINES))
async def group(request: pytest.FixtureRequest) -> AsyncIterator[Group]:
    async with closing_all(ENGINES[request.param](request, "delivery")) as open_state:
        yield Group(open_state)


class Interrupted:
    """The database, but something happens before the first write reaches it."""

    def __init__(self, database: Database, before_write: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._before_write: Callable[[], Awaitable[None]] | None = before_write

    def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> Awaitable[T]:
        return self._database.read(query, loose=loose)

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        happening, self._before_write = self._before_write, None
        if happening is not None:
            await happening()
        return await self._database.write(mutation, touching=touching, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


def share_of(epoch: int, *epochs: int) -> set[str]:
    return {webhook_id for webhook_id in WEBHOOKS if chosen(webhook_id, epochs) == epoch}


async def test_the_only_one_owns_everything(group: Group) -> None:
    only = group.join()
    assert not only.membership.is_certain
    assert only.owned == set()
    assert await only.look() == Moved(gained=WEBHOOKS)
    assert only.owned == WEBHOOKS
    assert set((await group.owners()).values()) == {only.membership.epoch}
    assert await only.look() == NOBODY


async def test_who_joins_gets_a_share_once_it_is_let_go(group: Group) -> None:
    first = group.join()
    await first.look()
    second = group.join()
    assert await second.look() == NOBODY
    epochs = first.membership.epoch, second.membership.epoch
    theirs = share_of(epochs[1], *epochs)
    moved = await first.look()
    assert moved == Moved(releasing=frozenset(theirs))
    assert 0 < len(theirs) < len(WEBHOOKS)
    assert first.owned == WEBHOOKS - theirs
    # Attempts of these are under way still, so nobody else has them, however often it looks.
    for _ in range(3):
        await second.look()
        assert await first.look() == NOBODY
    assert second.owned == set()
    assert set((await group.owners()).values()) == {epochs[0]}
    one, *others = sorted(theirs)
    await first.membership.released(one)
    await second.look()
    assert second.owned == {one}
    await first.hand_over()
    assert await second.look() == Moved(gained=frozenset(others))
    assert (first.owned, second.owned) == (WEBHOOKS - theirs, theirs)
    assert (await first.look(), await second.look()) == (NOBODY, NOBODY)


async def test_a_dead_ones_webhooks_move_after_its_lease(group: Group) -> None:
    dying, staying = group.join(), group.join()
    await group.seconds(6, dying, staying)
    assert dying.owned | staying.owned == WEBHOOKS
    assert not dying.owned & staying.owned
    lost = dying.owned
    for _ in range(LEASE_MS // 1000 - 1):
        await group.second(staying)
        assert staying.owned == WEBHOOKS - lost
    await group.seconds(3, staying)
    assert staying.owned == WEBHOOKS
    assert [node.name for node in await group.database.read(nodes.all_nodes)] == ["dispatcher-1"]


async def test_who_leaves_in_order_is_not_waited_for(group: Group) -> None:
    leaving, staying = group.join(), group.join()
    await group.seconds(3, leaving, staying)
    await leaving.membership.leave()
    assert leaving.owned == set()
    await group.second(staying)
    assert staying.owned == WEBHOOKS


async def test_a_paused_one_stops_by_itself_before_it_is_taken_for_dead(group: Group) -> None:
    paused, other = group.join(StillClock()), group.join()
    for _ in range(6):
        paused.clock.time_ms += 1000
        await group.second(paused, other)
    own = paused.owned
    assert own
    paused.clock.time_ms += int(LEASE_SECONDS * 1000) - 1
    assert paused.owned == own
    paused.clock.time_ms += 2
    assert paused.owned == set()
    assert not paused.membership.is_certain
    # Had the other found it silent by then? The database's clock is the same second later.
    await group.seconds(int(LEASE_SECONDS), other)
    assert set((await group.owners()).values()) == {paused.membership.epoch, other.membership.epoch}


async def test_one_that_wakes_learns_what_it_lost_and_begins_anew(group: Group) -> None:
    paused, other = group.join(), group.join()
    await group.seconds(6, paused, other)
    own, old_epoch = frozenset(paused.owned), paused.membership.epoch
    await group.seconds(8, other)
    assert other.owned == WEBHOOKS
    moved = await paused.look()
    assert moved == Moved(lost=own)
    assert paused.membership.epoch > other.membership.epoch > old_epoch
    assert paused.owned == set()
    await group.seconds(3, other, paused)
    assert paused.owned == share_of(paused.membership.epoch, paused.membership.epoch, other.membership.epoch)
    assert other.owned == WEBHOOKS - paused.owned


@pytest.mark.parametrize("fault", [{"write": 2}, {"read": 1}])
async def test_one_that_fails_to_begin_anew_owns_nothing_of_its_old_life(group: Group, fault: dict[str, int]) -> None:
    """It cannot register, or registers and cannot see who else is there; then it can."""
    paused, other = group.join(), group.join()
    await group.seconds(6, paused, other)
    own = frozenset(paused.owned)
    await group.seconds(8, other)
    paused.database.fails_in = dict(fault)
    with pytest.raises(Unavailable):
        await paused.look()
    assert paused.owned == set()
    assert not paused.membership.is_certain
    assert await paused.look() == Moved(lost=own)
    assert paused.owned == set()
    assert other.owned == WEBHOOKS


async def test_what_a_crash_took_back_is_agreed_again(group: Group) -> None:
    """A hand-over is not flushed at once: after a crash of the database the webhook is the former owner's again, who
    knows nothing of it."""
    former, owner = group.join(), group.join()
    await group.seconds(6, former, owner)
    one = min(owner.owned)
    await group.database.write(lambda tx: nodes.claim(tx, [one], former.membership.epoch))
    await group.seconds(8, former, owner)
    assert (await group.owners())[one] == owner.membership.epoch
    assert owner.membership.may_send(one)
    assert not former.membership.may_send(one)


async def test_what_it_still_writes_is_refused(group: Group) -> None:
    """The paused one does not know yet: the fence tells it, and its successor's outcomes stand."""
    paused, other = group.join(), group.join()
    await group.seconds(6, paused, other)
    lost_one, kept_by_other = min(paused.owned), min(other.owned)
    told: list[set[str]] = []
    ledger, successor = Ledger(paused.database, None, paused.membership), Ledger(other.database, None, other.membership)
    ledger.on_lost = told.append
    moved = feed_at(lost_one, 3)
    ledger.moved(moved)
    await ledger.flush()
    assert await position(group, lost_one) == 3
    await group.seconds(8, other)
    successor.moved(feed_at(lost_one, 7))
    await successor.flush()
    ledger.moved(feed_at(lost_one, 5))
    ledger.died(DeadDelivery(lost_one, 1, 4, 0, b"key", 1, 0))
    ledger.moved(feed_at(kept_by_other, 9))
    await ledger.flush()
    assert told == [{lost_one, kept_by_other}]
    assert await position(group, lost_one) == 7
    assert await position(group, kept_by_other) == 0
    assert await group.database.read(lambda reader: deliveries.list_dead(reader, lost_one, (0, 0, 0), 10)) == []
    paused.membership.lost(told[0])
    assert not paused.membership.may_send(lost_one)
    for one in (ledger, successor):
        await one.close()


async def test_outcomes_of_an_old_epoch_are_not_written_under_a_new_one(group: Group) -> None:
    """It owned the webhook, lost it, and owns it again: what it had learnt in its first life says nothing now."""
    member = group.join()
    await member.look()
    one = min(WEBHOOKS)
    told: list[set[str]] = []

    async def live_again() -> None:
        await group.database.write(lambda tx: nodes.leave(tx, member.membership.epoch))
        assert (await member.look()).lost == WEBHOOKS
        assert (await member.look()).gained == WEBHOOKS

    ledger = Ledger(Interrupted(member.database, live_again), None, member.membership)
    ledger.on_lost = told.append
    ledger.moved(feed_at(one, 3))
    await ledger.flush()
    assert told == [{one}]
    assert await position(group, one) == 0
    await ledger.close()


async def test_after_the_database_was_away_nobody_is_taken_for_dead(group: Group) -> None:
    """All fell silent together: each gets the time to come back before anyone may be reaped."""
    first, second = group.join(), group.join()
    await group.seconds(6, first, second)
    own = second.owned
    await group.seconds(20)
    await first.look()
    assert not first.presence.may_reap
    await second.look()
    await group.seconds(6, first, second)
    assert second.owned == own
    assert {node.name for node in await group.database.read(nodes.all_nodes)} == {"dispatcher-0", "dispatcher-1"}
    assert first.presence.may_reap


async def test_webhooks_come_and_go(group: Group) -> None:
    first, second = group.join(), group.join()
    await group.seconds(3, first, second)
    everything = WEBHOOKS | {f"new_{number}" for number in range(10)}
    for member in (first, second):
        await member.membership.look_around(everything)
    for webhook_id in everything:
        assert first.membership.may_send(webhook_id) != second.membership.may_send(webhook_id)
    fewer = frozenset(sorted(WEBHOOKS)[:5])
    for member in (first, second):
        await member.membership.look_around(fewer)
    assert first.owned | second.owned == fewer


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_no_webhook_is_sent_by_two(group: Group, seed: int) -> None:
    """Dispatchers join, die, pause and wake at random; in the end those who live share everything."""
    chance = random.Random(seed)
    living = [group.join(), group.join()]
    paused: list[Dispatcher] = []
    for _ in range(40):
        what = chance.random()
        if what < 0.1 and len(living) < 4:
            living.append(group.join())
        elif what < 0.2 and len(living) > 1:
            living.remove(chance.choice(living))
        elif what < 0.3 and len(living) > 1:
            paused.append(living.pop(chance.randrange(len(living))))
        elif what < 0.5 and paused:
            living.append(paused.pop())
        await group.second(*chance.sample(living, len(living)))
        for webhook_id in WEBHOOKS:
            assert sum(member.membership.may_send(webhook_id) for member in group.members) <= 1
    await group.seconds(15, *living)
    assert sorted(webhook_id for member in living for webhook_id in member.owned) == sorted(WEBHOOKS)
    owners = await group.owners()
    for member in living:
        assert all(owners[webhook_id] == member.membership.epoch for webhook_id in member.owned)


def feed_at(webhook_id: str, sequence: int) -> Feed:
    return Feed.resume(Position(webhook_id, 1, sequence), [], "key", Selection(frozenset()), Budget())


async def position(group: Group, webhook_id: str) -> int:
    found = await group.database.read(lambda reader: deliveries.get_position(reader, webhook_id, 1))
    return found.sequence if found else 0
