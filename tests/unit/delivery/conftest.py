"""A dispatcher in this process: real stores, a real sender, receivers on loopback."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.engines import NewMetadata
from tests.unit.delivery.dispatching import Dispatching, Receiver, dispatching, receiving
from tests.unit.world import World, open_world

from elasticlake.model.egress import EgressPolicy


@pytest_asyncio.fixture
async def world(tmp_path: Path, new_metadata: NewMetadata) -> AsyncIterator[World]:
    async with open_world(tmp_path, EgressPolicy(developer=True), new_metadata()) as opened:
        yield opened


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as listening:
        yield listening


@pytest_asyncio.fixture
async def running(world: World) -> AsyncIterator[Dispatching]:
    """A dispatcher at work on the world's stores."""
    async with dispatching(world) as at_work:
        yield at_work
