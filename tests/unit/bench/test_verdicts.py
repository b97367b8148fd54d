from dataclasses import replace

import pytest
from bench.backlog import backlog_name
from bench.breakers import live_name, open_breakers_name
from bench.delivery import delivery_name
from bench.fanout import fanout_name
from bench.isolation import isolation_name
from bench.latency import latency_name
from bench.limits import MD5, WRITE_FSYNC
from bench.listing import listing_name
from bench.memory import ProcessUse
from bench.pages import pages_name
from bench.result import MIB, Detail, Limit, Result
from bench.shapes import small_name, stream_name
from bench.stats import Percentiles
from bench.verdicts import judge

LIMITS = {MD5: Limit(MD5, 500.0, "MiB/s"), WRITE_FSYNC: Limit(WRITE_FSYNC, 400.0, "MiB/s")}
GOOD = [
    Result(small_name("PUT", 4096, 32), 5_000, 0, 1.0, Percentiles()),
    Result(small_name("GET", 4096, 32), 9_000, 0, 1.0, Percentiles()),
    Result(stream_name("PUT", 256 * MIB), 1, 240 * MIB, 1.0, Percentiles(), metric="MiB/s"),
    Result(stream_name("GET", 256 * MIB), 1, 1_431 * MIB, 1.0, Percentiles(), metric="MiB/s"),
    Result(latency_name(200), 2_000, 0, 10.0, Percentiles(p50_ms=3.0, p99_ms=15.0)),
    Result(delivery_name(history=True), 3_000, 0, 1.0, Percentiles()),
    Result(listing_name(1_000_000), 9, 0, 1.0, Percentiles(), details={"timeToFewKeysRatio": 2.0, "keys": 1_000_000}),
]
BACKLOG = {
    "waiting": 2_000_000,
    "dispatcherMiBBefore": 100.0,
    "dispatcherMiBMost": 132.0,
    "putsToNoneRatio": 0.85,
    "deliveriesRepeated": 0,
    "outOfOrder": 0,
}
ENGINE = [
    Result(isolation_name(sick=True), 9, 0, 1.0, Percentiles(), details={"p99ToAloneRatio": 2.0}),
    Result(fanout_name(), 4_000, 0, 1.0, Percentiles()),
    Result(open_breakers_name(), 9, 0, 1.0, Percentiles(), details={"putsToNoneRatio": 0.85}),
    Result(live_name(), 9, 0, 1.0, Percentiles(), details={"p99ToNoneRatio": 1.5}),
    Result(backlog_name(), 3_000, 0, 1.0, Percentiles(), details=BACKLOG),
]
FULL = {"objects": 1_000_000, "attempts": 5_000_000}
PAGES = [Result(pages_name(path), 15, 0, 1.0, Percentiles(max_ms=199.9), details=FULL) for path in ("/ui/", "/ui/keys")]
USES = [ProcessUse(1, "gateway", 199 * MIB), ProcessUse(2, "dispatcher", 50 * MIB)]


def test_what_just_reaches_the_promises_meets_them_all() -> None:
    assert [verdict.met for verdict in judge([*GOOD, *ENGINE, *PAGES], LIMITS, USES)] == [True] * 17


def test_nothing_measured_leaves_all_open() -> None:
    assert [verdict.met for verdict in judge([], {}, [])] == [None] * 17


@pytest.mark.parametrize(
    ("index", "spoilt", "verdict"),
    [
        (0, replace(GOOD[0], operations=4_999), 0),
        (1, replace(GOOD[1], operations=8_999), 1),
        (2, replace(GOOD[2], body_bytes=239 * MIB), 2),
        (3, replace(GOOD[3], body_bytes=1_430 * MIB), 3),
        (4, replace(GOOD[4], latency=Percentiles(p50_ms=3.1, p99_ms=4.0)), 5),
        (4, replace(GOOD[4], latency=Percentiles(p50_ms=1.0, p99_ms=15.1)), 5),
        (5, replace(GOOD[5], operations=2_999), 6),
        (6, replace(GOOD[6], details={"timeToFewKeysRatio": 2.01, "keys": 1_000_000}), 7),
        (0, replace(GOOD[0], errors={"PUT 500": 1}), 0),
    ],
)
def test_what_misses_a_promise_is_told(index: int, spoilt: Result, verdict: int) -> None:
    results = [*GOOD[:index], spoilt, *GOOD[index + 1 :]]
    assert judge(results, LIMITS, USES)[verdict].met is False


