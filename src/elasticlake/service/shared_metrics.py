"""The metrics of a server's processes together: each writes its own to a file once a second, and any of them can answer
for all.

Files are named after what a process does (`gateway-0`), not after its number: one that is started again goes on
counting where its predecessor stopped, so that no counter goes back. A process that is killed loses a second's counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from elasticlake.service.exposition import exposition
from elasticlake.service.metrics import Metrics, Snapshot, merged

WRITE_SECONDS = 1.0
_SUFFIX = ".json"
_log = structlog.get_logger("metrics")


def begin(folder: Path, counted: Metrics) -> None:
    """Forget an earlier server's processes, and write what was `counted` while this one started, before any of its own.

    Raises `OSError`.
    """
    for path in folder.iterdir():
        path.unlink()
    _write(folder / f"supervisor{_SUFFIX}", counted.snapshot())


class SharedMetrics:
    """One process's part in the folder that all processes of a server share."""

    def __init__(self, folder: Path, process: str, version: str, metrics: Metrics) -> None:
        self.metrics = metrics
        self._path = folder / f"{process}{_SUFFIX}"
        self._process = process
        self._version = version
        self._started_at_seconds = time.time()
        metrics.resume(_read(self._path))

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        """Write now and then while the block runs, and once in the end."""
        writing = asyncio.create_task(self._run())
        try:
            yield
        finally:
            writing.cancel()
            with suppress(OSError):
                await self.write()

    async def _run(self) -> None:
        """Write for ever. Metrics are information: a fault of the disk is logged, and tried again."""
        was_well = True
        while True:
            try:
                await self.write()
                was_well = True
            except OSError as error:
                if was_well:
                    _log.warning("metrics cannot be written", error=str(error))
                was_well = False
            await asyncio.sleep(WRITE_SECONDS)

    async def write(self) -> None:
        """Let the others see what has been counted here; raises `OSError`."""
        await asyncio.to_thread(_write, self._path, self._snapshot())

    async def exposition(self) -> bytes:
        """The metrics of all processes, in Prometheus's text format; this one's are of this moment."""
        return await asyncio.to_thread(lambda own: exposition(self._with_others(own)), self._snapshot())

    async def of_all(self) -> Snapshot:
        """What all processes of this server have counted, as one."""
        return await asyncio.to_thread(self._with_others, self._snapshot())

    def _with_others(self, own: Snapshot) -> Snapshot:
        others = [path for path in sorted(self._path.parent.glob(f"*{_SUFFIX}")) if path != self._path]
        return merged([own, *map(_read, others)])

    def _snapshot(self) -> Snapshot:
        self.metrics.process(
            self._process, self._version, self._started_at_seconds, time.process_time(), _resident_bytes()
        )
        return self.metrics.snapshot()


def _write(path: Path, snapshot: Snapshot) -> None:
    """Replace the file whole, so that nobody reads half of it; a power cut may take it, and nothing is lost."""
    document = {name: list(series.items()) for name, series in snapshot.items()}
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(document, separators=(",", ":")))
    temporary.replace(path)


def _read(path: Path) -> Snapshot:
    """What a process wrote last; nothing of one that has not written, or whose file a power cut has damaged."""
    try:
        document = json.loads(path.read_bytes())
        return {name: {tuple(labels): values for labels, values in series} for name, series in document.items()}
    except (OSError, ValueError):
        return {}


def _resident_bytes() -> int | None:
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
