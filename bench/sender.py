"""`python -m bench.sender`: the processor time that sending one delivery takes.

This process sends to a receiver in another, over kept connections, some deliveries at once: what a dispatcher's sender
does, without the dispatcher. Nothing is composed or written down.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.inbox import running_receiver
from elasticlake.delivery.attempt import Request, Sender
from elasticlake.model.egress import EgressPolicy

WARM_UP = 2_000
HEADERS = (
    ("Content-Type", "application/json"),
    ("X-ElasticLake-Signature", f"sha256={'a' * 64}"),
    ("X-ElasticLake-Event", "object:created"),
    ("X-ElasticLake-Delivery", f"dlv_{'0' * 26}"),
    ("X-ElasticLake-Attempt", "1"),
    ("webhook-id", f"evt_{'0' * 26}"),
    ("webhook-timestamp", "1767225600"),
    ("webhook-signature", f"v1,{'b' * 44}"),
)
BODY = b"{" + b" " * 398 + b"}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure some rounds and print them."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running_receiver(Path(folder)) as inbox:
        for _ in range(options.rounds):
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                micros, rate = runner.run(measure(inbox.endpoint, options.deliveries, options.at_once))
            print(f"{micros:.1f} µs of processor time a delivery, {rate:,.0f} a second")
    return 0


async def measure(url: str, deliveries: int, at_once: int) -> tuple[float, float]:
    """Microseconds of this process for each delivery, and deliveries a second."""
    async with Sender(EgressPolicy(developer=True), version="bench") as sender:
        await _send(sender, url, WARM_UP, at_once)
        cpu, wall = time.process_time(), time.perf_counter()
        await _send(sender, url, deliveries, at_once)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / deliveries * 1e6, deliveries / wall


async def _send(sender: Sender, url: str, deliveries: int, at_once: int) -> None:
    left = iter(range(deliveries))

    async def one_after_another() -> None:
        for _ in left:
            result = await sender.send(Request(url, HEADERS, BODY, 30.0))
            if not result.succeeded:
                raise RuntimeError(result.error)

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.sender", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    return parser


if __name__ == "__main__":
    sys.exit(main())
