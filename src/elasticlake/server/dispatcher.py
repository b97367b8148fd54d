"""The dispatcher process: delivery for the whole installation."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import replace

import uvloop

from elasticlake import __version__
from elasticlake.clock import SystemClock
from elasticlake.delivery.attempt import Sender
from elasticlake.delivery.dispatcher import MAX_IN_FLIGHT, Dispatcher
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.wakeup import listen
from elasticlake.metadata import webhooks
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.history import HistoryWriter
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.webhooks import Webhook
from elasticlake.server.composition import Installation
from elasticlake.server.logs import configure_logs
from elasticlake.server.tuning import tune_process

DAY_MS = 86_400_000
NICENESS = 15
HISTORY_PAUSE_SECONDS = 3600


def run_dispatcher(installation: Installation) -> None:
    """Deliver until SIGTERM."""
    configure_logs(installation.settings, "dispatcher")
    tune_process()
    # Where both want the processor, requests come first: a delivery may wait, a client should not (I7).
    os.nice(NICENESS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_deliver(installation))


async def _deliver(installation: Installation) -> None:
    settings, folder, clock = installation.settings, installation.folder, SystemClock()
    core = SqliteDatabase(folder.metadata)
    state = SqliteDatabase(folder.delivery, durable=False)
    history = HistoryWriter(folder.history) if settings.history else None
    policy = settings.egress_policy(installation.port)
    async with Sender(policy, version=__version__, connection_limit=MAX_IN_FLIGHT, clock=clock) as sender:
        dispatcher = Dispatcher(
            core,
            state,
            Ledger(state, history),
            sender,
            Roster(installation.master_key.decrypt),
            lambda webhook, reason: _disable(core, webhook, reason, clock.now_ms()),
            clock,
            random.Random(),
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, dispatcher.stop)
        transport = await listen(folder.wakeup_socket, dispatcher.wake)
        trimming = asyncio.create_task(_trim_history(history, settings.history_days, clock)) if history else None
        try:
            await dispatcher.run()
        finally:
            transport.close()
            if trimming is not None:
                trimming.cancel()
    await core.close()
    await state.close()


async def _disable(core: Database, webhook: Webhook, reason: str, now_ms: int) -> None:
    """Stop a webhook for a reason that its owner will read, unless it has been changed since that reason arose."""

    def mutation(tx: Transaction) -> None:
        stored = webhooks.get(tx, webhook.id)
        if stored is None or stored.webhook.revision != webhook.revision:
            return
        if stored.webhook.status == "enabled":
            disabled = replace(stored.webhook, status="disabled", disabled_reason=reason, updated_at_ms=now_ms)
            webhooks.put(tx, disabled, stored.ciphertext)

    await core.write(mutation)


async def _trim_history(history: HistoryWriter, days: int, clock: SystemClock) -> None:
    while True:
        await asyncio.to_thread(history.drop_before, clock.now_ms() - days * DAY_MS)
        await asyncio.sleep(HISTORY_PAUSE_SECONDS)
