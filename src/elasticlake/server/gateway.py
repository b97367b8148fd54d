"""A gateway process: S3 and REST on the shared socket."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
import uvloop

from elasticlake import __version__
from elasticlake.api.application import create_app
from elasticlake.api.services import Services
from elasticlake.dashboard.application import create_dashboard
from elasticlake.dashboard.catcher import Catchers
from elasticlake.dashboard.services import Services as DashboardServices
from elasticlake.dashboard.sessions import Sessions
from elasticlake.dashboard.sign_in_limit import SignInLimit
from elasticlake.errors import Unavailable
from elasticlake.metadata.database import Database
from elasticlake.metadata.history import History
from elasticlake.s3.app import S3App
from elasticlake.s3.operations.handler import Services as S3Services
from elasticlake.s3.presigned import presign
from elasticlake.server.composition import Installation, blob_place, open_stores
from elasticlake.server.engine import Wake
from elasticlake.server.logs import configure_logs
from elasticlake.server.protocol import Protocol
from elasticlake.server.root import Root
from elasticlake.server.tuning import ask_for_short_turns, tune_process
from elasticlake.service.accounts import Accounts
from elasticlake.service.activity import Activities
from elasticlake.service.buckets import Buckets
from elasticlake.service.collector import Collector
from elasticlake.service.context import Stores
from elasticlake.service.deliveries import Deliveries
from elasticlake.service.explanations import Explanations
from elasticlake.service.feed import Feed
from elasticlake.service.health import Health, blobs_probe, dispatcher_probe, metadata_probe
from elasticlake.service.hierarchy import Hierarchy
from elasticlake.service.jobs import Jobs
from elasticlake.service.measures import Measures
from elasticlake.service.metrics import Metrics
from elasticlake.service.multipart import Multipart
from elasticlake.service.notifications import Notifications
from elasticlake.service.object_deliveries import ObjectDeliveries
from elasticlake.service.objects import Objects
from elasticlake.service.owners import display_name
from elasticlake.service.presence import BEAT_SECONDS, Presence
from elasticlake.service.reconcile import Reconciling
from elasticlake.service.shared_metrics import SharedMetrics
from elasticlake.service.statistics import Statistics
from elasticlake.service.system import Setup, System
from elasticlake.service.tokens import Tokens
from elasticlake.service.tracing import Tracer, open_tracer
from elasticlake.service.trimmer import Retention, Trimmer
from elasticlake.service.webhooks import Webhooks

DRAIN_SECONDS = 25


def run_gateway(installation: Installation, listener: socket.socket, number: int) -> None:
    """Serve until SIGTERM, then finish the requests under way."""
    configure_logs(installation.settings, f"gateway-{number}")
    tune_process()
    ask_for_short_turns()
    # uvicorn hands the signal on when it has finished; by then there is nothing left to interrupt.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tracer = open_tracer(f"gateway-{number}", __version__)
        runner.run(_serve(installation, listener, number, tracer))
    if tracer is not None:
        tracer.close()


async def _serve(installation: Installation, listener: socket.socket, number: int, tracer: Tracer | None) -> None:
    engine = installation.engine
    core, delivery, history = engine.open_core(), engine.open_delivery(), engine.open_history()
    wake = engine.open_wake(core)
    stores = open_stores(installation, core, f"gateway-{number}")
    presence = Presence(delivery, "gateway", stores.owner, stores.clock)
    metrics = SharedMetrics(installation.folder.metrics, f"gateway-{number}", __version__, Metrics())
    core.observe(metrics.metrics.observe_commit)
    # Its own, so that a list's small numbers do not wait for a search of the history.
    counted = engine.open_history()
    statistics = Statistics(core, counted, stores.clock)
    services = _services(installation, stores, delivery, history, statistics, wake, metrics)
    notifications = Notifications(core, delivery, installation.master_key, stores.clock, wake)
    collector = Collector(stores, presence, metrics.metrics)
    settings = installation.settings
    kept = Retention(
        settings.event_retention_days, int(settings.event_retention_size), settings.activity_retention_days
    )
    trimmer = Trimmer(stores, presence, kept, metrics.metrics)
    working = (presence.run(), collector.run(), trimmer.run(), _count_dispatchers(presence, metrics.metrics))
    background = [asyncio.create_task(work) for work in working]
    waits = (services.health.drain, services.feed.close, services.deliveries.close)
    catchers = _catchers(installation, stores)
    root = _root(installation, stores, services, notifications, tracer, catchers)
    server = Server(_config(root, installation), waits)
    async with metrics.sharing(), engine.hearing_as_gateway(core, services.feed.wake):
        await server.serve(sockets=[listener])
    if catchers is not None:
        catchers.close()
    for task in background:
        task.cancel()
    with suppress(Unavailable):  # the others notice the silence
        await presence.leave()
    await core.close()
    await delivery.close()
    await wake.close()
    stores.blobs.close()
    history.close()
    counted.close()


async def _count_dispatchers(presence: Presence, metrics: Metrics) -> None:
    while True:
        metrics.dispatchers(presence.heard_of("dispatcher"))
        await asyncio.sleep(BEAT_SECONDS)


def _services(
    installation: Installation,
    stores: Stores,
    delivery: Database,
    history: History,
    statistics: Statistics,
    wake: Wake,
    metrics: SharedMetrics,
) -> Services:
    settings, core, clock = installation.settings, stores.database, stores.clock
    policy = settings.egress_policy(installation.port)
    probes = {"metadata": metadata_probe(core)}
    # Without these this gateway still serves: small bodies and metadata go on, and events wait in the log.
    told = {
        "blobs": blobs_probe(stores.blobs, clock, int(settings.min_free_space)),
        "dispatcher": dispatcher_probe(delivery),
    }
    deliveries = Deliveries(core, delivery, history, clock, wake)
    return Services(
        accounts=Accounts(stores, installation.master_key, installation.credentials),
        tokens=Tokens(stores, installation.credentials.api_token),
        hierarchy=Hierarchy(stores),
        buckets=Buckets(stores),
        measures=Measures(core),
        webhooks=Webhooks(core, delivery, installation.master_key, policy, clock, wake),
        deliveries=deliveries,
        object_deliveries=ObjectDeliveries(core, deliveries),
        jobs=Jobs(core, delivery, clock, wake),
        reconciling=Reconciling(core, delivery),
        statistics=statistics,
        explanations=Explanations(core, clock),
        activities=Activities(core),
        system=System(
            core,
            delivery,
            stores.blobs,
            clock,
            _setup(installation, clock.now_ms()),
            lambda: installation.engine.facts(core),
            metrics,
        ),
        feed=Feed(core, installation.engine.look_again_seconds, clock),
        health=Health(settings.role, probes, clock, told=told),
        metrics=metrics,
    )


def _setup(installation: Installation, started_at_ms: int) -> Setup:
    settings = installation.settings
    return Setup(
        version=__version__,
        role=settings.role,
        started_at_ms=started_at_ms,
        public_url=installation.public_url,
        blobs=blob_place(settings),
        reserve_bytes=int(settings.min_free_space),
        event_retention_days=settings.event_retention_days,
        event_retention_bytes=int(settings.event_retention_size),
        activity_retention_days=settings.activity_retention_days,
        history_days=settings.history_days if settings.history else None,
    )


def _catchers(installation: Installation, stores: Stores) -> Catchers | None:
    """They are memory: of two gateways, the other would know nothing of what one has caught."""
    settings = installation.settings
    alone = settings.is_developers and settings.workers == 1 and settings.role == "all"
    return Catchers(stores.clock) if alone else None


def _root(
    installation: Installation,
    stores: Stores,
    services: Services,
    notifications: Notifications,
    tracer: Tracer | None,
    catchers: Catchers | None,
) -> Root:
    settings = installation.settings
    objects, multipart = Objects(stores), Multipart(stores)
    s3 = S3App(
        S3Services(
            services.buckets,
            objects,
            multipart,
            notifications,
            lambda account_id: display_name(stores.database, account_id),
        ),
        services.accounts.find_key,
        stores.clock,
        settings.domain,
        settings.access_log,
        services.metrics.metrics,
        tracer,
    )
    dashboard = create_dashboard(_dashboard_services(installation, stores, services, objects, multipart, catchers))
    return Root(s3, create_app(services, __version__), dashboard, settings.domain, settings.trusted_proxy)


def _dashboard_services(
    installation: Installation,
    stores: Stores,
    services: Services,
    objects: Objects,
    multipart: Multipart,
    catchers: Catchers | None,
) -> DashboardServices:
    credentials = installation.credentials
    return DashboardServices(
        accounts=services.accounts,
        tokens=services.tokens,
        hierarchy=services.hierarchy,
        buckets=services.buckets,
        objects=objects,
        measures=services.measures,
        multipart=multipart,
        webhooks=services.webhooks,
        deliveries=services.deliveries,
        statistics=services.statistics,
        object_deliveries=services.object_deliveries,
        explanations=services.explanations,
        jobs=services.jobs,
        reconciling=services.reconciling,
        feed=services.feed,
        activities=services.activities,
        system=services.system,
        health=services.health,
        presign=presign,
        catchers=catchers,
        sessions=Sessions(installation.master_key.derive("dashboard-sessions"), stores.clock),
        sign_ins=SignInLimit(stores.clock),
        clock=stores.clock,
        version=__version__,
        public_url=installation.public_url,
        root_key_id=credentials.access_key_id,
        password=credentials.dashboard_password,
    )


class Server(uvicorn.Server):
    """Ends what waits for news before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, stop_waiting: tuple[Callable[[], None], ...]) -> None:
        super().__init__(config)
        self._stop_waiting = stop_waiting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for stop in self._stop_waiting:
            stop()
        await super().shutdown(sockets)


def _config(app: Root, installation: Installation) -> uvicorn.Config:
    settings = installation.settings
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=2048,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
