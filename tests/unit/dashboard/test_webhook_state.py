"""A webhook's state in a word."""

from __future__ import annotations

import pytest

from elasticlake.dashboard.webhook_state import State, state_of
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.service.webhook_standing import Standing


def webhook(status: str = "enabled", reason: str | None = None) -> Webhook:
    scope = WebhookScope("bucket", 1, "b")
    return Webhook("wh_x", "root", scope, "https://a.test/", ("object:created",), status=status,
                   disabled_reason=reason, updated_at_ms=7)  # fmt: skip


def standing(failing_since_ms: int | None = None) -> Standing:
    return Standing({}, 0, 0, None, failing_since_ms, None, None, None)


def test_an_enabled_one_is_active_until_it_fails() -> None:
    assert state_of(webhook(), standing()) == State("good", "active")
    failing = state_of(webhook(), standing(5))
    assert (failing.word, failing.since_ms) == ("failing", 5)


def test_by_hand_is_paused_and_by_the_server_is_disabled() -> None:
    assert state_of(webhook("disabled", "manual"), standing()).word == "paused"
    stopped = state_of(webhook("disabled", "gone"), standing(5))
    assert (stopped.word, stopped.since_ms) == ("disabled", 7)
    assert "410" in stopped.why


@pytest.mark.parametrize("reason", ["gone", "receiverAskedToStop", "deadDelivery", "failing", "bucketDeleted"])
def test_every_reason_has_a_sentence(reason: str) -> None:
    assert state_of(webhook("disabled", reason), standing()).why.endswith(".")
