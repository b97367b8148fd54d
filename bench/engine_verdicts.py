"""The promises of the delivery engine."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bench.backlog import backlog_name
from bench.breakers import RATE, live_name, open_breakers_name
from bench.breakers import WEBHOOKS as WRITTEN_WEBHOOKS
from bench.fanout import WEBHOOKS, fanout_name
from bench.isolation import DELIVERIES_PER_SECOND, HEALTHY, SICK, isolation_name
from bench.result import Result
from bench.verdict import Verdict, judge_detail, judge_rate

PROMISED_WAITING = 2_000_000
GROWTH_MIB = 32
"""What is left of a dispatcher's memory being flat: its windows and allocator's slack, whatever the backlog."""


def judge_engine(results: Mapping[str, Result]) -> Iterator[Verdict]:
    """Each of them, in a fixed order."""
    promise = (
        f"p99 of {HEALTHY} healthy webhooks at {DELIVERIES_PER_SECOND} deliveries/s beside {SICK} sick ones ≤ 2x alone"
    )
    yield judge_detail(results, isolation_name(sick=True), "p99ToAloneRatio", promise, most=2)
    promise = f"deliveries with history to {WEBHOOKS} webhooks ≥ 4,000/s"
    yield judge_rate(results, fanout_name(), 4_000, promise)
    promise = f"PUTs/s with {WRITTEN_WEBHOOKS} open breakers ≥ 0.85 of those with no webhook"
    yield judge_detail(results, open_breakers_name(), "putsToNoneRatio", promise, least=0.85)
    yield _beside_live_ones(results)
    yield _memory(results)
    promise = "PUTs/s beside the backlog of a dead endpoint ≥ 0.85 of those with no webhook"
    yield judge_detail(results, backlog_name(), "putsToNoneRatio", promise, least=0.85)
    yield _comeback(results)


def _beside_live_ones(results: Mapping[str, Result]) -> Verdict:
    promise = f"PUT p99 at {RATE}/s with {WRITTEN_WEBHOOKS} live webhooks ≤ 1.5x that with none"
    verdict = judge_detail(results, live_name(), "p99ToNoneRatio", promise, most=1.5)
    share = float(results[live_name()].details.get("undisturbedShare", 0)) if live_name() in results else 0.0
    if verdict.met is None or not share:
        return verdict
    apart = float(results[live_name()].details["undisturbedP99ToNoneRatio"])
    return replace(
        verdict, measured=f"{verdict.measured}; {apart:.2f} for the {share:.1%} that no watched process disturbed"
    )


def _memory(results: Mapping[str, Result]) -> Verdict:
    promise = f"{PROMISED_WAITING:,} events waiting: the dispatcher's memory grows by at most {GROWTH_MIB} MiB"
    result = results.get(backlog_name())
    before = float(result.details["dispatcherMiBBefore"]) if result else 0.0
    if result is None or not before:
        return Verdict(promise, "not measured", None)
    growth = float(result.details["dispatcherMiBMost"]) - before
    return _at_size(result, promise, f"{growth:.1f} MiB", growth <= GROWTH_MIB)


def _comeback(results: Mapping[str, Result]) -> Verdict:
    promise = f"{PROMISED_WAITING:,} events of a dead endpoint arrive at ≥ 3,000/s, in order for each key, once"
    result = results.get(backlog_name())
    if result is None:
        return Verdict(promise, "not measured", None)
    repeated, disordered = int(result.details["deliveriesRepeated"]), int(result.details["outOfOrder"])
    text = f"{result.operations_per_second:,.0f}/s, {disordered:,} out of order, {repeated:,} twice"
    met = result.operations_per_second >= 3_000 and not repeated and not result.error_count
    return _at_size(result, promise, text, met)


def _at_size(result: Result, promise: str, text: str, met: bool) -> Verdict:
    """A smaller backlog proves nothing, but can refute."""
    waiting = int(result.details["waiting"])
    return Verdict(promise, f"{text} of {waiting:,} events", met if not met or waiting >= PROMISED_WAITING else None)
