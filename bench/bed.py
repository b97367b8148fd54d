"""The test bed: a server, a bucket, and whoever watches its events and its processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

from bench.control import Api
from bench.inbox import InboxClient
from bench.memory import Sampler
from bench.result import Detail, Result
from bench.signer import Signer
from bench.target import Target
from bench.workloads import Requests

STALL_SECONDS = 10.0
STALL_SECONDS_ONCE_BROKEN = 2.0


@dataclass(slots=True)
class Bed:
    """Where a shape runs. Without `inbox` no webhook is registered; without `sampler` no process is watched."""

    target: Target
    bucket: str
    api: Api | None = None
    inbox: InboxClient | None = None
    sampler: Sampler | None = None
    signer: Signer = field(init=False)
    _cpu_before: float = 0.0
    _events_lost: bool = False

    def __post_init__(self) -> None:
        self.signer = Signer(self.target)

    def requests(self, size_bytes: int = 0) -> Requests:
        return Requests(self.signer, self.bucket, size_bytes)

    def begin(self, *, keep: bool = False) -> None:
        """Before a shape: forget what the receiver got so far, note the server's CPU time."""
        if self.inbox is not None:
            self.inbox.reset(keep=keep)
        self._cpu_before = self._cpu()

    def end(self, result: Result, changes: int) -> Result:
        """After a shape that made `changes` events: wait for them all, so that the next shape starts at rest.

        An event that never arrives counts as an error. The details tell how far the deliveries lagged behind.
        """
        details: dict[str, Detail] = dict(result.details)
        errors: dict[str, int] = dict(result.errors)
        cpu = self._cpu() - self._cpu_before
        if cpu > 0 and result.operations:
            details["serverCpuUsPerOperation"] = round(cpu * 1e6 / result.operations, 1)
        if self.inbox is not None and changes:
            details.update(self._settle(self.inbox, changes))
            if missing := int(details["eventsExpected"]) - int(details["eventsReceived"]):
                errors["event missing"] = missing
        return replace(result, details=details, errors=errors)

    def _settle(self, inbox: InboxClient, changes: int) -> Mapping[str, Detail]:
        at_end, start = inbox.arrived(), perf_counter()
        stall = STALL_SECONDS_ONCE_BROKEN if self._events_lost else STALL_SECONDS
        settled = inbox.wait_for(changes, stall)
        self._events_lost = settled.distinct < changes
        return {
            "eventsExpected": changes,
            "eventsReceived": min(settled.distinct, changes),
            "eventsReceivedDuring": at_end.distinct,
            "deliveriesRepeated": settled.total - settled.distinct,
            "drainSeconds": round(perf_counter() - start, 3) if at_end.distinct < changes else 0.0,
        }

    def _cpu(self) -> float:
        """CPU seconds of the server under load alone."""
        if self.sampler is None:
            return 0.0
        self.sampler.sample(rescan=False)
        return sum(use.cpu_seconds for use in self.sampler.uses)
