"""A dead endpoint's backlog: what it costs while it waits, and how it arrives when the endpoint is back."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench.bed import Bed
from bench.closed_loop import run_closed
from bench.control import Api, S3Control
from bench.delivery import RECEIVER_LIMIT
from bench.exposition import DispatcherMemory
from bench.inbox import Arrived, InboxClient, running_receiver
from bench.latency import after, first_arrivals
from bench.open_loop import run_open
from bench.processes import free_port, refused_port
from bench.result import MIB, Detail, Result
from bench.settings import Settings
from bench.shapes import ENOUGH_SECONDS, FILL_CONNECTIONS
from bench.side_by_side import ROUNDS, Side, ratio, take_turns
from bench.stats import Percentiles, percentiles
from bench.subscriptions import subscribed, wait_until_open
from bench.workloads import Puts

BUCKETS = ("calm", "dead", "near")
OBJECT_BYTES = 100
EVENTS_PER_KEY = 20
MOST_KEYS = 10_000
WARM_UP_EVENTS = 2_000
NEIGHBOUR_RATE = 100
RETRY_SCHEDULE = [1.0] * 50
"""Nothing may die of the outage, and what failed is to be due when it is over, not hours later."""
COMEBACK_SECONDS = 90.0
"""A breaker's probes are half a minute apart at most."""


def backlog_name() -> str:
    return "backlog of a dead endpoint"


def key_count(events: int) -> int:
    """Over how many keys a backlog is spread: each has some, as order is about them."""
    return min(MOST_KEYS, max(1, events // EVENTS_PER_KEY))


@dataclass(slots=True)
class Outage:
    """What was seen while the endpoint was dead."""

    memory_before_bytes: float = 0.0
    memory_most_bytes: float = 0.0
    neighbour_p99_ms: tuple[float, float] = (0.0, 0.0)
    """A healthy webhook's on another bucket: before, and beside the backlog."""
    puts_to_none: float = 0.0
    events: int = 0
    errors: dict[str, int] = field(default_factory=dict)


def backlog_shape(bed: Bed, api: Api, neighbour: InboxClient, settings: Settings, directory: Path) -> Result:
    """Warm up, lose the receiver, fill the backlog, put more beside it, bring the receiver back."""
    calm, dead, near = (replace(bed, bucket=f"{bed.bucket}-{use}") for use in BUCKETS)
    for one in (calm, dead, near):
        S3Control(one.target).create_bucket(one.bucket)
    port, outage = free_port(), Outage()
    where = [(dead.bucket, f"http://127.0.0.1:{port}/webhook"), (near.bucket, neighbour.endpoint)]
    with subscribed(api, where, retrySchedule=RETRY_SCHEDULE) as webhooks:
        warmed = _warm_up(dead, directory, port, settings)
        quiet_ms = _neighbour_p99_ms(near, neighbour, "before", settings)
        with _memory(api, outage):
            with refused_port(port):
                _fill(dead, outage, settings)
                if not wait_until_open(api, webhooks[:1]):
                    outage.errors["breaker closed"] = 1
                _put_beside(calm, dead, outage, settings)
                outage.neighbour_p99_ms = quiet_ms, _neighbour_p99_ms(near, neighbour, "beside", settings)
            back_at = time.perf_counter()
            with running_receiver(directory, port) as receiver:
                receiver.watch_order()
                arrived = _come_back(receiver, outage.events)
    return _result(outage, arrived, arrived.first_at - back_at, warmed)


def _warm_up(dead: Bed, directory: Path, port: int, settings: Settings) -> int:
    """The endpoint is well at first: the dispatcher's memory is compared with that after some deliveries."""
    count = min(WARM_UP_EVENTS, settings.waiting)
    with running_receiver(directory, port) as receiver:
        source = Puts(dead.requests(OBJECT_BYTES), (f"warm-up/{number:09d}" for number in range(count)))
        run_closed(dead.target, source, FILL_CONNECTIONS, ENOUGH_SECONDS)
        return receiver.wait_for(len(source.written)).distinct


@contextmanager
def _memory(api: Api, outage: Outage) -> Iterator[None]:
    """The dispatcher's memory at the start of the block, and the most in it."""
    with ExitStack() as stack:
        memory = stack.enter_context(DispatcherMemory(api))
        outage.memory_before_bytes = memory.most_bytes
        yield
        stack.close()  # one more look, at the end
        outage.memory_most_bytes = memory.most_bytes


def _fill(dead: Bed, outage: Outage, settings: Settings) -> None:
    keys = key_count(settings.waiting)
    source = Puts(dead.requests(OBJECT_BYTES), (f"waiting/{n % keys:06d}" for n in range(settings.waiting)))
    tally = run_closed(dead.target, source, FILL_CONNECTIONS, ENOUGH_SECONDS)
    outage.events += len(source.written)
    outage.errors |= tally.errors


def _put_beside(calm: Bed, dead: Bed, outage: Outage, settings: Settings) -> None:
    """What the backlog costs a writer into its own bucket, against one into a bucket without a webhook."""
    sides = Side(calm, "beside"), Side(dead, "beside")
    take_turns(*sides, partial(Side.put_closed, seconds=settings.seconds / ROUNDS))
    outage.puts_to_none = ratio(sides[1].per_second, sides[0].per_second)
    outage.events += len(sides[1].source.written)
    for side in sides:
        outage.errors |= side.tally.errors


def _neighbour_p99_ms(near: Bed, inbox: InboxClient, prefix: str, settings: Settings) -> float:
    """What the deliveries of a healthy webhook on another bucket take, from the PUT's answer on."""
    source = Puts(near.requests(OBJECT_BYTES), (f"{prefix}/{number:09d}" for number in range(10**9)))
    inbox.reset(keep=True)
    load = run_open(near.target, source, NEIGHBOUR_RATE, settings.seconds)
    inbox.wait_for(len(source.written))
    answered = {key: ack.answered_at for key, ack in load.acks.items()}
    return percentiles(after(first_arrivals(inbox.arrivals()), answered)).p99_ms


def _come_back(receiver: InboxClient, expected: int) -> Arrived:
    """Wait for the first probe, then for everything."""
    receiver.wait_for(1, COMEBACK_SECONDS)
    return receiver.wait_for(expected)


def _result(outage: Outage, arrived: Arrived, comeback_seconds: float, warmed: int) -> Result:
    errors = dict(outage.errors)
    if missing := outage.events - arrived.distinct:
        errors["delivery missing"] = missing
    if arrived.out_of_order:
        errors["out of order"] = arrived.out_of_order
    before, most = outage.memory_before_bytes / MIB, outage.memory_most_bytes / MIB
    details: dict[str, Detail] = {
        "warmUpEvents": warmed,
        "waiting": outage.events,
        "dispatcherMiBBefore": round(before, 1),
        "dispatcherMiBMost": round(most, 1),
        "putsToNoneRatio": outage.puts_to_none,
        "neighbourP99MsBefore": outage.neighbour_p99_ms[0],
        "neighbourP99MsBeside": outage.neighbour_p99_ms[1],
        "comebackSeconds": round(comeback_seconds, 1),
        "deliveriesRepeated": arrived.total - arrived.distinct,
        "outOfOrder": arrived.out_of_order,
    }
    return Result(
        name=backlog_name(),
        operations=max(0, arrived.distinct - 1),  # the first opens the interval that the others are counted in
        body_bytes=0,
        seconds=arrived.last_at - arrived.first_at,
        latency=Percentiles(),
        errors=errors,
        limits=(RECEIVER_LIMIT,),
        details=details,
    )