@pytest.mark.parametrize(
    ("index", "detail", "value", "verdict"),
    [
        (0, "p99ToAloneRatio", 2.01, 8),
        (2, "putsToNoneRatio", 0.84, 10),
        (3, "p99ToNoneRatio", 1.51, 11),
        (4, "dispatcherMiBMost", 132.1, 12),
        (4, "putsToNoneRatio", 0.84, 13),
        (4, "deliveriesRepeated", 1, 14),
    ],
)
def test_what_misses_a_promise_of_the_delivery_engine_is_told(
    index: int, detail: str, value: float, verdict: int
) -> None:
    result = ENGINE[index]
    judged = judge([replace(result, details={**result.details, detail: value})], LIMITS, USES)
    assert [number for number, one in enumerate(judged[8:-1], 8) if one.met is False] == [verdict]


def test_what_other_processes_did_is_told_beside_the_promise() -> None:
    details: dict[str, Detail] = {"p99ToNoneRatio": 1.6, "undisturbedP99ToNoneRatio": 1.2, "undisturbedShare": 0.987}
    verdict = judge([replace(ENGINE[3], details=details)], LIMITS, USES)[11]
    assert (verdict.met, verdict.measured) == (False, "1.60; 1.20 for the 98.7% that no watched process disturbed")


def test_deliveries_that_are_too_slow_or_out_of_order_are_told() -> None:
    assert judge([replace(ENGINE[1], operations=3_999)], {}, [])[9].met is False
    assert judge([replace(ENGINE[4], operations=2_999)], {}, [])[14].met is False
    disordered = replace(ENGINE[4], errors={"out of order": 1}, details={**BACKLOG, "outOfOrder": 1})
    assert judge([disordered], {}, [])[14].met is False


def test_a_ratio_with_errors_meets_nothing() -> None:
    assert judge([replace(ENGINE[0], errors={"delivery missing": 1})], {}, [])[8].met is False


def test_a_smaller_backlog_proves_nothing_but_can_refute() -> None:
    smaller = replace(ENGINE[4], details={**BACKLOG, "waiting": 1_999_999})
    assert [one.met for one in judge([smaller], {}, [])[12:15]] == [None, True, None]
    grown = replace(smaller, details={**smaller.details, "dispatcherMiBMost": 200.0})
    assert judge([grown], {}, [])[12].met is False


def test_what_had_nothing_to_be_compared_with_was_not_measured() -> None:
    unknown = replace(ENGINE[4], details={**BACKLOG, "dispatcherMiBBefore": 0.0, "putsToNoneRatio": 0.0})
    assert [one.met for one in judge([unknown], {}, [])[12:14]] == [None, None]


def test_one_process_over_the_memory_is_enough() -> None:
    verdict = judge(GOOD, LIMITS, [*USES, ProcessUse(3, "leaky", 200 * MIB)])[4]
    assert verdict.met is False
    assert "leaky" in verdict.measured


def test_a_smaller_listing_proves_nothing_but_can_refute() -> None:
    small = Result(listing_name(9), 9, 0, 1.0, Percentiles(), details={"timeToFewKeysRatio": 1.0, "keys": 9})
    assert judge([small], {}, [])[7].met is None
    assert judge([replace(small, details={"timeToFewKeysRatio": 3.0, "keys": 9})], {}, [])[7].met is False


def test_one_slow_page_is_enough() -> None:
    slow = replace(PAGES[1], latency=Percentiles(max_ms=200.0))
    verdict = judge([PAGES[0], slow], {}, [])[15]
    assert verdict.met is False
    assert "/ui/keys" in verdict.measured
    assert judge([PAGES[0], replace(PAGES[1], errors={"500": 1})], {}, [])[15].met is False


def test_pages_over_less_prove_nothing_but_can_refute() -> None:
    small = replace(PAGES[0], details={**FULL, "attempts": 10})
    assert judge([small], {}, [])[15].met is None
    assert judge([replace(small, latency=Percentiles(max_ms=300.0))], {}, [])[15].met is False


def test_any_error_is_an_error() -> None:
    assert judge([replace(GOOD[0], errors={"event missing": 2})], {}, [])[-1].met is False


def test_postgresql_has_promises_of_its_own() -> None:
    slower = [replace(GOOD[0], operations=3_000), replace(GOOD[1], operations=5_000)]
    assert [verdict.met for verdict in judge(slower, LIMITS, USES, "postgres")][:2] == [True, True]
    assert [verdict.met for verdict in judge(slower, LIMITS, USES)][:2] == [False, False]
