"""The dispatcher process: delivery for the whole installation."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from contextlib import AsyncExitStack

import structlog
import uvloop

from elasticlake import __version__
from elasticlake.api.services import ProbeServices
from elasticlake.clock import SystemClock
from elasticlake.delivery.attempt import Sender
from elasticlake.delivery.dispatcher import Dispatcher
from elasticlake.delivery.flights import MAX_IN_FLIGHT
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.stopping import disable
from elasticlake.metadata.database import Database
from elasticlake.metadata.history import HistoryLog
from elasticlake.s3.presigned import presign
from elasticlake.server.composition import Installation
from elasticlake.server.logs import configure_logs
from elasticlake.server.probes import serving_probes
from elasticlake.server.tuning import tune_process
from elasticlake.service.health import Health, metadata_probe
from elasticlake.service.metrics import Metrics
from elasticlake.service.object_links import ObjectLinks
from elasticlake.service.presence import Presence
from elasticlake.service.shared_metrics import SharedMetrics
from elasticlake.service.tokens import Authenticator
from elasticlake.service.tracing import Tracer, open_tracer

DAY_MS = 86_400_000
NICENESS = 15
HISTORY_PAUSE_SECONDS = 3600

_log = structlog.get_logger("dispatcher")


def run_dispatcher(installation: Installation, listener: socket.socket | None = None) -> None:
    """Deliver until SIGTERM. Where no gateway does it, health and metrics are served at `listener`."""
    configure_logs(installation.settings, "dispatcher")
    tune_process()
    # Where both want the processor, requests come first: a delivery may wait, a client should not (I7).
    os.nice(NICENESS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tracer = open_tracer("dispatcher", __version__)
        runner.run(_deliver(installation, listener, tracer))
    if tracer is not None:
        tracer.close()


async def _deliver(installation: Installation, listener: socket.socket | None, tracer: Tracer | None) -> None:
    settings, engine, clock = installation.settings, installation.engine, SystemClock()
    core, state = engine.open_core(reads_in_order=True), engine.open_delivery()
    history = engine.open_history_log() if settings.history else None
    # What is changed here (a webhook is disabled) others are told as well.
    wake = engine.open_wake(core)
    presence = Presence(state, "dispatcher", installation.process_name("dispatcher"), clock)
    metrics = SharedMetrics(installation.folder.metrics, "dispatcher", __version__, Metrics())
    policy = settings.egress_policy(installation.port)
    async with Sender(policy, version=__version__, connection_limit=MAX_IN_FLIGHT, clock=clock) as sender:
        membership = Membership(presence, state, clock)
        dispatcher = Dispatcher(
            core,
            state,
            Ledger(state, history, membership),
            sender,
            Roster(installation.master_key.decrypt),
            membership,
            lambda webhook, reason: disable(core, webhook, reason, clock.now_ms()),
            clock,
            random.Random(),
            metrics.metrics,
            tracer,
            ObjectLinks(core, installation.master_key, installation.credentials, installation.public_url, presign),
        )
        health = _health(core, presence, clock)
        _stop_on_sigterm(dispatcher, health)
        async with AsyncExitStack() as beside:
            await beside.enter_async_context(metrics.sharing())
            await beside.enter_async_context(engine.hearing_as_dispatcher(dispatcher.wake))
            if history is not None:
                trimming = asyncio.create_task(_trim_history(history, settings.history_days, clock))
                beside.callback(trimming.cancel)
            if listener is not None:
                known = Authenticator(core, installation.credentials.api_token)
                await beside.enter_async_context(serving_probes(ProbeServices(known, health, metrics), listener))
            await dispatcher.run()
    await core.close()
    await state.close()
    await wake.close()


def _health(core: Database, presence: Presence, clock: SystemClock) -> Health:
    async def belongs() -> str | None:
        return None if presence.is_certain else "It is not certain which webhooks are this dispatcher's."

    return Health("dispatcher", {"metadata": metadata_probe(core), "membership": belongs}, clock)


def _stop_on_sigterm(dispatcher: Dispatcher, health: Health) -> None:
    def stop() -> None:
        health.drain()
        dispatcher.stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)


async def _trim_history(history: HistoryLog, days: int, clock: SystemClock) -> None:
    while True:
        try:
            await asyncio.to_thread(history.drop_before, clock.now_ms() - days * DAY_MS)
        except Exception as error:
            _log.warning("could not trim the history", error=str(error))
        await asyncio.sleep(HISTORY_PAUSE_SECONDS)
