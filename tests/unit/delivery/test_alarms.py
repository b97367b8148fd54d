"""One moment for each key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from elasticlake.delivery.alarms import Alarms


def test_the_earliest_counts_and_comes_once() -> None:
    alarms: Alarms[str] = Alarms()
    assert alarms.set("a", 5.0)
    assert not alarms.set("a", 7.0)
    assert alarms.set("a", 3.0)
    assert alarms.next_at == 3.0
    assert list(alarms.due(2.9)) == []
    assert list(alarms.due(10.0)) == ["a"]
    assert list(alarms.due(10.0)) == []
    assert alarms.next_at == float("inf")
    assert alarms.set("a", 7.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20))))
def test_nobody_is_forgotten(asked: list[tuple[int, int]]) -> None:
    alarms: Alarms[int] = Alarms()
    first: dict[int, int] = {}
    for key, at in asked:
        alarms.set(key, at)
        first[key] = min(at, first.get(key, at))
    for now in range(21):
        assert sorted(alarms.due(now)) == sorted(key for key, at in first.items() if at == now)
