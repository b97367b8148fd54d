"""What a page shows of an attempt: its headers as sent, its body within bounds, where the time went."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import attempt

from elasticlake.dashboard.deliveries import SHOWN_BYTES, attempt_view, steps_of
from elasticlake.model.timings import Timings
from elasticlake.model.webhooks import Sealed, Webhook, WebhookScope

SENT = attempt("wh_x", 1, 1)


def webhook(**how: object) -> Webhook:
    scope = WebhookScope("bucket", 1, "b")
    return Webhook("wh_x", "root", scope, "https://a.test:8443/in?x=1", ("object:created",), **how)


def test_the_request_is_shown_with_what_every_attempt_carries() -> None:
    sent = replace(SENT, request_headers=(("X-ElasticLake-Event", "object:created"),), request_body=b"{}")
    view = attempt_view(webhook(), 1, sent, "9.9.9")
    assert view.request_headers[0] == ("Host", "a.test:8443")
    assert ("User-Agent", "ElasticLake/9.9.9 (webhooks)") in view.request_headers
    assert view.request_headers[-2:] == (("X-ElasticLake-Event", "object:created"), ("Content-Length", "2"))


def test_of_a_huge_body_the_beginning_is_shown_and_snippets_read_the_rest_from_a_file() -> None:
    view = attempt_view(webhook(), 1, replace(SENT, request_body=b"x" * 1_000_000), "1")
    assert (len(view.request_body), view.is_cut, view.needs_file) == (SHOWN_BYTES, True, True)
    assert len(view.curl) + sum(len(snippet.text) for snippet in view.verifiers) < 10_000


def test_what_is_masked_is_said() -> None:
    sent = replace(SENT, request_body=b'{"a":"***"}')
    assert not attempt_view(webhook(), 1, sent, "1").is_masked
    assert attempt_view(webhook(sealed=Sealed(headers=(("A", "b"),))), 1, sent, "1").is_masked


def test_the_steps_are_those_that_were_taken_and_the_rest() -> None:
    steps = steps_of(Timings(1.0, 2.0, None, 3.0), 10.0)
    assert [(step.name, step.milliseconds) for step in steps] == [
        ("DNS", 1.0), ("Connect", 2.0), ("First byte", 3.0), ("Rest", 4.0)
    ]  # fmt: skip


@pytest.mark.parametrize("timings", [None, Timings(None, None, None, None)])
def test_without_timings_all_of_it_is_the_rest_or_nothing(timings: Timings | None) -> None:
    assert [step.name for step in steps_of(timings, 5.0)] == ([] if timings is None else ["Rest"])
