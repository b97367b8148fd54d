"""A webhook's rules: events, deadline, order."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS
from elasticlake.model.webhooks import (
    Webhook,
    WebhookScope,
    default_on_dead,
    lane_key,
    require_events,
    require_timeout,
)

WEBHOOK = Webhook(
    "wh_1", "root", WebhookScope("bucket", 7, "b"), "https://myapp.com/", ("object:created",), secret="hid"
)
KEYS = st.binary(min_size=1, max_size=20)
SEQUENCES = st.integers(1, 2**62)


def test_defaults() -> None:
    assert (WEBHOOK.ordering, WEBHOOK.on_dead, WEBHOOK.status, WEBHOOK.timeout_seconds) == (
        "key", "continue", "enabled", 30
    )  # fmt: skip
    assert WEBHOOK.retry_schedule_seconds == DEFAULT_RETRY_SCHEDULE_SECONDS
    assert (WEBHOOK.revision, WEBHOOK.disabled_reason) == (1, None)


def test_it_does_not_change_and_does_not_tell_its_secret() -> None:
    with pytest.raises(FrozenInstanceError):
        WEBHOOK.name = "x"  # type: ignore[misc]
    assert "hid" not in repr(WEBHOOK)


def test_it_matches_what_it_subscribed_to() -> None:
    both = replace(WEBHOOK, events=("object:created", "object:deleted"))
    assert [both.matches(event) for event in EVENT_TYPES] == [True, False, True, False]


def test_events_are_put_in_order_once_each() -> None:
    asked = ["object:deleted", "object:created", "object:deleted"]
    assert require_events(asked) == ("object:created", "object:deleted")
    assert require_events(list(reversed(EVENT_TYPES))) == EVENT_TYPES


@pytest.mark.parametrize("asked", [[], ["object:moved"], ["object:created", ""], ["OBJECT:CREATED"], ["*"]])
def test_unknown_or_no_events(asked: list[str]) -> None:
    with pytest.raises(InvalidWebhook) as refused:
        require_events(asked)
    assert refused.value.field == "events"


@pytest.mark.parametrize("seconds", [1, 1.5, 30])
def test_deadlines(seconds: float) -> None:
    assert require_timeout(seconds) == seconds


@pytest.mark.parametrize("seconds", [0, 0.99, 30.01, -1, float("inf"), float("nan")])
def test_what_is_no_deadline(seconds: float) -> None:
    with pytest.raises(InvalidWebhook):
        require_timeout(seconds)


def test_strict_order_pauses_by_default() -> None:
    assert [default_on_dead(ordering) for ordering in ("key", "bucket", "none")] == ["continue", "pause", "continue"]


@given(KEYS, KEYS, SEQUENCES, SEQUENCES)
def test_which_events_wait_for_each_other(one: bytes, other: bytes, first: int, second: int) -> None:
    assert lane_key("bucket", one, first) == lane_key("bucket", other, second)
    assert (lane_key("key", one, first) == lane_key("key", other, second)) == (one == other)
    same = (one, first) == (other, second)
    assert (lane_key("none", one, first) == lane_key("none", other, second)) == same or first == second
