"""A disk that fills up at any write: the caller is told, nothing is half done, and with space the store goes on."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from tests.simulation.crash import by_operation, same
from tests.simulation.full_disk import FullDisk, FullVfs, Space
from tests.simulation.model import Model, Operation, Put
from tests.simulation.store import Store, open_store, prepare, read_model
from tests.simulation.workload import PLAIN, SHORT, large, small

from elasticlake.errors import ElasticLakeError, InsufficientStorage
from elasticlake.metadata import sqlite
from elasticlake.service import multipart

STEP = 12
OPERATIONS_WHILE_FULL = 3
_names = itertools.count()


@pytest.fixture(autouse=True)
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints every few commits and parts of any size, so that a short workload meets everything."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 40)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", 0)


async def perform(store: Store, model: Model, space: Space, number: int, operation: Operation) -> bool:
    """Do the operation; whether the disk had no room for it. Then nothing of it may have happened."""
    name = f"op-{number}"
    outcome: type[ElasticLakeError] | None = None
    try:
        await store.perform(operation, name)
    except ElasticLakeError as error:
        outcome = type(error)
    if outcome is InsufficientStorage:
        assert space.left == 0, "there is space"
        return True
    assert outcome is model.outcome(operation, name)
    return False


async def fill_up(folder: Path, writes_that_fit: int) -> Space:
    """A workload on a disk with room for so many writes; a few operations after it is full, there is space again."""
    prepare(folder)
    space, model = Space(), Model()
    name = f"full-{next(_names)}"
    vfs = FullVfs(name, space)
    async with open_store(folder, disk=FullDisk(space), vfs=name) as store:
        space.left = writes_that_fit
        refused = 0
        for number, operation in enumerate(operation for batch in SHORT for operation in batch):
            refused += await perform(store, model, space, number, operation)
            if refused:
                seen = await read_model(store)
                assert same(seen, model), f"after {operation} was refused"
            if refused >= OPERATIONS_WHILE_FULL:
                space.left = None
        space.left = None
        if PLAIN in model.buckets:
            for number, body in enumerate((small("there is space"), large(9)), start=1000):
                assert not await perform(store, model, space, number, Put(PLAIN, b"after", body))
        seen = await read_model(store)
        assert same(seen, model)
        assert by_operation(seen.events) == model.events
        await store.recover()
        await store.collect_everything()
        assert await store.findings() == []
    vfs.unregister()
    return space


async def test_writes_that_do_not_fit_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    total = (await fill_up(tmp_path / "all", 1_000_000)).written
    refused = 0
    for writes in range(0, total, STEP):
        space = await fill_up(tmp_path / str(writes), writes)
        refused += space.refused
    assert refused > total // STEP


@pytest.mark.soak
async def test_writes_that_do_not_fit_are_refused_wherever_the_disk_ends(tmp_path: Path) -> None:
    total = (await fill_up(tmp_path / "all", 1_000_000)).written
    for writes in range(total):
        await fill_up(tmp_path / str(writes), writes)
