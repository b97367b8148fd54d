"""Outcomes on their way to the disk: together, in the background, and never lost to a fault of ours."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from tests.unit.delivery.dispatching import Owner, eventually, owning_ledger
from tests.unit.world import START_MS, World, attempt

from elasticlake.delivery import ledger as module
from elasticlake.delivery.coalescing import Following
from elasticlake.delivery.feed import Budget, Feed
from elasticlake.metadata import deliveries
from elasticlake.metadata.database import ALONE, Committed, Reader, Touching, Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position, RequestedDelivery
from elasticlake.metadata.history import HistoryLog
from elasticlake.model.events import Event
from elasticlake.service.selection import Selection

T = TypeVar("T")
WEBHOOK, BUCKET = "wh_1", 7
DEAD = DeadDelivery(WEBHOOK, BUCKET, 3, 0, b"k", 4, START_MS)


def event(sequence: int, key: bytes = b"k") -> Event:
    return Event(
        f"evt_{sequence}", BUCKET, "bucket", sequence, "object:created", 0, key, 1, "e", "text/plain", "l", "p", "Put"
    )


def feed(*keys: bytes, webhook_id: str = WEBHOOK) -> Feed:
    """A feed that has read an event of each key."""
    made = Feed.resume(Position(webhook_id, BUCKET, 0), [], "key", Selection(frozenset({"object:created"})), Budget())
    made.add([event(number, key) for number, key in enumerate(keys, start=1)])
    return made


def is_written(world: World, sequence: int) -> bool:
    history = world.open_history()
    found = history.of_delivery(WEBHOOK, BUCKET, sequence, 0)
    history.close()
    return bool(found)


def history_writer(world: World) -> HistoryLog:
    return world.open_history_log()


async def position(world: World, webhook_id: str = WEBHOOK) -> Position | None:
    return await world.delivery.read(lambda reader: deliveries.get_position(reader, webhook_id, BUCKET))


async def lanes(world: World) -> list[Lane]:
    return await world.delivery.read(lambda reader: deliveries.lanes(reader, WEBHOOK))


async def dead(world: World) -> list[DeadDelivery]:
    return await world.delivery.read(lambda reader: deliveries.list_dead(reader, WEBHOOK, (-1, -1, -1), 10))


async def test_outcomes_are_written_in_the_background(world: World) -> None:
    ledger = await owning_ledger(world)
    ledger.start()
    followed = feed(b"a")
    followed.settle(followed.ready.popleft(), "delivered")
    ledger.moved(followed)
    assert ledger.is_unwritten(followed)
    await eventually(lambda: position(world))
    assert not ledger.is_unwritten(followed)
    assert await position(world) == Position(WEBHOOK, BUCKET, 1, delivered=1)
    await ledger.close()


async def test_a_position_and_its_lane_are_one_transaction(world: World) -> None:
    ledger = await owning_ledger(world)
    followed = feed(b"a", b"b")
    lane = followed.park(followed.ready.popleft(), 1, START_MS)
    ledger.lane_changed(followed, lane)
    outcomes = ledger._take()
    assert await world.delivery.write(lambda tx: outcomes.write(tx, Owner().epoch, None)) == set()
    assert await position(world) == Position(WEBHOOK, BUCKET, 1)
    assert await lanes(world) == [Lane(WEBHOOK, BUCKET, b"a", 1, 1, START_MS)]
    await ledger.close()


async def test_the_snapshot_is_of_the_moment_of_writing(world: World) -> None:
    ledger = await owning_ledger(world)
    followed = feed(b"a", b"b")
    first, second = followed.ready
    lane = followed.park(first, 1, START_MS)
    ledger.lane_changed(followed, lane)
    followed.settle(second, "delivered")
    ledger.moved(followed)
    followed.advance_lane(lane, "dead", Following(), START_MS)
    ledger.lane_changed(followed, lane)
    await ledger.flush()
    assert await lanes(world) == []
    assert await position(world) == Position(WEBHOOK, BUCKET, 2, delivered=1, dead=1)
    await ledger.close()


async def test_the_dead_come_and_go(world: World) -> None:
    ledger = await owning_ledger(world)
    ledger.died(DEAD)
    ledger.died(DEAD._replace(generation=1))
    ledger.died(DEAD._replace(sequence=4))
    await ledger.flush()
    assert len(await dead(world)) == 3
    ledger.revived(WEBHOOK, BUCKET, 3)
    await ledger.flush()
    assert await dead(world) == [DEAD._replace(sequence=4)]
    await ledger.close()


async def test_a_requested_delivery_is_brought_up_to_date(world: World) -> None:
    ledger = await owning_ledger(world)
    requested = RequestedDelivery(WEBHOOK, BUCKET, 3, 1, "pending", 0, START_MS, START_MS)
    ledger.requested(requested)
    ledger.requested(requested._replace(status="delivered", attempts=1, next_attempt_at_ms=None))
    await ledger.flush()
    found = await world.delivery.read(lambda reader: deliveries.get_requested(reader, WEBHOOK, BUCKET, 3, 1))
    assert found is not None
    assert (found.status, found.attempts, found.next_attempt_at_ms) == ("delivered", 1, None)
    await ledger.close()


async def test_lanes_of_another_order_are_dropped(world: World) -> None:
    ledger = await owning_ledger(world)
    followed = feed(b"a")
    ledger.lane_changed(followed, followed.park(followed.ready.popleft(), 1, START_MS))
    await ledger.flush()
    ledger.drop_lanes(await lanes(world))
    await ledger.flush()
    assert await lanes(world) == []
    await ledger.close()


async def test_nothing_of_a_forgotten_webhook_is_written(world: World) -> None:
    ledger = await owning_ledger(world)
    gone, stays = feed(b"a"), feed(b"a", webhook_id="wh_2")
    ledger.lane_changed(gone, gone.park(gone.ready.popleft(), 1, START_MS))
    ledger.moved(stays)
    ledger.died(DEAD)
    ledger.requested(RequestedDelivery(WEBHOOK, BUCKET, 3, 1, "pending", 0, START_MS, START_MS))
    ledger.forget(WEBHOOK)
    await ledger.flush()
    assert [row[0] for row in await world.delivery.read(deliveries.furthest)] == ["wh_2"]
    await ledger.close()


class FullDisk:
    """The database, but writes fail while it is full."""

    def __init__(self, world: World) -> None:
        self._database = world.delivery
        self.is_full = True
        self.refused = 0

    def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> Awaitable[T]:
        return self._database.read(query, loose=loose)

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        if self.is_full:
            self.refused += 1
            raise OSError("no space left on device")
        return await self._database.write(mutation, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


async def test_what_cannot_be_written_is_kept_and_tried_again(world: World) -> None:
    disk = FullDisk(world)
    ledger = await owning_ledger(world, disk)
    ledger.died(DEAD)
    flushing = asyncio.create_task(ledger.flush())
    await eventually(lambda: disk.refused >= 2)
    assert await dead(world) == []
    # What comes meanwhile waits its turn.
    ledger.died(DEAD._replace(sequence=4))
    disk.is_full = False
    await flushing
    assert await dead(world) == [DEAD]
    await ledger.close()
    assert await dead(world) == [DEAD, DEAD._replace(sequence=4)]


async def test_who_is_canceled_while_waiting_for_it_takes_nothing_along(world: World) -> None:
    disk = FullDisk(world)
    ledger = await owning_ledger(world, disk)
    ledger.died(DEAD)
    flushing = asyncio.create_task(ledger.flush())
    await eventually(lambda: disk.refused)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert flushing.cancelled()
    disk.is_full = False
    await ledger.close()
    assert await dead(world) == [DEAD]


async def test_attempts_go_to_the_history(world: World) -> None:
    ledger = await owning_ledger(world, history=history_writer(world))
    ledger.start()
    ledger.attempted(attempt(WEBHOOK, BUCKET, 1, status="retrying"))
    ledger.attempted(attempt(WEBHOOK, BUCKET, 1, 2))
    await ledger.close()
    history = world.open_history()
    assert [one.status for one in history.of_delivery(WEBHOOK, BUCKET, 1, 0)] == ["retrying", "delivered"]
    history.close()


async def test_it_is_full_until_what_waits_is_written(world: World) -> None:
    ledger = await owning_ledger(world, history=history_writer(world))
    told: list[bool] = []
    ledger.on_room = lambda: told.append(ledger.is_full)
    large = replace(attempt(WEBHOOK, BUCKET, 1), request_body=bytes(module.MAX_UNWRITTEN_BYTES // 2))
    ledger.attempted(large)
    assert not ledger.is_full
    ledger.attempted(large)
    ledger.attempted(attempt(WEBHOOK, BUCKET, 2))
    assert ledger.is_full
    await ledger.flush()
    assert (ledger.is_full, told) == (False, [False])
    ledger.attempted(large)
    await ledger.close()
    assert told == [False]


@pytest.mark.parametrize("share", [1, 2], ids=["full", "half full"])
async def test_what_fills_up_is_written_at_once(world: World, share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent while it is full: a few large batches may not have to wait for the beat."""
    monkeypatch.setattr(module, "HISTORY_SECONDS", 3600)
    ledger = await owning_ledger(world, history=history_writer(world))
    ledger.start()
    ledger.attempted(attempt(WEBHOOK, BUCKET, 1))
    await asyncio.sleep(0)  # the beat has begun
    ledger.attempted(replace(attempt(WEBHOOK, BUCKET, 2), request_body=bytes(module.MAX_UNWRITTEN_BYTES // share)))
    assert ledger.is_full == (share == 1)
    await eventually(lambda: is_written(world, 2))
    await eventually(lambda: not ledger.is_full)
    ledger.attempted(attempt(WEBHOOK, BUCKET, 3))
    await asyncio.wait_for(ledger.close(), 30)  # it does not wait for the beat either
    assert all(is_written(world, sequence) for sequence in (1, 2, 3))


async def test_a_history_that_cannot_be_written_loses_no_outcome(world: World) -> None:
    (world.folder / "history").write_text("a file where the folder should be")
    ledger = await owning_ledger(world, history=history_writer(world))
    ledger.attempted(attempt(WEBHOOK, BUCKET, 1))
    ledger.died(DEAD)
    await ledger.flush()
    assert await dead(world) == [DEAD]
    await ledger.close()


async def test_without_a_history_attempts_are_forgotten(world: World) -> None:
    ledger = await owning_ledger(world)
    ledger.attempted(attempt(WEBHOOK, BUCKET, 1))
    assert ledger._attempts == []
    await ledger.close()


async def test_what_was_read_on_another_timeline_is_not_written(world: World) -> None:
    """An older state of the database took over: its events may be others than those that were sent."""
    ledger = await owning_ledger(world)
    lost: list[set[str]] = []
    ledger.on_lost = lost.append
    ledger.timeline = "another"
    followed = feed(b"a")
    followed.settle(followed.ready.popleft(), "delivered")
    ledger.moved(followed)
    await ledger.flush()
    assert (await position(world), lost) == (None, [{WEBHOOK}])
    ledger.timeline = await world.delivery.read(lambda reader: reader.timeline())
    ledger.moved(followed)
    await ledger.close()
    assert await position(world) is not None
