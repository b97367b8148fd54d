"""What tests of jobs share: a webhook that knows of everything, a job, and its end."""

from __future__ import annotations

from typing import Any

from tests.unit.delivery.dispatching import Dispatching, Receiver, eventually, listen
from tests.unit.world import ROOT, World

from elasticlake.metadata import deliveries
from elasticlake.metadata.jobs import Job
from elasticlake.model.jobs import JobKind, JobParameters
from elasticlake.model.webhooks import Webhook

KEYS = (b"a", b"b", b"c")


async def make(world: World, webhook: Webhook, kind: JobKind = "replay", **parameters: Any) -> Job:
    return await world.jobs.create(ROOT, webhook.id, kind, JobParameters(**parameters))


async def ended(world: World, running: Dispatching, job: Job) -> Job:
    """The job once it has ended."""
    running.dispatcher.wake({})

    async def look() -> Job | None:
        now = await world.jobs.get(ROOT, job.id)
        return now if now.status != "running" else None

    found = await eventually(look)
    assert isinstance(found, Job)
    return found


async def settled(world: World, webhook: Webhook, count: int) -> None:
    """Until so many events of the log were delivered."""

    async def delivered() -> bool:
        positions = await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id))
        return sum(position.delivered for position in positions) >= count

    await eventually(delivered)


async def heard(world: World, receiver: Receiver, running: Dispatching, count: int, **members: Any) -> Webhook:
    """A webhook that has been told of so many events, of three keys in turn; the receiver has forgotten them."""
    await world.bucket("bucket")
    webhook = await listen(world, receiver, **members)
    for number in range(count):
        await world.put("bucket", KEYS[number % len(KEYS)], b"%d" % number)
    running.dispatcher.wake({})
    await settled(world, webhook, count)
    receiver.events.clear()
    receiver.headers.clear()
    return webhook
