"""The bench's view of the receiver process: how much has arrived, and when."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.processes import child, free_port, python, wait_listening
from bench.target import Target

STALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """Deliveries since the last reset; `first_at` and `last_at` in monotonic seconds, 0 when there are none."""

    total: int
    distinct: int
    first_at: float
    last_at: float
    out_of_order: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One kept delivery."""

    arrived_at: float
    webhook_id: str
    delivery: str
    event: str
    bucket: str
    sequence: int
    key: str


class InboxClient:
    """Asks the receiver."""

    def __init__(self, port: int, pid: int) -> None:
        self.pid = pid
        self._port = port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}/webhook"

    @property
    def target(self) -> Target:
        """The receiver as something to put load on."""
        return Target("127.0.0.1", self._port, "", "")

    def reset(self, *, keep: bool = False) -> None:
        """Forget what arrived. With `keep`, the deliveries from now on are kept one by one."""
        self._ask("/reset?keep" if keep else "/reset")

    def watch_order(self) -> None:
        """Forget what arrived; of what arrives from now on, all of one bucket, look at the order of each key."""
        self._ask("/reset?order")

    def arrived(self) -> Arrived:
        counts = self._ask("/count")
        total, distinct, out_of_order = (int(counts[name]) for name in ("total", "distinct", "outOfOrder"))
        return Arrived(total, distinct, counts["first"], counts["last"], out_of_order)

    def arrivals(self) -> list[Arrival]:
        return [
            Arrival(r["arrived"], r["webhookId"], r["delivery"], r["event"], r["bucket"], r["sequence"] or 0, r["key"])
            for r in self._ask("/records")
        ]

    def wait_for(self, distinct: int, stall_seconds: float = STALL_SECONDS) -> Arrived:
        """Wait until so many events have arrived, or until nothing new arrives any more."""
        seen, changed_at = self.arrived(), time.monotonic()
        while seen.distinct < distinct and time.monotonic() - changed_at < stall_seconds:
            time.sleep(0.05)
            now = self.arrived()
            if now.distinct != seen.distinct:
                changed_at = time.monotonic()
            seen = now
        return seen

    def _ask(self, path: str) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def running_receiver(directory: Path, port: int | None = None) -> Iterator[InboxClient]:
    """A receiver process for as long as the block runs, on a free port if none is given."""
    port = port or free_port()
    log = directory / f"receiver-{port}.log"
    with child(python("-m", "bench.receiver", str(port)), log) as process:
        wait_listening(process, port, log)
        yield InboxClient(port, process.pid)
