import pytest
from bench.stats import Percentiles, percentile, percentiles


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.9, 9), (0.91, 10), (0.99, 10), (1.0, 10), (0.01, 1)])
def test_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert percentile(range(1, 11), share) == value


def test_percentiles_are_in_milliseconds_and_need_no_order() -> None:
    assert percentiles([0.003, 0.001, 0.002]) == Percentiles(2.0, 3.0, 3.0, 3.0)


def test_percentiles_of_nothing_are_zero() -> None:
    assert percentiles([]) == Percentiles(0.0, 0.0, 0.0, 0.0)
