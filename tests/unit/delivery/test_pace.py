"""How fast a webhook is sent to: adaptive concurrency, a rate, a breaker."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.delivery.breaker import FIRST_PROBE_SECONDS, JITTER, LAST_PROBE_SECONDS, TRIPS_AFTER, Breaker
from elasticlake.delivery.pace import FIRST_LIMIT, Pace, Permit
from elasticlake.model.rules import MAX_CONCURRENCY, Rules


def pace(rules: Rules = Rules()) -> Pace:  # noqa: B008
    return Pace(rules, random.Random(1))


def tripped() -> Pace:
    opened = pace()
    for _ in range(TRIPS_AFTER):
        opened.begin(0, 0.0).failed(0.0, None)
    return opened


def test_an_endpoint_that_keeps_up_gets_more_at_once_to_the_most() -> None:
    growing = pace()
    assert growing.limit == FIRST_LIMIT
    for _ in range(100):
        in_flight = growing.limit - 1
        assert growing.wait_seconds(in_flight, 0.0) == 0
        growing.begin(in_flight, 0.0).succeeded()
    assert growing.limit == MAX_CONCURRENCY


def test_one_that_needs_no_more_gets_no_more() -> None:
    idle = pace()
    for _ in range(100):
        idle.begin(0, 0.0).succeeded()
    assert idle.limit == FIRST_LIMIT


def test_a_failure_halves_and_success_brings_it_back_slowly() -> None:
    shaken = pace()
    shaken.begin(0, 0.0).failed(0.0, None)
    assert shaken.limit == FIRST_LIMIT / 2
    shaken.begin(shaken.limit - 1, 0.0).succeeded()
    assert shaken.limit == FIRST_LIMIT / 2
    for _ in range(int(FIRST_LIMIT)):
        shaken.begin(shaken.limit - 1, 0.0).succeeded()
    assert FIRST_LIMIT / 2 < shaken.limit < FIRST_LIMIT


def test_the_owner_sets_the_most_at_once() -> None:
    careful = pace(Rules(max_concurrency=2))
    for _ in range(10):
        careful.begin(1, 0.0).succeeded()
    assert careful.limit == 2
    assert careful.wait_seconds(2, 0.0) is None


def test_a_rate_spaces_attempts() -> None:
    limited, now, started = pace(Rules(rate_limit=10)), 100.0, 0
    while now < 110.0:
        seconds = limited.wait_seconds(0, now)
        assert seconds is not None
        if seconds == 0:
            limited.begin(0, now).succeeded()
            started += 1
        now += max(seconds, 0.001)
    # Ten seconds of ten, and what may be made up for at the start.
    assert 99 <= started <= 103


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    opened = tripped()
    assert opened.state == "open"
    waits = opened.wait_seconds(0, 0.0)
    assert waits == pytest.approx(FIRST_PROBE_SECONDS, rel=JITTER)
    assert opened.wait_seconds(0, FIRST_PROBE_SECONDS * 2) == 0
    probe = opened.begin(0, FIRST_PROBE_SECONDS * 2)
    assert opened.state == "half_open"
    assert opened.wait_seconds(0, FIRST_PROBE_SECONDS * 2) is None
    probe.succeeded()
    assert opened.state == "closed"
    assert opened.wait_seconds(0, FIRST_PROBE_SECONDS * 2) == 0


def test_probes_that_fail_come_less_and_less_often() -> None:
    opened, now, waits = tripped(), 0.0, []
    for _ in range(10):
        seconds = opened.wait_seconds(0, now)
        assert seconds is not None
        waits.append(seconds)
        now += seconds
        opened.begin(0, now).failed(now, None)
    assert waits[1] > waits[0]
    assert max(waits) <= LAST_PROBE_SECONDS * (1 + JITTER)
    assert waits[-1] >= LAST_PROBE_SECONDS * (1 - JITTER)


def test_a_success_in_between_keeps_it_closed() -> None:
    breaker = Breaker(random.Random(1))
    for _ in range(10 * TRIPS_AFTER):
        breaker.failed(0.0, is_probe=False, was_answered=False)
        breaker.succeeded()
    assert breaker.state == "closed"


@pytest.mark.parametrize(("status", "failures"), [(None, 5), (503, 20), (500, 20), (401, 20)])
def test_an_answer_weighs_less_than_none(status: int | None, failures: int) -> None:
    tried = pace()
    for _ in range(failures - 1):
        tried.begin(0, 0.0).failed(0.0, status)
    assert tried.state == "closed"
    tried.begin(0, 0.0).failed(0.0, status)
    assert tried.state == "open"


def test_what_the_endpoint_says_of_an_event_is_no_fault_of_its() -> None:
    tried = pace()
    for _ in range(100):
        tried.begin(0, 0.0).failed(0.0, 422)
    assert (tried.state, tried.limit) == ("closed", FIRST_LIMIT)
    opened = tripped()
    opened.begin(0, 60.0).failed(60.0, 422)
    assert opened.state == "closed"


def test_stragglers_that_fail_put_the_probe_off_no_further() -> None:
    opened = tripped()
    before = opened.wait_seconds(0, 0.0)
    Permit(opened, False, False).failed(0.5, None)
    assert opened.wait_seconds(0, 0.0) == before


def test_a_probe_that_was_never_made_is_made_later() -> None:
    opened = tripped()
    probe = opened.begin(0, 60.0)
    probe.over()
    assert opened.wait_seconds(0, 60.0) == 0


@given(st.lists(st.sampled_from(["success", "failure", "aborted"]), max_size=200), st.integers(1, 32))
def test_whatever_happens_something_may_start_sooner_or_later(outcomes: list[str], most: int) -> None:
    tried, now = pace(Rules(max_concurrency=most)), 0.0
    for outcome in outcomes:
        seconds = tried.wait_seconds(0, now)
        assert seconds is not None
        assert seconds <= LAST_PROBE_SECONDS * (1 + JITTER)
        now += seconds
        permit = tried.begin(0, now)
        if outcome == "success":
            permit.succeeded()
        elif outcome == "failure":
            permit.failed(now, None)
        permit.over()
        assert 1 <= tried.limit <= most
