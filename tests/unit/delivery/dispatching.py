"""The dispatcher and a receiver of ours, in this process and over real sockets."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from aiohttp import web
from tests.unit.world import KEY, ROOT, World, open_databases

from elasticlake.clock import SystemClock
from elasticlake.delivery import stopping
from elasticlake.delivery.attempt import Sender
from elasticlake.delivery.dispatcher import Dispatcher
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import nodes
from elasticlake.metadata.database import ALONE, Committed, Database, Reader, Touching, Transaction
from elasticlake.metadata.history import HistoryLog
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.webhooks import Webhook
from elasticlake.service.jobs import Jobs
from elasticlake.service.metrics import Metrics
from elasticlake.service.presence import Presence
from elasticlake.service.webhook_definitions import NewWebhook, Place
from elasticlake.service.webhooks import Webhooks

T = TypeVar("T")
PATIENCE_SECONDS = 10.0
HANG = 0


@dataclass
class Receiver:
    """Keeps what came; `answer` gives the status from how many requests came before, or `HANG`."""

    url: str = ""
    answer: Callable[[int], int] = lambda _: 200
    answer_headers: dict[str, str] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def arrays(self) -> list[list[dict[str, Any]]]:
        """The bodies of a webhook that batches."""
        return [json.loads(body) for body in self.bodies]

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events]

    async def handle(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        event = json.loads(self.bodies[-1])
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.events.append(event)
        status = self.answer(len(self.events) - 1)
        if status == HANG:
            await asyncio.sleep(3600)
        return web.Response(status=status, headers=self.answer_headers)

    def let_go(self) -> None:
        """Whoever waits for an answer has waited long enough."""


@dataclass
class GatedReceiver(Receiver):
    """Answers nobody while its gate is closed, as it is at first."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    sent: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each event came at each path."""

    async def handle(self, request: web.Request) -> web.Response:
        response = await super().handle(request)
        self.sent[request.path, self.events[-1]["sequence"]] += 1
        await self.gate.wait()
        return response

    def let_go(self) -> None:
        self.gate.set()


R = TypeVar("R", bound=Receiver)


@asynccontextmanager
async def receiving_as(receiver: R) -> AsyncIterator[R]:
    """The receiver, at a free port."""
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        receiver.let_go()
        await runner.cleanup()


def receiving() -> AbstractAsyncContextManager[Receiver]:
    return receiving_as(Receiver())


@dataclass
class Dispatching:
    """A dispatcher at work, and the reasons for which it stopped webhooks."""

    dispatcher: Dispatcher
    ledger: Ledger
    membership: Membership
    disabled: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Owner:
    """The dispatcher of epoch 1."""

    epoch: int = 1


async def owning_ledger(
    world: World,
    database: Database | None = None,
    history: HistoryLog | None = None,
    webhook_ids: tuple[str, ...] = ("wh_1", "wh_2"),
) -> Ledger:
    """A ledger of a dispatcher that owns these webhooks."""
    await world.delivery.write(lambda tx: nodes.claim(tx, webhook_ids, Owner().epoch))
    return Ledger(database or world.delivery, history, Owner())


@asynccontextmanager
async def dispatching(
    world: World,
    *,
    core: Database | None = None,
    outcomes: Database | None = None,
    metrics: Metrics | None = None,
    name: str = "dispatcher",
) -> AsyncIterator[Dispatching]:
    """Run a dispatcher on the world's stores (or on `core` and `outcomes` before them) until the block ends."""
    clock = SystemClock()
    membership = Membership(Presence(world.delivery, "dispatcher", name, clock), world.delivery, clock)
    ledger = Ledger(outcomes or world.delivery, world.open_history_log(), membership)
    async with Sender(EgressPolicy(developer=True), version="0", clock=clock) as sender:

        async def disable(webhook: Webhook, reason: str) -> bool:
            is_done = await stopping.disable(world.core, webhook, reason, clock.now_ms())
            at_work.disabled.append((webhook.id, reason))  # whoever waits for it finds it stored
            return is_done

        roster, chance = Roster(KEY.decrypt), random.Random(1)
        dispatcher = Dispatcher(
            core or world.core, world.delivery, ledger, sender, roster, membership, disable, clock, chance, metrics
        )
        at_work = Dispatching(dispatcher, ledger, membership)
        task = asyncio.create_task(dispatcher.run())
        try:
            yield at_work
        finally:
            dispatcher.stop()
            await task


class Opening:
    """The database, but something happens before each read with which a feed is opened."""

    def __init__(self, database: Database, before: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._before = before

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        if query.__qualname__.startswith("Feeds.open."):
            await self._before()
        return await self._database.read(query, loose=loose)

    def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> Awaitable[T]:
        return self._database.write(mutation, touching=touching, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


async def eventually(holds: Callable[[], Any | Awaitable[Any]], patience_seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true value of `holds`."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        value = holds()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < give_up_at, f"not within {patience_seconds} s"
        await asyncio.sleep(0.02)


async def listen(world: World, receiver: Receiver, **members: Any) -> Webhook:
    """A webhook for everything in `bucket` at the receiver."""
    new = NewWebhook(Place(bucket="bucket"), receiver.url, EVENT_TYPES, secret="s")
    return (await world.webhooks.create(ROOT, replace(new, **members)))[0]


def in_a_gateway(world: World, act: Callable[[Webhooks, Jobs], Awaitable[T]]) -> T:
    """What a gateway does over connections of its own, in a thread of its own; the caller's loop stands still."""

    async def as_gateway() -> T:
        core, delivery = open_databases(world.folder, None)
        try:
            clock = SystemClock()
            webhooks = Webhooks(core, delivery, KEY, EgressPolicy(developer=True), clock, lambda: None)
            return await act(webhooks, Jobs(core, delivery, clock, lambda: None))
        finally:
            await core.close()
            await delivery.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(as_gateway())).result()
