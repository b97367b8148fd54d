import pytest
from bench.result import MIB, THROUGHPUT, Limit, Result, from_tally, ratios
from bench.stats import Percentiles, Tally

LIMITS = {"bare": Limit("bare", 200.0, "ops/s"), "MD5": Limit("MD5", 50.0, "MiB/s"), "sync": Limit("sync", 0.5, "ms")}


def test_rates_are_per_second_of_the_shape() -> None:
    result = Result("x", 100, 50 * MIB, 2.0, Percentiles())
    assert (result.operations_per_second, result.mib_per_second, result.rate) == (50.0, 25.0, 50.0)


def test_nothing_measured_is_no_rate() -> None:
    assert Result("x", 0, 0, 0.0, Percentiles()).rate == 0.0


def test_a_ratio_needs_a_limit_in_the_results_own_unit() -> None:
    result = Result("x", 100, 50 * MIB, 1.0, Percentiles(p50_ms=2.0), limits=("bare", "MD5", "sync", "unmeasured"))
    assert ratios(result, LIMITS) == {"bare": 0.5, "sync": 4.0}
    large = Result("x", 1, 25 * MIB, 1.0, Percentiles(), metric=THROUGHPUT, limits=("bare", "MD5"))
    assert ratios(large, LIMITS) == {"MD5": 0.5}


def test_the_clients_cost_is_spread_over_failures_too() -> None:
    tally = Tally(client_cpu_seconds=0.001, elapsed_seconds=1.0)
    tally.succeeded(0.01, 10)
    tally.failed("PUT 503 SlowDown")
    result = from_tally("x", tally)
    assert result.client_us_per_operation == pytest.approx(500)
    assert (result.operations, result.error_count, result.body_bytes) == (1, 1, 10)
