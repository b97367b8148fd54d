"""Running the store under a trace, crashing it at any point of that, and judging what comes up again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw
from tests.simulation.model import Model, ModelEvent, Operation, Put
from tests.simulation.store import Store, open_store
from tests.simulation.trace import Image, Machine, Survival, Trace
from tests.simulation.traced_disk import TracedDisk
from tests.simulation.traced_vfs import TracedVfs
from tests.simulation.workload import Batch

from elasticlake.errors import ElasticLakeError

_names = itertools.count()


@dataclass
class Run:
    """One life of the store: what was on the disk when it began, and everything that happened until it ended."""

    trace: Trace
    start: Model
    batches: list[list[tuple[str, Operation]]] = field(default_factory=list)
    upload_ids: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """How many moments there are to crash at."""
        return len(self.trace.records) + 1


@asynccontextmanager
async def traced_store(
    folder: Path, *, disk: Callable[[Trace], TracedDisk] = TracedDisk, durable: bool = True
) -> AsyncIterator[tuple[Trace, Store]]:
    """A store whose every write is recorded."""
    trace = Trace(folder)
    name = f"traced-{next(_names)}"
    vfs = TracedVfs(name, trace)
    try:
        async with open_store(folder, disk=disk(trace), vfs=name, durable=durable) as store:
            yield trace, store
    finally:
        vfs.unregister()


async def live(
    folder: Path,
    start: Model,
    upload_ids: dict[str, str],
    batches: Callable[[Model], Iterable[Batch]],
    *,
    first_number: int = 0,
    disk: Callable[[Trace], TracedDisk] = TracedDisk,
    durable: bool = True,
) -> Run:
    """Start the store in `folder`, do the batches, stop it; every outcome is what the model's is."""
    async with traced_store(folder, disk=disk, durable=durable) as (trace, store):
        run = Run(trace, start.copy(), upload_ids=store.upload_ids)
        store.upload_ids.update(upload_ids)
        await store.recover()
        model = start.copy()
        numbers = itertools.count(first_number)
        for batch in batches(model):
            named = [(f"op-{next(numbers)}", operation) for operation in batch]
            run.batches.append(named)
            trace.mark(("begin", len(run.batches)))
            outcomes = await asyncio.gather(*(_perform(trace, store, name, operation) for name, operation in named))
            expected = [model.outcome(operation, name) for name, operation in named]
            assert outcomes == expected, f"{named}: {outcomes} instead of {expected}"
            store.clock.time_ms += 10
    return run


async def _perform(trace: Trace, store: Store, name: str, operation: Operation) -> type[ElasticLakeError] | None:
    try:
        await store.perform(operation, name)
    except ElasticLakeError as error:
        return type(error)
    finally:
        trace.mark(("answered", name))
    return None


def disks(
    run: Run, points: Iterable[int], survivals: Callable[[int], list[Survival]]
) -> Iterable[tuple[int, Survival, Image]]:
    """The disks that crashes leave; point n is the moment before the n-th record."""
    machine = Machine(run.trace.base)
    done = 0
    for point in sorted(points):
        for record in run.trace.records[done:point]:
            machine.apply(record)
        done = point
        for survival in survivals(point):
            yield point, survival, machine.crash(survival)


def candidates(run: Run, point: int) -> list[Model]:
    """Every state that is right after a crash there: what was answered is there (I1), what was under way may be."""
    begun, answered = 0, set[str]()
    for record in run.trace.records[:point]:
        match record.mark:
            case ("begin", int(number)):
                begun = number
            case ("answered", str(name)):
                answered.add(name)
    model = run.start.copy()
    for batch in run.batches[: max(0, begun - 1)]:
        for name, operation in batch:
            model.outcome(operation, name)
    current = run.batches[begun - 1] if begun else []
    certain = [entry for entry in current if entry[0] in answered]
    open_ones = [entry for entry in current if entry[0] not in answered]
    found = []
    for count in range(len(open_ones), -1, -1):
        for happened in itertools.combinations(open_ones, count):
            candidate = model.copy()
            for name, operation in current:
                if (name, operation) in certain or (name, operation) in happened:
                    candidate.outcome(operation, name)
            found.append(candidate)
    return found


