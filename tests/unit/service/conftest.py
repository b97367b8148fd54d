"""Real services over real stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.engines import NewMetadata
from tests.unit.world import World, open_world


@pytest_asyncio.fixture
async def world(tmp_path: Path, new_metadata: NewMetadata) -> AsyncIterator[World]:
    async with open_world(tmp_path, url=new_metadata()) as opened:
        yield opened
