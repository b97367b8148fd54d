"""What webhooks cost the writer: ten whose endpoints are dead, ten that are delivered to."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from bench.bed import Bed
from bench.closed_loop import run_closed
from bench.control import Api, S3Control
from bench.inbox import InboxClient
from bench.neighbours import Neighbours
from bench.processes import refused_port
from bench.result import Detail, Result, from_tally
from bench.settings import Settings
from bench.shapes import ENOUGH_SECONDS
from bench.side_by_side import CONNECTIONS, OBJECT_BYTES, ROUNDS, Side, ratio, take_turns
from bench.stats import percentiles
from bench.subscriptions import subscribed, wait_until_open
from bench.workloads import Puts

BUCKETS = ("calm", "broken", "live")
WEBHOOKS = 10
RATE = 500
LIVE_ROUNDS = 10
EVENTS_TO_OPEN = 50
LEAST_SHARE = 0.9
"""Of the requests: what is left of fewer says little of them all."""


def open_breakers_name() -> str:
    return f"PUT x{CONNECTIONS}, {WEBHOOKS} open breakers"


def live_name() -> str:
    return f"PUT {RATE}/s, {WEBHOOKS} live webhooks"


def breaker_shapes(bed: Bed, api: Api, inbox: InboxClient, settings: Settings) -> Iterator[Result]:
    """Both, each beside the same PUTs into a bucket without a webhook."""
    calm, broken, live = (replace(bed, bucket=f"{bed.bucket}-{use}") for use in BUCKETS)
    for one in (calm, broken, live):
        S3Control(one.target).create_bucket(one.bucket)
    yield from _with_open_breakers(calm, broken, api, settings)
    yield from _with_live_ones(calm, live, api, inbox, settings)


def _with_open_breakers(calm: Bed, broken: Bed, api: Api, settings: Settings) -> Iterator[Result]:
    with refused_port() as port:
        endpoint = f"http://127.0.0.1:{port}/webhook"
        with subscribed(api, [(broken.bucket, endpoint)] * WEBHOOKS) as webhooks:
            first = Puts(broken.requests(), (f"first/{number}" for number in range(EVENTS_TO_OPEN)))
            run_closed(broken.target, first, 1, ENOUGH_SECONDS)
            opened = wait_until_open(api, webhooks)
            sides = Side(calm, "closed"), Side(broken, "closed")
            take_turns(*sides, partial(Side.put_closed, seconds=2 * settings.seconds / ROUNDS))
    details: dict[str, Detail] = {
        "breakersOpen": opened,
        "putsToNoneRatio": ratio(sides[1].per_second, sides[0].per_second),
    }
    errors = {"breaker closed": WEBHOOKS - opened} if opened < WEBHOOKS else {}
    yield _result(f"PUT x{CONNECTIONS}, no webhook", sides[0], {})
    loaded = _result(open_breakers_name(), sides[1], details)
    yield replace(loaded, errors={**loaded.errors, **errors})


def _with_live_ones(calm: Bed, live: Bed, api: Api, inbox: InboxClient, settings: Settings) -> Iterator[Result]:
    sides = Side(calm, "open"), Side(live, "open")

    def turn(side: Side) -> None:
        side.put_open(RATE, settings.seconds)
        # The next turn is to begin at rest.
        inbox.wait_for(WEBHOOKS * len(sides[1].source.written))

    # The processes of a server that somebody else started would pass for neighbours.
    watching = nullcontext(None) if live.sampler is None else Neighbours()
    with subscribed(api, [(live.bucket, inbox.endpoint)] * WEBHOOKS), watching as neighbours:
        inbox.reset()
        take_turns(*sides, turn, LIVE_ROUNDS)
        arrived = inbox.arrived()
    missing = WEBHOOKS * len(sides[1].source.written) - arrived.distinct
    details: dict[str, Detail] = {
        "p99ToNoneRatio": ratio(sides[1].p99_ms, sides[0].p99_ms),
        **(_apart(neighbours, *sides) if neighbours else {}),
        "deliveries": arrived.total,
        "deliveriesRepeated": arrived.total - arrived.distinct,
    }
    yield _result(f"PUT {RATE}/s, no webhook", sides[0], {})
    loaded = _result(live_name(), sides[1], details)
    yield replace(loaded, errors={**loaded.errors, **({"delivery missing": missing} if missing > 0 else {})})


def _apart(neighbours: Neighbours, calm: Side, live: Side) -> dict[str, Detail]:
    """The same of those requests alone that no other process disturbed, if that is most of them."""
    beside_none, beside_live = (neighbours.undisturbed(side.acks) for side in (calm, live))
    share = ratio(len(beside_none) + len(beside_live), len(calm.acks) + len(live.acks))
    if share < LEAST_SHARE:
        return {}
    return {
        "undisturbedP99ToNoneRatio": ratio(percentiles(beside_live).p99_ms, percentiles(beside_none).p99_ms),
        "undisturbedShare": share,
    }


def _result(name: str, side: Side, details: dict[str, Detail]) -> Result:
    size: dict[str, Detail] = {"objectBytes": OBJECT_BYTES}
    return from_tally(name, side.tally, connections=CONNECTIONS, details=size | details)