def same(seen: Model, expected: Model) -> bool:
    return (
        seen.buckets == expected.buckets
        and seen.objects == expected.objects
        and seen.uploads == expected.uploads
        and by_operation(seen.events) == by_operation(expected.events)
    )


def number_of(event: ModelEvent) -> int:
    return int(event.request.removeprefix("op-"))


def by_operation(events: list[ModelEvent]) -> list[ModelEvent]:
    """Operations of one batch may commit in any order; the events of one operation keep theirs."""
    return sorted(events, key=number_of)


def check_order(run: Run, seen: Model) -> list[str]:
    """No event stands before one of an earlier batch in its bucket's log (I3)."""
    batch_of = {name: number for number, batch in enumerate(run.batches, start=1) for name, _ in batch}
    last: dict[str, int] = {}
    found = []
    for event in seen.events:
        number = batch_of.get(event.request, 0)
        if number < last.get(event.bucket, 0):
            found.append(f"{event} was logged too late")
        last[event.bucket] = number
    return found


async def judge(run: Run, point: int, image: Image, folder: Path) -> tuple[list[str], Model]:
    """Bring the disk up with the ordinary code, and say what is wrong with it; and what it holds."""
    image.write_to(folder)
    try:
        async with open_store(folder, durable=False) as store:
            faults, seen = await _judge_store(run, point, store)
    except (ElasticLakeError, apsw.Error, OSError) as error:
        return [f"it does not come up: {error!r}"], Model()
    leftovers = list((folder / "blobs" / "tmp").iterdir())
    return faults + [f"{leftover.name} was left behind" for leftover in leftovers], seen


async def _judge_store(run: Run, point: int, store: Store) -> tuple[list[str], Model]:
    await store.recover()
    seen = await store.seen()
    faults = check_order(run, seen)
    right = candidates(run, point)
    matching = [candidate for candidate in right if same(seen, candidate)]
    if not matching:
        faults.append(f"none of the right states: {difference(seen, right[-1])}")
    run.upload_ids.update(store.upload_ids)
    await store.collect_everything()
    faults += await store.findings()
    if not faults:
        faults += await _goes_on(store, seen)
    return faults, matching[0] if matching else seen


async def _goes_on(store: Store, seen: Model) -> list[str]:
    """What comes up takes new writes."""
    for bucket in sorted(seen.buckets)[:1]:
        await store.perform(Put(bucket, b"after", b"the crash"), "op-1000000")
        await store.perform(Put(bucket, b"after", bytes(70_000)), "op-1000001")
        return await store.findings()
    return []


def difference(seen: Model, least: Model) -> str:
    """What differs from the state in which nothing that was under way has happened, shortened."""
    differing = []
    for what in ("buckets", "objects", "uploads"):
        there, wanted = getattr(seen, what), getattr(least, what)
        for name in sorted({*there, *wanted}, key=str):
            if there.get(name) != wanted.get(name):
                differing.append(f"{name}: {str(there.get(name))[-200:]} for {str(wanted.get(name))[-200:]}")
    lost = [event for event in least.events if event not in seen.events]
    extra = [event for event in seen.events if event not in least.events]
    return f"{differing}; events lost {lost}, events more {extra}"


async def crash_everywhere(
    run: Run, points: Iterable[int], survivals: Callable[[int], list[Survival]], folder: Path, *, enough: int = 3
) -> list[str]:
    """What goes wrong after crashes at these points; stops looking after a few findings."""
    found: list[str] = []
    judged = set[int]()
    for point, survival, image in disks(run, points, survivals):
        # Between two syncs nothing that survives for certain changes: one look at such a disk is enough.
        marks = sum(record.kind == "mark" for record in run.trace.records[:point])
        same_disk = hash((marks, image.directories, tuple(image.files.items())))
        if same_disk in judged:
            continue
        judged.add(same_disk)
        faults, _ = await judge(run, point, image, folder / "crashed")
        found += [f"crash at {point} of {run.points}, {survival.how} survives: {fault}" for fault in faults]
        if len(found) >= enough:
            break
    return found
