"""A gateway process: S3 and REST on the shared socket."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn
import uvloop

from elasticlake import __version__
from elasticlake.api.application import create_app
from elasticlake.api.services import Services as ApiServices
from elasticlake.delivery.wakeup import WakeupSender
from elasticlake.metadata.history import HistoryReader
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.s3.app import S3App
from elasticlake.s3.operations.handler import Services as S3Services
from elasticlake.server.composition import Installation, open_stores
from elasticlake.server.logs import configure_logs
from elasticlake.server.protocol import Protocol
from elasticlake.server.root import Root
from elasticlake.server.tuning import tune_process
from elasticlake.service.accounts import Accounts
from elasticlake.service.buckets import Buckets
from elasticlake.service.collector import Collector
from elasticlake.service.deliveries import Deliveries
from elasticlake.service.feed import Feed
from elasticlake.service.hierarchy import Hierarchy
from elasticlake.service.multipart import Multipart
from elasticlake.service.objects import Objects
from elasticlake.service.owners import display_name
from elasticlake.service.tokens import Tokens
from elasticlake.service.webhooks import Webhooks

DRAIN_SECONDS = 25


def run_gateway(installation: Installation, listener: socket.socket, number: int) -> None:
    """Serve until SIGTERM, then finish the requests under way."""
    configure_logs(installation.settings, f"gateway-{number}")
    tune_process()
    # uvicorn hands the signal on when it has finished; by then there is nothing left to interrupt.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(installation, listener, number))


async def _serve(installation: Installation, listener: socket.socket, number: int) -> None:
    settings, folder = installation.settings, installation.folder
    stores = open_stores(settings, folder, f"gateway-{number}")
    delivery = SqliteDatabase(folder.delivery, durable=False)
    history = HistoryReader(folder.history)
    wake = WakeupSender(folder.wakeup_socket)
    stores.database.on_commit(wake)
    accounts = Accounts(stores, installation.master_key, installation.credentials)
    buckets, objects = Buckets(stores), Objects(stores)
    s3 = S3App(
        S3Services(buckets, objects, Multipart(stores), lambda account_id: display_name(stores.database, account_id)),
        accounts.find_key,
        stores.clock,
        settings.domain,
        settings.access_log,
    )
    deliveries = Deliveries(stores.database, delivery, history, stores.clock, wake)
    feed = Feed(stores.database)
    api = create_app(
        ApiServices(
            accounts=accounts,
            tokens=Tokens(stores, installation.credentials.api_token),
            hierarchy=Hierarchy(stores),
            buckets=buckets,
            webhooks=Webhooks(
                stores.database,
                delivery,
                installation.master_key,
                settings.egress_policy(installation.port),
                stores.clock,
                wake,
            ),
            deliveries=deliveries,
            feed=feed,
        ),
        __version__,
    )
    collector = Collector(stores)
    await collector.abandon_own_intents()
    collecting = asyncio.create_task(collector.run()) if number == 0 else None
    root = Root(s3, api, settings.domain, settings.trusted_proxy)
    server = Server(_config(root, installation), (feed.close, deliveries.close))
    await server.serve(sockets=[listener])
    if collecting is not None:
        collecting.cancel()
    await stores.database.close()
    await delivery.close()
    wake.close()
    history.close()


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
