"""An announcement's id is the sequence of its deliveries, which may outlive it: it never comes again."""

from __future__ import annotations

from elasticlake.metadata import operational_events
from elasticlake.metadata.database import Database, Transaction


async def announce(state: Database, event_id: str, now_ms: int) -> int:
    def mutation(tx: Transaction) -> None:
        operational_events.announce(tx, event_id, "root", "webhook:failing", {}, (), now_ms)

    await state.write(mutation)
    row = await state.read(
        lambda reader: reader.row("SELECT id FROM operational_events WHERE event_id = ?", (event_id,))
    )
    assert row is not None
    return int(row[0])


async def test_an_id_never_comes_again_even_when_all_have_gone_by_age(state: Database) -> None:
    ids = [await announce(state, f"evt_{number}", number) for number in range(3)]
    later = await announce(state, "evt_later", 3 + operational_events.KEPT_MS)
    assert await state.read(lambda reader: reader.rows("SELECT count(*) FROM operational_events")) == [(1,)]
    assert later > max(ids)
