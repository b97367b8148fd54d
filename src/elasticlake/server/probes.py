"""Health checks and metrics over HTTP, for a process that has no gateway: the same documents, the same token rule."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

import uvicorn
from starlette.types import ASGIApp

from elasticlake import __version__
from elasticlake.api.application import create_probes
from elasticlake.api.services import ProbeServices

STOP_SECONDS = 1


def probes_app(services: ProbeServices) -> ASGIApp:
    """Answers `/v1/health`, `/v1/health/live`, `/v1/health/ready` and `/v1/metrics`, and nothing else."""
    return create_probes(services, __version__)


@asynccontextmanager
async def serving_probes(services: ProbeServices, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the probes on this event loop while the block runs. `listener` is listening, and is closed in the end."""
    server = _Server(_config(probes_app(services)))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves signals to the process: they are for what it does, not for what looks at it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def _config(app: ASGIApp) -> uvicorn.Config:
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
        timeout_graceful_shutdown=STOP_SECONDS,
    )
