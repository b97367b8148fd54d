"""What dead processes were writing is cleared away, what living ones write is not."""

from __future__ import annotations

from tests.unit.world import Alone, World

from elasticlake.metadata import blob_records
from elasticlake.metadata.database import Touching
from elasticlake.service.collector import INTENT_MS, NEWCOMER_MS, Collector


async def begin(world: World, blob_id: str, owner: str) -> None:
    """Announce a blob, as an upload does before its first byte is stored."""
    now_ms = world.stores.clock.now_ms()
    await world.core.write(lambda tx: blob_records.insert_intent(tx, blob_id, owner, now_ms), touching=Touching())


async def begun(world: World) -> set[str]:
    return {row[0] for row in await world.core.read(lambda reader: reader.rows("SELECT blob_id FROM blob_intents"))}


async def test_only_what_the_predecessor_began_is_given_up(world: World) -> None:
    await begin(world, "predecessors", world.stores.owner)
    await begin(world, "others", "other")
    collector = Collector(world.stores, Alone())
    world.clock.time_ms += 1
    await begin(world, "own", world.stores.owner)
    assert await collector.abandon_own_intents() == 1
    assert await begun(world) == {"others", "own"}


async def test_what_absent_gateways_began_is_given_up_unless_it_is_new(world: World) -> None:
    await begin(world, "old", "absent")
    world.clock.time_ms += NEWCOMER_MS
    await begin(world, "own", world.stores.owner)
    await begin(world, "new", "absent")
    world.clock.time_ms += 1
    assert await Collector(world.stores, Alone()).abandon_absent() == 1
    assert await begun(world) == {"own", "new"}


async def test_nothing_is_written_for_longer_than_a_day(world: World) -> None:
    await begin(world, "own", world.stores.owner)
    world.clock.time_ms += INTENT_MS + 1
    assert await Collector(world.stores, Alone()).abandon_absent() == 1
    assert await begun(world) == set()
