"""What every guard promises: a claimed event is nobody else's, a completed one is not begun again, and none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.unit.webhooks.guards.redis_server import RedisServer

from elasticlake.webhooks import BeingHandled, Claim, Guard, MemoryGuard, RedisGuard, SqliteGuard

EVENTS = ["evt_1", "evt_2", "evt_3"]
CLAIM_SECONDS = 1.0


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@dataclass
class Place:
    """Where guards remember: makes them, and lets time pass there."""

    make: Callable[[float], Guard]
    let_pass: Callable[[float], None]


@pytest.fixture(params=["memory", "sqlite", "redis", "redis-text"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        clock = Clock()
        yield Place(lambda seconds: MemoryGuard(claim_seconds=seconds, monotonic=clock), clock.let_pass)
    elif request.param == "sqlite":
        clock = Clock()
        with ExitStack() as opened:
            yield Place(
                lambda seconds: opened.enter_context(
                    closing(SqliteGuard(tmp_path / "guard.db", claim_seconds=seconds, now=clock))
                ),
                clock.let_pass,
            )
    else:
        server = request.getfixturevalue("redis_server")
        with redis.Redis(port=server.port, decode_responses=request.param == "redis-text") as client:
            yield Place(lambda seconds: RedisGuard(client, f"{tmp_path}:", claim_seconds=seconds), time.sleep)


@pytest.fixture
def guard(place: Place) -> Guard:
    return place.make(60.0)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def let_pass(self, seconds: float) -> None:
        self.seconds += seconds


def claimed(guard: Guard, event_id: str = "evt_1") -> Claim:
    claim = guard.begin(event_id)
    assert claim is not None
    assert claim.id == event_id
    return claim


def test_a_completed_event_is_not_begun_again(guard: Guard) -> None:
    guard.complete(claimed(guard))
    assert guard.begin("evt_1") is None
    claimed(guard, "evt_2")


def test_a_claimed_event_is_nobody_elses(guard: Guard) -> None:
    claimed(guard)
    with pytest.raises(BeingHandled):
        guard.begin("evt_1")


def test_a_released_event_may_be_begun_at_once(guard: Guard) -> None:
    guard.release(claimed(guard))
    guard.complete(claimed(guard))
    assert guard.begin("evt_1") is None


def test_a_claim_that_nobody_completes_ends(place: Place) -> None:
    """Its process has crashed: the event is not lost."""
    guard = place.make(CLAIM_SECONDS)
    lost = claimed(guard)
    place.let_pass(CLAIM_SECONDS + 0.1)
    taken = claimed(guard)
    assert taken.token != lost.token
    # The first one lives after all, and lets go of what is not its own any more.
    guard.release(lost)
    with pytest.raises(BeingHandled):
        guard.begin("evt_1")
    guard.release(taken)
    claimed(guard)


def test_what_was_handled_counts_though_its_claim_ended(place: Place) -> None:
    guard = place.make(CLAIM_SECONDS)
    slow = claimed(guard)
    place.let_pass(CLAIM_SECONDS + 0.1)
    again = claimed(guard)
    guard.complete(slow)
    assert guard.begin("evt_1") is None
    guard.release(again)
    assert guard.begin("evt_1") is None


def test_of_many_at_once_one_begins(place: Place) -> None:
    guard = place.make(60.0)
    start = threading.Barrier(8)

    def contend(_: int) -> list[str]:
        start.wait()
        won = []
        for number in range(40):
            try:
                claim = guard.begin(f"evt_{number}")
            except BeingHandled:
                continue
            if claim is not None:
                won.append(claim.id)
                guard.complete(claim)
        return won

    with ThreadPoolExecutor(8) as pool:
        won = [event_id for one in pool.map(contend, range(8)) for event_id in one]
    assert sorted(won) == sorted({f"evt_{number}" for number in range(40)})


def test_any_order_of_calls(place: Place) -> None:
    """Against a model that is three lines long."""
    guard = place.make(60.0)

    class Calls(RuleBasedStateMachine):
        count = 0

        def __init__(self) -> None:
            super().__init__()
            Calls.count += 1
            self.prefix = f"{Calls.count}-"
            self.guard = guard
            self.claims: dict[str, Claim] = {}
            self.old: list[Claim] = []
            self.completed: set[str] = set()

        @rule(name=st.sampled_from(EVENTS))
        def begin(self, name: str) -> None:
            event_id = self.prefix + name
            if event_id in self.completed:
                assert self.guard.begin(event_id) is None
            elif event_id in self.claims:
                with pytest.raises(BeingHandled):
                    self.guard.begin(event_id)
            else:
                self.claims[event_id] = claimed(self.guard, event_id)

        @precondition(lambda self: self.claims)
        @rule(is_handled=st.booleans(), data=st.data())
        def end(self, is_handled: bool, data: st.DataObject) -> None:
            claim = self.claims.pop(data.draw(st.sampled_from(sorted(self.claims))))
            self.old.append(claim)
            if is_handled:
                self.guard.complete(claim)
                self.completed.add(claim.id)
            else:
                self.guard.release(claim)

        @precondition(lambda self: self.old)
        @rule(data=st.data())
        def release_once_more(self, data: st.DataObject) -> None:
            self.guard.release(data.draw(st.sampled_from(self.old)))

        @invariant()
        def tokens_differ(self) -> None:
            tokens = [claim.token for claim in [*self.claims.values(), *self.old]]
            assert len(tokens) == len(set(tokens))

    run_state_machine_as_test(Calls, settings=settings(max_examples=20, stateful_step_count=25))
