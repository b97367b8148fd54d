"""What a process finds out about itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.unit.world import StillClock, World, open_world

from elasticlake.errors import Unavailable
from elasticlake.service import health
from elasticlake.service.health import Health, blobs_probe, metadata_probe


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


class Asked:
    """A probe that answers what it is told to, and counts."""

    def __init__(self, answer: str | Exception | None = None) -> None:
        self.answer = answer
        self.times = 0

    async def __call__(self) -> str | None:
        self.times += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def found(probe: health.Probe) -> tuple[str, str | None]:
    readiness = await Health("all", {"one": probe}, StillClock()).readiness()
    (check,) = readiness.checks
    assert check.status == readiness.status
    return check.status, check.detail


async def test_all_is_well_if_no_probe_says_otherwise() -> None:
    readiness = await Health("all", {"one": Asked(), "two": Asked()}, StillClock()).readiness()
    assert readiness.status == "ok"
    assert [(check.name, check.status, check.detail) for check in readiness.checks] == [
        ("one", "ok", None),
        ("two", "ok", None),
    ]


async def test_one_failure_is_enough_and_says_what_it_is() -> None:
    probes = {"one": Asked(), "two": Asked("The dispatcher is silent.")}
    readiness = await Health("all", probes, StillClock()).readiness()
    assert readiness.status == "unavailable"
    assert [check.detail for check in readiness.checks] == [None, "The dispatcher is silent."]


async def test_our_own_errors_speak_for_themselves_and_others_stay_in_the_log() -> None:
    assert await found(Asked(Unavailable())) == ("unavailable", str(Unavailable()))
    secret = OSError("cannot reach postgresql://admin@10.0.0.7")
    assert await found(Asked(secret)) == ("unavailable", "It failed with OSError; the log has the rest.")


async def test_a_probe_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.05)

    async def hang() -> str | None:
        await asyncio.sleep(3600)
        return None

    assert await found(hang) == ("unavailable", "No answer within 0.05 s.")


async def test_many_who_ask_at_once_cost_one_probe() -> None:
    clock, probe = StillClock(), Asked()
    asked = Health("all", {"one": probe}, clock)
    await asyncio.gather(*(asked.readiness() for _ in range(20)))
    assert probe.times == 1
    probe.answer = "It broke."
    assert (await asked.readiness()).status == "ok"
    clock.time_ms += 1000
    assert (await asked.readiness()).status == "unavailable"
    assert probe.times == 2


async def test_a_process_that_drains_is_not_ready() -> None:
    asked = Health("all", {"one": Asked()}, StillClock())
    asked.drain()
    readiness = await asked.readiness()
    assert readiness.status == "unavailable"
    assert [check.name for check in readiness.checks if check.status != "ok"] == ["draining"]


async def test_metadata_that_cannot_be_read_is_noticed(world: World) -> None:
    assert await found(metadata_probe(world.core)) == ("ok", None)
    await world.core.write(lambda tx: tx.run("DROP TABLE facts"))
    assert (await found(metadata_probe(world.core)))[0] == "unavailable"


async def test_blobs_need_free_space_above_the_reserve(world: World) -> None:
    free_bytes = world.stores.blobs.free_bytes()
    assert free_bytes is not None
    assert await found(blobs_probe(world.stores.blobs, world.clock, free_bytes // 2)) == ("ok", None)
    status, detail = await found(blobs_probe(world.stores.blobs, world.clock, free_bytes * 10))
    assert status == "unavailable"
    assert detail is not None
    assert f"the {free_bytes * 10} that are kept in reserve" in detail
