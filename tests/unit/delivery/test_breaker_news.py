"""What others are told of the breakers that a dispatcher has in memory."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import pytest
from tests.unit.delivery.dispatching import Receiver, dispatching, eventually, listen
from tests.unit.world import KEY, ROOT, World

from elasticlake.delivery.breaker import FIRST_PROBE_SECONDS, JITTER, TRIPS_AFTER
from elasticlake.delivery.breaker_news import BreakerNews
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import breakers, nodes
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.model.webhooks import Webhook
from elasticlake.service.presence import Presence
from elasticlake.service.webhook_definitions import WebhookChange

pytestmark = pytest.mark.both_engines


class Owning(Membership):
    """Owns what it is told to."""

    def __init__(self, world: World, epoch: int, owned: Collection[str]) -> None:
        super().__init__(Presence(world.delivery, "dispatcher", "a", world.clock), world.delivery, world.clock)
        self._epoch = epoch
        self.owned = set(owned)

    def may_send(self, webhook_id: str) -> bool:
        return webhook_id in self.owned


@dataclass
class Teller:
    """A dispatcher's part that tells of its breakers."""

    world: World
    webhook: Webhook
    epoch: int = 1
    paces: Paces = field(default_factory=lambda: Paces(random.Random(1)))
    lost: list[set[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roster = Roster(KEY.decrypt)
        self.membership = Owning(self.world, self.epoch, [self.webhook.id])
        self.ledger = Ledger(self.world.delivery, None, self.membership)
        self.ledger.on_lost = self.lost.append
        self.news = BreakerNews(
            self.world.delivery, self.paces, self.roster, self.membership, self.ledger, self.world.clock
        )

    def trip(self) -> None:
        """The endpoint fails until it is left alone."""
        pace, now = self.paces.of(self.webhook), self.world.clock.monotonic()
        for _ in range(TRIPS_AFTER):
            pace.begin(0, now).failed(now, None)

    async def claim(self) -> None:
        await self.world.delivery.write(lambda tx: nodes.claim(tx, [self.webhook.id], self.epoch))

    async def told(self) -> OpenBreaker | None:
        """What others read after the next look."""
        await self.world.core.read(self.roster.refresh)
        await self.news.tell()
        await self.ledger.flush()
        found = await self.world.delivery.read(lambda reader: breakers.of_webhooks(reader, [self.webhook.id]))
        return found.get(self.webhook.id)


async def begin(world: World, receiver: Receiver) -> Teller:
    await world.bucket("bucket")
    teller = Teller(world, await listen(world, receiver))
    await teller.claim()
    return teller


async def test_an_open_breaker_is_told_with_the_time_of_its_probe(world: World, receiver: Receiver) -> None:
    teller = await begin(world, receiver)
    assert await teller.told() is None
    teller.trip()
    told = await teller.told()
    assert told is not None
    assert (told.state, told.epoch) == ("open", 1)
    assert told.probe_at_ms is not None
    wait_seconds = (told.probe_at_ms - world.clock.now_ms()) / 1000
    assert FIRST_PROBE_SECONDS * (1 - JITTER) - 0.01 <= wait_seconds <= FIRST_PROBE_SECONDS * (1 + JITTER)


async def test_a_probe_and_its_success_are_told(world: World, receiver: Receiver) -> None:
    teller = await begin(world, receiver)
    teller.trip()
    await teller.told()
    probe = teller.paces.of(teller.webhook).begin(0, world.clock.monotonic())
    assert await teller.told() == OpenBreaker(teller.webhook.id, 1, "half_open", None)
    probe.succeeded()
    assert await teller.told() is None
    rows = await world.delivery.read(lambda reader: reader.rows("SELECT webhook_id FROM breakers"))
    assert rows == []


async def test_what_has_not_changed_is_not_written_again(world: World, receiver: Receiver) -> None:
    teller = await begin(world, receiver)
    teller.trip()
    await teller.told()
    await world.delivery.write(lambda tx: breakers.forget(tx, teller.webhook.id))
    world.clock.time_ms += 1
    assert await teller.told() is None


async def test_a_disabled_webhook_has_no_open_breaker(world: World, receiver: Receiver) -> None:
    teller = await begin(world, receiver)
    teller.trip()
    assert await teller.told() is not None
    await world.webhooks.change(ROOT, teller.webhook.id, WebhookChange(status="disabled"))
    assert await teller.told() is None


async def test_what_another_dispatcher_left_behind_is_neither_true_nor_kept(world: World, receiver: Receiver) -> None:
    before = await begin(world, receiver)
    before.trip()
    await before.told()
    after = Teller(world, before.webhook, epoch=2)
    await after.claim()
    found = await world.delivery.read(lambda reader: breakers.of_webhooks(reader, [before.webhook.id]))
    assert found == {}
    assert await after.told() is None
    assert await world.delivery.read(lambda reader: reader.rows("SELECT 1 FROM breakers")) == []


async def test_of_a_webhook_that_went_to_another_nothing_is_written(world: World, receiver: Receiver) -> None:
    before = await begin(world, receiver)
    before.trip()
    await before.told()
    after = Teller(world, before.webhook, epoch=2)
    await after.claim()
    after.trip()
    told = await after.told()
    before.membership.owned.clear()
    assert await before.told() == told
    assert before.lost == []
    assert told is not None
    assert told.epoch == 2


async def test_a_dispatcher_tells_of_an_endpoint_that_fails_until_it_is_well(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda _: 503
    webhook = await listen(world, receiver, ordering="none", retry_schedule_seconds=(0.1,) * 50)

    async def standing() -> tuple[str | None, str | None]:
        found = await world.webhooks.standing(webhook)
        return found.breaker.state if found.breaker else None, found.last_error

    async with dispatching(world):
        for number in range(40):
            await world.put("bucket", b"%d" % number)
        await eventually(lambda: _is(standing, ("open", "the receiver answered 503")))
        receiver.answer = lambda _: 200
        await eventually(lambda: _is(standing, (None, None)))


async def _is(read: Callable[[], Awaitable[object]], wanted: object) -> bool:
    return await read() == wanted
