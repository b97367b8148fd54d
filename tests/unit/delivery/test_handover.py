"""Two dispatchers at work: a webhook changes hands when nothing of it is under way, and nothing is sent twice."""

from __future__ import annotations

import asyncio

from tests.unit.delivery.dispatching import (
    Dispatching,
    GatedReceiver,
    Opening,
    Receiver,
    dispatching,
    eventually,
    listen,
    receiving,
    receiving_as,
)
from tests.unit.world import World

from elasticlake.delivery.sharing import chosen
from elasticlake.metadata import nodes
from elasticlake.metadata.database import Transaction
from elasticlake.model.webhooks import Webhook

WEBHOOKS = 24
LOOKS_SECONDS = 2.5
"""Long enough for every dispatcher to have looked around twice."""


async def owner_of(world: World, webhook: Webhook) -> int | None:
    return (await world.delivery.read(nodes.owners)).get(webhook.id)


async def epochs(world: World) -> dict[str, int]:
    return {node.name: node.epoch for node in await world.delivery.read(nodes.all_nodes)}


async def listen_often(world: World, receiver: Receiver) -> list[Webhook]:
    """So many webhooks that two dispatchers each have some, whatever their epochs are."""
    made: list[Webhook] = []
    base = receiver.url
    for number in range(WEBHOOKS):
        receiver.url = f"{base}{number}"
        made.append(await listen(world, receiver))
    return made


async def test_a_webhook_moves_when_its_attempts_have_ended(world: World) -> None:
    await world.bucket("bucket")
    async with receiving_as(GatedReceiver()) as receiver:
        every = await listen_often(world, receiver)
        async with dispatching(world, name="first") as first:
            await eventually(lambda: owner_of(world, every[0]))
            await world.put("bucket", b"key")
            await eventually(lambda: len(receiver.events) == len(every))
            async with dispatching(world, name="second") as second:
                await asyncio.sleep(LOOKS_SECONDS)
                firsts, seconds = first.membership.epoch, second.membership.epoch
                assert await epochs(world) == {"first": firsts, "second": seconds}
                moving = next(webhook for webhook in every if chosen(webhook.id, (firsts, seconds)) == seconds)
                assert await owner_of(world, moving) == firsts
                receiver.gate.set()

                async def has_moved() -> bool:
                    return await owner_of(world, moving) == seconds

                await eventually(has_moved)
                await world.put("bucket", b"key")
                await eventually(lambda: len(receiver.events) == 2 * len(every))
        assert receiver.sent == {(f"/{number}", sequence): 1 for number in range(len(every)) for sequence in (1, 2)}


async def test_what_the_first_had_not_begun_the_second_sends(world: World) -> None:
    """A webhook's backlog goes on where it was, in order, and each event goes once."""
    await world.bucket("bucket")
    async with receiving_as(GatedReceiver()) as receiver:
        every = await listen_often(world, receiver)
        async with dispatching(world, name="first"):
            for number in range(60):
                await world.put("bucket", b"key %d" % (number % 3))
            await eventually(lambda: receiver.events)
            async with dispatching(world, name="second"):
                await asyncio.sleep(LOOKS_SECONDS)
                receiver.gate.set()
                await eventually(lambda: len(receiver.events) >= 60 * len(every))
                await asyncio.sleep(0.2)
        assert len(receiver.sent) == 60 * len(every)
        assert set(receiver.sent.values()) == {1}


async def test_who_ends_in_order_leaves_everything_to_the_other(world: World) -> None:
    await world.bucket("bucket")
    async with receiving_as(GatedReceiver()) as receiver:
        receiver.gate.set()
        every = await listen_often(world, receiver)
        async with dispatching(world, name="first") as first:

            async def belong_to(*dispatchers: Dispatching) -> bool:
                owners = {await owner_of(world, webhook) for webhook in every}
                return owners == {dispatcher.membership.epoch for dispatcher in dispatchers}

            await eventually(lambda: belong_to(first))
            async with dispatching(world, name="second") as second:
                await eventually(lambda: belong_to(first, second))
            await eventually(lambda: belong_to(first))
            await world.put("bucket", b"key")
            await eventually(lambda: len(receiver.events) == len(every))


async def join_as_owner_of(world: World, webhook: Webhook) -> int:
    """A second dispatcher, whose the webhook is to be; its epoch. All that it does is to be there."""

    def mutation(tx: Transaction) -> int:
        while True:
            epoch = nodes.register(tx, "dispatcher", "second")
            if chosen(webhook.id, [node.epoch for node in nodes.all_nodes(tx)]) == epoch:
                return epoch

    return await world.delivery.write(mutation)


async def test_a_webhook_whose_feed_is_being_opened_moves(world: World) -> None:
    """What is open keeps a webhook from moving; this feed was not yet when it was decided what has to be closed."""
    opening, may_open = asyncio.Event(), asyncio.Event()

    async def hold_up() -> None:
        opening.set()
        await may_open.wait()

    await world.bucket("bucket")
    async with receiving() as receiver:
        webhook = await listen(world, receiver)
        async with dispatching(world, core=Opening(world.core, hold_up), name="first") as first:
            await opening.wait()
            epoch = await join_as_owner_of(world, webhook)
            await eventually(lambda: first.membership.releasing == {webhook.id})
            may_open.set()

            async def is_free() -> bool:
                await world.delivery.write(lambda tx: nodes.beat(tx, epoch))
                return await owner_of(world, webhook) is None

            await eventually(is_free)
