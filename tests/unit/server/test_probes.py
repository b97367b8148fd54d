"""The probes of a process without a gateway, over a real socket."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from tests.unit.world import ROOT_TOKEN_TEXT, World, open_world

from elasticlake import __version__
from elasticlake.api.services import ProbeServices
from elasticlake.server.probes import serving_probes
from elasticlake.service.health import Health, metadata_probe
from elasticlake.service.metrics import Metrics
from elasticlake.service.shared_metrics import SharedMetrics

PATHS = {"/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/metrics"}
TOKEN = {"Authorization": f"Bearer {ROOT_TOKEN_TEXT}"}


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "metrics").mkdir()
    metrics = SharedMetrics(tmp_path / "metrics", "dispatcher", __version__, Metrics())
    health = Health("dispatcher", {"metadata": metadata_probe(world.core)}, world.clock)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        serving_probes(ProbeServices(world.tokens, health, metrics), listener),
        httpx.AsyncClient(base_url=url, trust_env=False) as opened,
    ):
        yield opened


async def test_it_says_how_it_is(client: httpx.AsyncClient) -> None:
    expected = {"status": "ok", "version": __version__, "role": "dispatcher"}
    assert (await client.get("/v1/health")).json() == expected
    assert (await client.get("/v1/health/live")).json() == {"status": "ok"}
    answer = await client.get("/v1/health/ready")
    assert answer.json() == {"status": "ok", "checks": [{"name": "metadata", "status": "ok", "detail": None}]}


async def test_it_says_when_it_cannot_work(client: httpx.AsyncClient, world: World) -> None:
    await world.core.write(lambda tx: tx.run("DROP TABLE facts"))
    assert (await client.get("/v1/health/ready")).status_code == 503
    assert (await client.get("/v1/health/live")).status_code == 200


async def test_metrics_need_a_token_here_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/metrics")).status_code == 401
    answer = await client.get("/v1/metrics", headers=TOKEN)
    assert answer.status_code == 200
    assert f'elasticlake_info{{version="{__version__}"}} 1.0' in answer.text


async def test_nothing_else_is_served(client: httpx.AsyncClient) -> None:
    for path in ("/", "/bucket/key", "/v1", "/v1/lakes", "/v1/docs", "/v1/openapi.json"):
        assert (await client.get(path, headers=TOKEN)).status_code == 404
    for path in PATHS:
        assert (await client.put(path, headers=TOKEN)).status_code == 405


async def test_signals_stay_the_processes_own(world: World, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    metrics = SharedMetrics(tmp_path, "dispatcher", __version__, Metrics())
    services = ProbeServices(world.tokens, Health("dispatcher", {}, world.clock), metrics)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/health/live"
        async with serving_probes(services, listener), httpx.AsyncClient(trust_env=False) as opened:
            assert (await opened.get(url)).status_code == 200
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
