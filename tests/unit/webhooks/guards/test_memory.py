"""The guard in memory: what it remembers is bounded."""

from __future__ import annotations

import pytest

from elasticlake.webhooks import BeingHandled, MemoryGuard


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def handle(guard: MemoryGuard, event_id: str) -> bool:
    claim = guard.begin(event_id)
    if claim is not None:
        guard.complete(claim)
    return claim is not None


def test_of_the_completed_it_remembers_the_last() -> None:
    guard = MemoryGuard(max_completed=2)
    assert [handle(guard, name) for name in "abc"] == [True, True, True]
    assert [handle(guard, name) for name in "cb"] == [False, False]
    assert handle(guard, "a")


def test_what_is_completed_forgets_no_claim() -> None:
    guard = MemoryGuard(max_completed=1)
    assert guard.begin("claimed") is not None
    assert [handle(guard, name) for name in "abc"] == [True, True, True]
    with pytest.raises(BeingHandled):
        guard.begin("claimed")


def test_claims_end_on_time_and_leave_nothing() -> None:
    clock = Clock()
    guard = MemoryGuard(claim_seconds=10, monotonic=clock)
    for number in range(5):
        assert guard.begin(f"evt_{number}") is not None
        clock.seconds += 1
    clock.seconds = 9.99
    with pytest.raises(BeingHandled):
        guard.begin("evt_0")
    clock.seconds = 12
    for number, is_free in enumerate([True, True, True, False, False]):
        if is_free:
            assert guard.begin(f"evt_{number}") is not None
        else:
            with pytest.raises(BeingHandled):
                guard.begin(f"evt_{number}")
    clock.seconds = 1000
    assert guard.begin("another") is not None
    assert len(guard._claims) == 1
