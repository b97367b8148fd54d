"""A gateway process: S3 and REST on the shared socket."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

import uvicorn
import uvloop

from elasticlake import __version__
from elasticlake.api.app import Services as ApiServices
from elasticlake.api.app import create_app
from elasticlake.delivery.wakeup import WakeupSender
from elasticlake.metadata.history import HistoryReader
from elasticlake.metadata.sqlite import SqliteDatabase
from elasticlake.s3.app import S3App
from elasticlake.s3.operations.handler import Services as S3Services
from elasticlake.server.composition import Installation, open_stores
from elasticlake.server.logs import configure_logs
from elasticlake.server.root import Root
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
# The event loop and the database's writer thread hand the interpreter to each other at every commit: shortly, please.
SWITCH_SECONDS = 0.0005


def run_gateway(installation: Installation, listener: socket.socket, number: int) -> None:
    """Serve until SIGTERM, then finish the requests under way."""
    configure_logs(installation.settings, f"gateway-{number}")
    sys.setswitchinterval(SWITCH_SECONDS)
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
            deliveries=Deliveries(stores.database, delivery, history, stores.clock, wake),
            feed=Feed(stores.database),
        ),
        __version__,
    )
    collector = Collector(stores)
    await collector.abandon_own_intents()
    collecting = asyncio.create_task(collector.run()) if number == 0 else None
    server = uvicorn.Server(_config(Root(s3, api, settings.domain, settings.trusted_proxy), installation))
    await server.serve(sockets=[listener])
    if collecting is not None:
        collecting.cancel()
    await stores.database.close()
    await delivery.close()
    wake.close()
    history.close()


def _config(app: Root, installation: Installation) -> uvicorn.Config:
    settings = installation.settings
    return uvicorn.Config(
        app,
        http="httptools",
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
