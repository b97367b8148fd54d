"""What makes a restore safe: nothing that deliveries remember lies beyond the log.

After a log was restored that is older than the positions, the sequences between come again with other events. A
position beyond them would pass these by in silence; a lane, a dead or a requested delivery would stand for the wrong
one. So all of it goes back to where the log ends, before anything new is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from elasticlake.metadata import deliveries, webhooks
from elasticlake.metadata.database import Database, Transaction

_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Clamped:
    """A webhook's memory of a bucket that went further (`from_sequence`) than the bucket's log (`to_sequence`).

    Beyond the log were this many lanes and dead deliveries, which are gone, and requested ones, which are expired.
    """

    webhook_id: str
    bucket_id: int
    from_sequence: int
    to_sequence: int
    lanes: int
    dead: int
    requested: int


async def clamp_positions(core: Database, delivery: Database) -> list[Clamped]:
    """Take back to each bucket's last sequence what was remembered beyond it; returns, and logs, what that was.

    Call it before the first write after a start: once the log has grown past a position, nobody can tell any more. A
    bucket that `core` does not know has no log, so 0 is its last sequence: its id may come again.
    """
    # Positions first: other nodes may be delivering, and their positions never pass the log as it is later.
    reached = await delivery.read(deliveries.furthest)
    heads = {place.id: place.sequence for place in await core.read(webhooks.all_places)}
    beyond = [
        (webhook_id, bucket_id, sequence, heads.get(bucket_id, 0))
        for webhook_id, bucket_id, sequence in reached
        if sequence > heads.get(bucket_id, 0)
    ]
    if not beyond:
        return []
    clamped = await delivery.write(lambda tx: [_clamp(tx, *one) for one in beyond], long=True)
    for one in clamped:
        _log.warning(
            "position beyond the log clamped: was an older log restored?",
            webhook=one.webhook_id,
            bucket_id=one.bucket_id,
            from_sequence=one.from_sequence,
            to_sequence=one.to_sequence,
            lanes=one.lanes,
            dead=one.dead,
            requested=one.requested,
        )
    return clamped


def _clamp(tx: Transaction, webhook_id: str, bucket_id: int, from_sequence: int, to_sequence: int) -> Clamped:
    deliveries.clamp_position(tx, webhook_id, bucket_id, to_sequence)
    return Clamped(
        webhook_id,
        bucket_id,
        from_sequence,
        to_sequence,
        lanes=deliveries.drop_lanes_beyond(tx, webhook_id, bucket_id, to_sequence),
        dead=deliveries.drop_dead_beyond(tx, webhook_id, bucket_id, to_sequence),
        requested=deliveries.expire_requested_beyond(tx, webhook_id, bucket_id, to_sequence),
    )
