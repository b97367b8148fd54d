"""Nodes, and the fence around what each dispatcher owns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from tests.conformance.metadata.conftest import Open

from elasticlake.errors import Unavailable
from elasticlake.metadata import deliveries, nodes
from elasticlake.metadata.database import Database, Reader, Touching, Transaction
from elasticlake.metadata.deliveries import Position
from elasticlake.metadata.nodes import LEASE_MS, Role

OTHERS = Touching()
PATIENCE_SECONDS = 20.0


async def register(state: Database, name: str, role: Role = "dispatcher") -> int:
    return await state.write(lambda tx: nodes.register(tx, role, name))


async def fall_silent(state: Database, epoch: int, silent_ms: int = LEASE_MS + 1000) -> None:
    """As if the node's last beat had been so long ago."""
    sql = "UPDATE nodes SET heartbeat_at_ms = heartbeat_at_ms - ? WHERE epoch = ?"
    await state.write(lambda tx: tx.run(sql, (silent_ms, epoch)), touching=OTHERS)


async def claim(state: Database, epoch: int, *webhook_ids: str) -> None:
    await state.write(lambda tx: nodes.claim(tx, webhook_ids, epoch))


async def held(state: Database, epoch: int, *webhook_ids: str) -> set[str]:
    return await state.write(lambda tx: nodes.hold_owned(tx, webhook_ids, epoch), touching=OTHERS)


def move(epoch: int, sequence: int) -> Callable[[Transaction], bool]:
    """Write an outcome as the dispatcher of that epoch; whether it was allowed to."""

    def mutation(tx: Transaction) -> bool:
        if not nodes.hold_owned(tx, ["wh_1"], epoch):
            return False
        deliveries.put_position(tx, Position("wh_1", 1, sequence))
        return True

    return mutation


def position(reader: Reader) -> int:
    found = deliveries.get_position(reader, "wh_1", 1)
    return found.sequence if found else 0


class Gate:
    """Holds a long mutation up before its commit."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self._reached.set()
        assert self._open.wait(PATIENCE_SECONDS)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE_SECONDS)

    def open(self) -> None:
        self._open.set()


# Nodes.


async def test_an_epoch_never_comes_again(state: Database) -> None:
    first = await register(state, "a")
    again = await register(state, "a")
    await state.write(lambda tx: nodes.leave(tx, again))
    third = await register(state, "a")
    assert len({first, again, third}) == 3
    assert [node.epoch for node in await state.read(nodes.all_nodes)] == [third]


async def test_an_epoch_that_a_crash_took_back_never_comes_again(state: Database) -> None:
    """Whoever has it may live on, and must not take another's for its own."""
    taken_back: list[int] = []

    def crash(tx: Transaction) -> None:
        taken_back.append(nodes.register(tx, "dispatcher", "a"))
        raise Unavailable

    with pytest.raises(Unavailable):
        await state.write(crash)
    assert await register(state, "b") not in taken_back


async def test_nodes_are_told_apart_the_eldest_first(state: Database) -> None:
    epochs = [await register(state, "b"), await register(state, "c", "gateway"), await register(state, "a")]
    found = await state.read(nodes.all_nodes, loose=True)
    assert [(node.epoch, node.role, node.name) for node in found] == [
        (epochs[0], "dispatcher", "b"),
        (epochs[1], "gateway", "c"),
        (epochs[2], "dispatcher", "a"),
    ]
    assert all(node.started_at_ms == node.heartbeat_at_ms > 0 for node in found)


async def test_times_are_the_databases(state: Database, open_state: Open) -> None:
    other = open_state()
    before = await state.read(lambda reader: reader.now_ms())
    epoch = await register(other, "a")
    after = await state.read(lambda reader: reader.now_ms(), loose=True)
    (node,) = await state.read(nodes.all_nodes)
    assert (node.epoch, before <= node.heartbeat_at_ms <= after) == (epoch, True)


async def test_only_the_silent_are_reaped(state: Database) -> None:
    silent, nearly, lively = [await register(state, name) for name in ("silent", "nearly", "lively")]
    await fall_silent(state, silent)
    await fall_silent(state, nearly, LEASE_MS - 2000)
    assert await state.write(nodes.reap) == ["silent"]
    assert [node.epoch for node in await state.read(nodes.all_nodes)] == [nearly, lively]
    assert await state.write(lambda tx: nodes.beat(tx, silent)) is False
    assert await state.write(lambda tx: nodes.beat(tx, lively)) is True
    assert await state.write(nodes.reap) == []


async def test_a_beat_makes_up_for_a_silence(state: Database) -> None:
    epoch = await register(state, "a")
    await fall_silent(state, epoch)
    assert await state.write(lambda tx: nodes.beat(tx, epoch), touching=OTHERS)
    assert await state.write(nodes.reap) == []


