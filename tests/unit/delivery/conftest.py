"""A dispatcher in this process: real stores, a real sender, receivers on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop
from tests.engines import NewMetadata
from tests.unit.delivery.dispatching import Dispatching, Receiver, dispatching, receiving
from tests.unit.world import World, open_world

from elasticlake.model.egress import EgressPolicy

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
ONE_LOOP: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop}
BOTH_LOOPS: dict[str, LoopFactory] = {**ONE_LOOP, "uvloop": uvloop.new_event_loop}


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, LoopFactory]:
    """A dispatcher runs on uvloop, whose transports tell of ends and errors in ways of their own."""
    return BOTH_LOOPS if item.get_closest_marker("both_loops") else ONE_LOOP


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
