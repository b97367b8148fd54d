from dataclasses import replace

import pytest
from bench.delivery import delivery_name
from bench.latency import latency_name
from bench.limits import MD5, WRITE_FSYNC
from bench.listing import listing_name
from bench.memory import ProcessUse
from bench.result import MIB, Limit, Result
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
USES = [ProcessUse(1, "gateway", 199 * MIB), ProcessUse(2, "dispatcher", 50 * MIB)]


def test_what_just_reaches_the_promises_meets_them_all() -> None:
    assert [verdict.met for verdict in judge(GOOD, LIMITS, USES)] == [True] * 9


def test_nothing_measured_leaves_all_open() -> None:
    assert [verdict.met for verdict in judge([], {}, [])] == [None] * 9


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


def test_one_process_over_the_memory_is_enough() -> None:
    verdict = judge(GOOD, LIMITS, [*USES, ProcessUse(3, "leaky", 200 * MIB)])[4]
    assert verdict.met is False
    assert "leaky" in verdict.measured


def test_a_smaller_listing_proves_nothing_but_can_refute() -> None:
    small = Result(listing_name(9), 9, 0, 1.0, Percentiles(), details={"timeToFewKeysRatio": 1.0, "keys": 9})
    assert judge([small], {}, [])[7].met is None
    assert judge([replace(small, details={"timeToFewKeysRatio": 3.0, "keys": 9})], {}, [])[7].met is False


def test_any_error_is_an_error() -> None:
    assert judge([replace(GOOD[0], errors={"event missing": 2})], {}, [])[-1].met is False


def test_postgresql_has_promises_of_its_own() -> None:
    slower = [replace(GOOD[0], operations=3_000), replace(GOOD[1], operations=5_000)]
    assert [verdict.met for verdict in judge(slower, LIMITS, USES, "postgres")][:2] == [True, True]
    assert [verdict.met for verdict in judge(slower, LIMITS, USES)][:2] == [False, False]
