"""The API over real services, driven without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from tests.unit.world import ROOT_TOKEN_TEXT, World, open_world

from elasticlake.api.application import create_app
from elasticlake.api.services import Services


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    services = Services(
        accounts=world.accounts,
        tokens=world.tokens,
        hierarchy=world.hierarchy,
        buckets=world.buckets,
        webhooks=world.webhooks,
        deliveries=world.deliveries,
        feed=world.feed,
    )
    transport = httpx.ASGITransport(create_app(services, "1.2.3"), raise_app_exceptions=True)
    headers = {"Authorization": f"Bearer {ROOT_TOKEN_TEXT}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client
