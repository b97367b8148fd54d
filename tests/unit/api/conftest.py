"""The API over real services, driven without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.engines import NewMetadata
from tests.unit.api.described import Described
from tests.unit.world import ROOT_TOKEN_TEXT, START_MS, World, open_world

from elasticlake.api.application import create_app
from elasticlake.api.services import Services
from elasticlake.service.explanations import Explanations
from elasticlake.service.health import Health, blobs_probe, metadata_probe
from elasticlake.service.metrics import Metrics
from elasticlake.service.shared_metrics import SharedMetrics
from elasticlake.service.system import Engine, Setup, System


@pytest_asyncio.fixture
async def world(tmp_path: Path, new_metadata: NewMetadata) -> AsyncIterator[World]:
    async with open_world(tmp_path, url=new_metadata()) as opened:
        yield opened


@pytest.fixture
def health(world: World) -> Health:
    probes = {"metadata": metadata_probe(world.core), "blobs": blobs_probe(world.stores.blobs, world.clock, 0)}
    return Health("all", probes, world.clock)


@pytest.fixture
def metrics(tmp_path: Path) -> SharedMetrics:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return SharedMetrics(folder, "gateway-0", "1.2.3", Metrics())


@pytest.fixture
def system(world: World, metrics: SharedMetrics) -> System:
    setup = Setup("1.2.3", "all", START_MS, "http://test", "DATA/blobs", 512, 30, 0, 400, None)

    async def engine() -> Engine:
        return Engine("SQLite", "3.50.4", {"core": 4096})

    return System(world.core, world.delivery, world.stores.blobs, world.clock, setup, engine, metrics)


@pytest.fixture(scope="session")
def described() -> Described:
    """The API's own description, which needs no services."""
    envelope: Any = create_app(None, "1.2.3")  # type: ignore[arg-type]
    return Described(envelope._app.openapi())


@pytest_asyncio.fixture
async def api(
    world: World, health: Health, metrics: SharedMetrics, system: System, described: Described
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, each of whose answers must be one that the description names."""

    async def judge(answer: httpx.Response) -> None:
        if "text/event-stream" not in answer.headers.get("content-type", ""):
            await answer.aread()
            described.require(answer)

    services = Services(
        accounts=world.accounts,
        tokens=world.tokens,
        hierarchy=world.hierarchy,
        buckets=world.buckets,
        webhooks=world.webhooks,
        deliveries=world.deliveries,
        object_deliveries=world.object_deliveries,
        measures=world.measures,
        jobs=world.jobs,
        reconciling=world.reconciling,
        statistics=world.statistics,
        explanations=Explanations(world.core, world.clock),
        feed=world.feed,
        activities=world.activities,
        system=system,
        health=health,
        metrics=metrics,
    )
    transport = httpx.ASGITransport(create_app(services, "1.2.3"), raise_app_exceptions=True)
    headers = {"Authorization": f"Bearer {ROOT_TOKEN_TEXT}"}
    hooks = {"response": [judge]}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers=headers, event_hooks=hooks
    ) as client:
        yield client
