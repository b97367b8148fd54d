"""Whether this process can do its work: named probes, each with little time and a short memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from elasticlake.blobs.store import BlobStore
from elasticlake.clock import Clock
from elasticlake.errors import ElasticLakeError
from elasticlake.metadata import facts, nodes
from elasticlake.metadata.database import Database

PROBE_SECONDS = 2.0
REMEMBER_SECONDS = 1.0
REMEMBER_BLOBS_SECONDS = 5.0
# Nothing has this name, as ids are longer: the store is only asked to say so.
_NO_BLOB = "probe"
_NO_FACT = "probe"

_log = structlog.get_logger("health")

Status = Literal["ok", "unavailable"]
Probe = Callable[[], Awaitable[str | None]]
"""None if all is well, else a sentence on what is wrong, for anybody to read; it may also raise what is wrong."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one probe found; `detail` is None where nothing is wrong."""

    name: str
    status: Status
    detail: str | None
    is_vital: bool = True
    """Whether the process cannot do its work without it."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What all probes found."""

    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        return "ok" if all(check.status == "ok" for check in self.checks if check.is_vital) else "unavailable"


class Health:
    """The state of one process of `role`. Anybody may ask, so that an answer serves for a moment."""

    def __init__(
        self, role: str, probes: Mapping[str, Probe], clock: Clock, *, told: Mapping[str, Probe] | None = None
    ) -> None:
        """`told` are probes whose finding is shown, and makes nothing unavailable."""
        self.role = role
        self._told = {name: remembered(name, probe, clock, REMEMBER_SECONDS) for name, probe in (told or {}).items()}
        self._probes = {name: remembered(name, probe, clock, REMEMBER_SECONDS) for name, probe in probes.items()}
        self._draining = False

    def drain(self) -> None:
        """From now on this process finishes what it has, and wants no more."""
        self._draining = True

    async def readiness(self) -> Readiness:
        """Ask every probe at once."""
        vital = [_checked(name, probe) for name, probe in self._probes.items()]
        told = [_checked(name, probe, is_vital=False) for name, probe in self._told.items()]
        checks = list(await asyncio.gather(*vital, *told))
        if self._draining:
            checks.append(Check("draining", "unavailable", "The process is stopping."))
        return Readiness(tuple(checks))


def remembered(name: str, probe: Probe, clock: Clock, seconds: float) -> Probe:
    """A probe that asks at most once in that time, however many want to know; it gives up after `PROBE_SECONDS`."""
    asking = asyncio.Lock()
    asked_at, answer = float("-inf"), None

    async def ask() -> str | None:
        nonlocal asked_at, answer
        async with asking:
            if clock.monotonic() - asked_at >= seconds:
                answer = await _answer(name, probe)
                asked_at = clock.monotonic()
            return answer

    return ask


async def _answer(name: str, probe: Probe) -> str | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await probe()
    except TimeoutError:
        return f"No answer within {PROBE_SECONDS:g} s."
    except ElasticLakeError as error:
        return str(error)
    except Exception as error:
        # Its text may name hosts and paths, which is for the log alone.
        _log.warning("probe failed", probe=name, exc_info=error)
        return f"It failed with {type(error).__name__}; the log has the rest."


async def _checked(name: str, probe: Probe, *, is_vital: bool = True) -> Check:
    detail = await probe()
    return Check(name, "ok" if detail is None else "unavailable", detail, is_vital)


def metadata_probe(database: Database) -> Probe:
    """Whether the metadata can be read."""

    async def probe() -> str | None:
        await database.read(lambda reader: facts.get(reader, _NO_FACT))
        return None

    return probe


def dispatcher_probe(state: Database) -> Probe:
    """Whether a dispatcher lives, here or on another node: without one, events wait in the log."""

    async def probe() -> str | None:
        now_ms, known = await state.read(lambda reader: (reader.now_ms(), nodes.all_nodes(reader)))
        living = [one for one in known if one.role == "dispatcher" and one.heartbeat_at_ms > now_ms - nodes.LEASE_MS]
        return None if living else "No dispatcher lives; events wait in the log until one does."

    return probe


def blobs_probe(blobs: BlobStore, clock: Clock, reserve_bytes: int) -> Probe:
    """Whether blobs can be read, and written: below the reserve of free space, writes are refused."""

    async def probe() -> str | None:
        await blobs.size(_NO_BLOB)
        free_bytes = blobs.free_bytes()
        if free_bytes is not None and free_bytes < reserve_bytes:
            return f"{free_bytes} bytes are free, fewer than the {reserve_bytes} that are kept in reserve."
        return None

    return remembered("blobs", probe, clock, REMEMBER_BLOBS_SECONDS)
