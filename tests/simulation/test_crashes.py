"""Crashes at every point: what was acknowledged is there, what was not is there wholly or not at all (I1, I2, I3)."""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path

import pytest
from tests.simulation.crash import Run, crash_everywhere, disks, judge, live
from tests.simulation.model import Model
from tests.simulation.store import prepare
from tests.simulation.trace import Survival
from tests.simulation.traced_disk import ForgetsNames, ForgetsToSync, TracedDisk
from tests.simulation.workload import SHORT, Clients

from elasticlake.metadata import blob_records, events, sqlite
from elasticlake.service import multipart

SEEDS = 12
SOAK_SEEDS = 2_000
LIVES = 3
BATCHES = 15
CRASHES_PER_LIFE = 4
CHANCES_PER_POINT = 6


@pytest.fixture(autouse=True)
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints every few commits and parts of any size, so that a short trace has what takes megabytes otherwise."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 40)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", 0)


async def short_run(folder: Path, disk: type[TracedDisk] = TracedDisk, *, durable: bool = True) -> Run:
    prepare(folder / "life")
    return await live(folder / "life", Model(), {}, lambda _: SHORT, disk=disk, durable=durable)


def first_write(run: Run) -> int:
    """Where the first start is over: the store's folders are made."""
    return next(number for number, record in enumerate(run.trace.records) if record.mark == ("begin", 1))


def one_of_three(point: int) -> list[Survival]:
    """What survives, in turn: nothing that was not synced, everything, or as chance has it."""
    return [(Survival("nothing"), Survival("chance", point), Survival("everything"))[point % 3]]


def every_way(point: int) -> list[Survival]:
    chances = [Survival("chance", 10_000 * number + point) for number in range(CHANCES_PER_POINT)]
    return [Survival("nothing"), Survival("everything"), *chances]


async def test_a_crash_at_any_point_loses_nothing_acknowledged_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    run = await short_run(tmp_path)
    kinds = {record.kind for record in run.trace.records}
    assert kinds >= {"write", "sync", "create", "rename", "remove", "sync_directory", "truncate", "mark"}
    points = range(first_write(run), run.points)
    assert await crash_everywhere(run, points, one_of_three, tmp_path) == []


@pytest.mark.soak
async def test_a_crash_at_any_point_whatever_survives_it(tmp_path: Path) -> None:
    run = await short_run(tmp_path)
    assert await crash_everywhere(run, range(run.points), every_way, tmp_path) == []


async def test_a_crash_during_the_first_start_leaves_a_folder_that_starts(tmp_path: Path) -> None:
    run = await short_run(tmp_path)
    points = range(first_write(run))
    assert await crash_everywhere(run, points, lambda point: [Survival("chance", point)], tmp_path) == []


async def test_crash_after_crash_the_store_goes_on_from_what_the_last_one_left(tmp_path: Path) -> None:
    for seed in range(SEEDS):
        assert await crash_again_and_again(seed, tmp_path / str(seed)) == [], f"seed {seed}"


@pytest.mark.soak
async def test_crash_after_crash_with_many_seeds(tmp_path: Path) -> None:
    for seed in range(SEEDS, SOAK_SEEDS):
        folder = tmp_path / str(seed)
        assert await crash_again_and_again(seed, folder) == [], f"seed {seed}"
        shutil.rmtree(folder)


async def crash_again_and_again(seed: int, folder: Path) -> list[str]:
    """Several lives of one store, each from the disk that a crash of the one before left; recovery is crashed too."""
    chance, clients = random.Random(seed), Clients(seed)
    folder.mkdir()
    prepare(folder / "life")
    model, upload_ids = Model(), dict[str, str]()
    for life in range(LIVES):
        run = await live(
            folder / "life",
            model,
            upload_ids,
            lambda known: clients.batches(known, BATCHES),
            first_number=1000 * life,
        )
        first = 0 if life else first_write(run)
        points = sorted(chance.randrange(first, run.points) for _ in range(CRASHES_PER_LIFE))
        survival = Survival(chance.choice(("nothing", "everything", "chance", "chance")), chance.randrange(2**32))
        for point, _, image in disks(run, points, lambda _: [survival]):  # noqa: B023
            faults, model = await judge(run, point, image, folder / "crashed")
            if faults:
                return [f"life {life}, crash at {point} of {run.points}, {survival.how} survives: {faults}"]
        upload_ids = run.upload_ids
        image.write_to(folder / "life")
    return []


def answered_points(run: Run) -> list[int]:
    """The moments at which a client has just been told that its write is done."""
    return [
        number + 1
        for number, record in enumerate(run.trace.records)
        if isinstance(record.mark, tuple) and record.mark[0] == "answered"
    ]


async def test_the_simulation_notices_a_sweep_that_takes_live_blobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await short_run(tmp_path)
    monkeypatch.setattr(blob_records, "unknown", lambda reader, blob_ids: list(blob_ids))
    points = [point for point in answered_points(run) if point > first_write(run)]
    assert await crash_everywhere(run, points, lambda _: [Survival("everything")], tmp_path, enough=1) != []


async def test_the_simulation_notices_a_change_without_its_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2: what is written here is every other event."""
    written, append = itertools.count(), events.append
    monkeypatch.setattr(events, "append", lambda tx, event: append(tx, event) if next(written) % 2 == 0 else None)
    run = await short_run(tmp_path)
    points = [point for point in answered_points(run) if point > first_write(run)]
    assert await crash_everywhere(run, points, lambda _: [Survival("everything")], tmp_path, enough=1) != []


@pytest.mark.parametrize(
    ("disk", "durable"),
    [(ForgetsToSync, True), (ForgetsNames, True), (TracedDisk, False)],
    ids=["file never synced", "folder never synced", "commit never synced"],
)
async def test_the_simulation_notices_a_missing_sync(tmp_path: Path, disk: type[TracedDisk], durable: bool) -> None:
    run = await short_run(tmp_path, disk, durable=durable)
    points = [point for point in answered_points(run) if point > first_write(run)]
    assert await crash_everywhere(run, points, lambda _: [Survival("nothing")], tmp_path, enough=1) != []
