"""Receivers where their users mount them: each framework, served for real on a port of its own."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn
from aiohttp import web
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import path
from fastapi import FastAPI
from flask import Blueprint, Flask, request
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware

from elasticlake.webhooks import Receiver

START_SECONDS = 20.0
_numbers = itertools.count(1)


def asgi(receiver: Receiver) -> tuple[Any, str]:
    return receiver, "/"


def starlette(receiver: Receiver) -> tuple[Any, str]:
    app = Starlette()
    app.mount("/hook", receiver)
    return app, "/hook/"


def fastapi(receiver: Receiver) -> tuple[Any, str]:
    app = FastAPI()
    app.add_route("/hook", receiver)  # type: ignore[arg-type]
    return app, "/hook"


def fastapi_that_reads_first(receiver: Receiver) -> tuple[Any, str]:
    """Its middleware has read the body before the receiver does."""
    app = FastAPI()

    async def reading(asked: Any, following: Any) -> Any:
        await asked.body()
        return await following(asked)

    app.add_middleware(BaseHTTPMiddleware, dispatch=reading)
    app.mount("/hook", receiver)
    return app, "/hook/"


def django_asgi(receiver: Receiver) -> tuple[Any, str]:
    _route_django(receiver)
    return get_asgi_application(), "/hook"


def wsgi(receiver: Receiver) -> tuple[Any, str]:
    return receiver.wsgi, "/"


def flask(receiver: Receiver) -> tuple[Any, str]:
    app = Flask("hosted")
    receiver.flask(app, "/hook")
    return app, "/hook"


def flask_blueprint_that_reads_first(receiver: Receiver) -> tuple[Any, str]:
    blueprint, app = Blueprint("hooks", "hosted"), Flask("hosted")

    @blueprint.before_request
    def reading() -> None:
        request.get_data()

    receiver.flask(blueprint, "/v1.0/hook")
    app.register_blueprint(blueprint, url_prefix="/api")
    return app, "/api/v1.0/hook"


def django(receiver: Receiver) -> tuple[Any, str]:
    _route_django(receiver)
    return get_wsgi_application(), "/hook"


def configure_django() -> None:
    """Once for each process; with the protection of forms that a new project has."""
    if not settings.configured:
        middleware = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
        settings.configure(SECRET_KEY="django", ALLOWED_HOSTS=["*"], MIDDLEWARE=middleware)


def _route_django(receiver: Receiver) -> None:
    configure_django()
    routes = ModuleType(f"hosted_routes_{next(_numbers)}")
    routes.urlpatterns = [path("hook", receiver.django)]  # type: ignore[attr-defined]
    sys.modules[routes.__name__] = routes
    settings.ROOT_URLCONF = routes.__name__


def aiohttp(receiver: Receiver) -> tuple[web.Application, str]:
    app = web.Application()
    app.router.add_post("/hook", receiver.aiohttp)
    return app, "/hook"


def aiohttp_that_reads_first(receiver: Receiver) -> tuple[web.Application, str]:
    @web.middleware
    async def reading(asked: web.Request, handler: Any) -> Any:
        await asked.read()
        return await handler(asked)

    app = web.Application(middlewares=[reading], client_max_size=4 * 1024 * 1024)
    app.router.add_post("/hook", receiver.aiohttp)
    return app, "/hook"


@contextmanager
def serve_asgi(app: Any) -> Iterator[int]:
    """By uvicorn, as long as it lasts; the port."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server ended"
        assert time.monotonic() < give_up_at, "the server does not start"
        time.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(START_SECONDS)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *_: Any) -> None:
        """The tests look at what is answered."""


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def serve_wsgi(app: Any) -> Iterator[int]:
    """By Python's own server."""
    server = make_server("127.0.0.1", 0, app, _Threading, _Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def serve_aiohttp(app: web.Application) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(START_SECONDS)

    runner = web.AppRunner(app)
    wait(runner.setup())
    wait(web.TCPSite(runner, "127.0.0.1", 0).start())
    yield int(runner.addresses[0][1])
    wait(runner.cleanup())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(START_SECONDS)
    loop.close()


Mount = Callable[[Receiver], tuple[Any, str]]
HOSTS: dict[str, tuple[Mount, Callable[[Any], Any]]] = {
    **{
        mount.__name__: (mount, serve_asgi)
        for mount in (asgi, starlette, fastapi, fastapi_that_reads_first, django_asgi)
    },
    **{mount.__name__: (mount, serve_wsgi) for mount in (wsgi, flask, flask_blueprint_that_reads_first, django)},
    **{mount.__name__: (mount, serve_aiohttp) for mount in (aiohttp, aiohttp_that_reads_first)},
}


@contextmanager
def hosted(host: str, receiver: Receiver) -> Iterator[str]:
    """The URL at which the host hands what is POSTed to the receiver."""
    mount, serve = HOSTS[host]
    app, at = mount(receiver)
    with serve(app) as port:
        yield f"http://127.0.0.1:{port}{at}"
