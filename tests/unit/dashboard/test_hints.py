"""Every way for an attempt to fail has its hint, every clause its words, every event its meaning."""

from __future__ import annotations

import pytest

from elasticlake.dashboard import hints
from elasticlake.dashboard.hints import hint_for
from elasticlake.delivery.failure import ERROR_CLASSES
from elasticlake.model.webhooks import SUBSCRIBABLE


def test_each_error_class_has_a_hint_of_its_own() -> None:
    found = [hint_for(error_class, None) for error_class in ERROR_CLASSES if error_class != "status"]
    assert None not in found
    assert hints.OTHER_STATUS not in found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, hints.STATUSES[401]), (403, hints.STATUSES[401]), (404, hints.STATUSES[404]), (410, hints.STATUSES[410]),
        (418, hints.OTHER_STATUS), (500, hints.SERVER_ERROR), (599, hints.SERVER_ERROR), (600, hints.SERVER_ERROR),
    ],
)  # fmt: skip
def test_a_status_has_its_own_or_its_family_s(status: int, hint: hints.Hint) -> None:
    assert hint_for("status", status) == hint


def test_what_arrived_has_none() -> None:
    assert hint_for(None, 200) is None


def test_what_is_blocked_is_told_how_it_is_allowed() -> None:
    advice = hints.CLASSES["refused_address"].advice
    assert all(word in advice for word in ("--egress-allow", "--egress-http", "loopback"))


def test_every_event_has_its_meaning() -> None:
    assert tuple(hints.EVENTS) == SUBSCRIBABLE