async def test_a_beat_under_way_is_waited_for_and_counts(state: Database, open_state: Open) -> None:
    epoch = await register(state, "a")
    await fall_silent(state, epoch)
    gate, other = Gate(), open_state()

    def beat(tx: Transaction) -> bool:
        alive = nodes.beat(tx, epoch)
        gate()
        return alive

    beating = asyncio.create_task(state.write(beat, touching=OTHERS, long=True))
    await gate.reached()
    reaping = asyncio.create_task(other.write(nodes.reap, touching=OTHERS))
    await asyncio.sleep(0.1)
    assert not reaping.done()
    gate.open()
    assert await beating
    assert await reaping == []
    assert len(await other.read(nodes.all_nodes)) == 1


async def test_who_leaves_in_order_owns_nothing_any_more(state: Database) -> None:
    leaving, staying = await register(state, "a"), await register(state, "b")
    await claim(state, leaving, "wh_1", "wh_2")
    await claim(state, staying, "wh_3")
    await state.write(lambda tx: nodes.leave(tx, leaving))
    assert await state.read(nodes.owners) == {"wh_3": staying}
    assert [node.epoch for node in await state.read(nodes.all_nodes)] == [staying]


# Webhooks.


async def test_they_are_claimed_and_given_back(state: Database) -> None:
    first, second = await register(state, "a"), await register(state, "b")
    await claim(state, first, "wh_1", "wh_2")
    await claim(state, second, "wh_2", "wh_3")
    assert await state.read(nodes.owners) == {"wh_1": first, "wh_2": second, "wh_3": second}
    await state.write(lambda tx: nodes.release(tx, ["wh_1", "wh_2"], first))
    assert await state.read(nodes.owners) == {"wh_2": second, "wh_3": second}


async def test_only_what_is_owned_is_held(state: Database) -> None:
    await claim(state, 1, "wh_1", "wh_2")
    await claim(state, 2, "wh_3")
    assert await held(state, 1, "wh_1", "wh_2", "wh_3", "wh_4") == {"wh_1", "wh_2"}
    assert await held(state, 2, "wh_1", "wh_2", "wh_3", "wh_4") == {"wh_3"}
    assert await held(state, 3, "wh_1", "wh_2", "wh_3", "wh_4") == set()
    assert await held(state, 1) == set()


@pytest.mark.parametrize("count", [1, 199, 200, 201, 450])
async def test_however_many_are_held(state: Database, count: int) -> None:
    names = [f"wh_{number:04d}" for number in range(count)]
    await claim(state, 1, *names)
    await claim(state, 2, names[-1])
    assert await held(state, 1, *names) == set(names[:-1])


async def test_a_claim_waits_for_the_outcome_that_is_being_written(state: Database, open_state: Open) -> None:
    """And what the old owner writes after it is refused."""
    await claim(state, 1, "wh_1")
    gate, successor = Gate(), open_state()

    def write_slowly(tx: Transaction) -> bool:
        written = move(1, 7)(tx)
        gate()
        return written

    writing = asyncio.create_task(state.write(write_slowly, touching=OTHERS, long=True))
    await gate.reached()
    claiming = asyncio.create_task(claim(successor, 2, "wh_1"))
    await asyncio.sleep(0.1)
    assert not claiming.done()
    gate.open()
    assert await writing
    await claiming
    assert await successor.read(position) == 7
    assert await state.write(move(1, 8), touching=OTHERS) is False
    assert await successor.write(move(2, 9), touching=OTHERS) is True
    assert await state.read(position) == 9


async def test_an_outcome_waits_for_the_claim_that_is_being_made(state: Database, open_state: Open) -> None:
    """And is refused, though the webhook was still its writer's when it began."""
    await claim(state, 1, "wh_1")
    gate, successor = Gate(), open_state()

    def claim_slowly(tx: Transaction) -> None:
        nodes.claim(tx, ["wh_1"], 2)
        tx.rows("SELECT 1")
        gate()

    claiming = asyncio.create_task(successor.write(claim_slowly, long=True))
    await gate.reached()
    writing = asyncio.create_task(state.write(move(1, 7), touching=OTHERS))
    await asyncio.sleep(0.1)
    assert not writing.done()
    gate.open()
    await claiming
    assert await writing is False
    assert await state.read(position) == 0


async def test_who_gives_a_webhook_back_may_not_write_for_it(state: Database) -> None:
    await claim(state, 1, "wh_1")
    await state.write(lambda tx: nodes.release(tx, ["wh_1"], 1))
    assert await state.write(move(1, 7), touching=OTHERS) is False


async def test_a_webhook_that_is_forgotten_is_nobodys(state: Database) -> None:
    await claim(state, 1, "wh_1")
    assert await state.write(move(1, 7), touching=OTHERS)
    await state.write(lambda tx: deliveries.forget_webhook(tx, "wh_1"))
    assert await state.read(nodes.owners) == {}
    assert await state.write(move(1, 8), touching=OTHERS) is False
    assert await state.read(position) == 0
