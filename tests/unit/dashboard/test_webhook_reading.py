"""What is typed becomes a definition; what a webhook is becomes what its form shows, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.amounts import wait_text
from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.webhook_fields import blank, shown
from elasticlake.dashboard.webhook_reading import change_of, read
from elasticlake.model.filters import Filter
from elasticlake.model.rules import Batch, Rules
from elasticlake.model.webhooks import Sealed, Webhook, WebhookScope
from elasticlake.service.webhook_definitions import NewWebhook, Place, apply

PLAIN = Webhook("wh_1", "root", WebhookScope("bucket", 1, "b"), "https://example.com/", ("object:created",))
FULL = replace(
    PLAIN,
    name="Name",
    retry_schedule_seconds=(0.5, 90, 7200),
    timeout_seconds=2.5,
    ordering="bucket",
    on_dead="pause",
    rules=Rules(
        Filter(("a\nb", " c "), (".x",), ("image/*",), 0, 2**62 + 1, {"a=b": "c=d"}, {"t": ""}),
        "object.size > 1\n&& true",
        "cloudevents",
        True,
        300,
        False,
        0.25,
        8,
        Batch(10, 500),
    ),
    sealed=Sealed(headers=(("X-A", "***"),), client_certificate="cert", client_key="***", certificate_authority="ca"),
)


def sent(values: dict[str, Any], events: Any = ("object:created",)) -> Form:
    return Form([*values.items(), *(("events", event) for event in events)])


def typed(**values: str) -> NewWebhook:
    found = read(sent(values))
    assert found.faults == {}
    return found.new


@pytest.mark.parametrize("webhook", [PLAIN, FULL], ids=["plain", "full"])
def test_a_form_that_nobody_changed_changes_nothing(webhook: Webhook) -> None:
    fields = {name: value.replace("\n", "\r\n") for name, value in shown(webhook).values.items() if value}
    found = read(sent(fields, webhook.events), webhook)
    assert found.faults == {}
    change = change_of(found.new, webhook)
    assert change.endpoint is None
    assert "client_key" not in change.sealed or webhook is PLAIN
    bare = replace(change, sealed={})
    assert replace(apply(webhook, bare), revision=webhook.revision) == webhook
    assert change.sealed["headers"] == dict(webhook.sealed.headers)


def test_a_blank_form_is_a_webhook_of_defaults() -> None:
    form = blank("pond", "a--b")
    new = read(sent({**form.values, "endpoint": "https://x.example/"}, form.events)).new
    assert new.place == Place(pond="a--b")
    assert Rules(**new.rules) == Rules()
    assert (new.secret, new.on_dead, new.ordering, new.timeout_seconds) == (None, None, "key", 30)


def test_a_secret_counts_where_it_was_chosen() -> None:
    assert typed(secret=" own ", secretFrom="own").secret == " own "
    assert typed(secret="", secretFrom="own").secret == ""
    assert typed(secret="own", secretFrom="generate").secret is None


def test_a_certificate_that_is_emptied_takes_its_key_along() -> None:
    fields = {**shown(FULL).values, "clientCertificate": ""}
    assert read(sent(fields), FULL).new.sealed["client_key"] is None


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("0", 0), ("10", 10), ("10 B", 10), ("1KiB", 1024), ("1.5 MiB", 1_572_864), ("9223372036854775807", 2**63 - 1)],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert typed(**{"filter.minSize": text}).rules["filter"].min_size == size_bytes


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("filter.minSize", "-1"), ("filter.minSize", "1 kib"), ("filter.minSize", "1.5"), ("filter.maxSize", "ten"),
        ("timeoutSeconds", "soon"), ("maxConcurrency", "1.5"), ("maxConcurrency", "inf"), ("batch.maxEvents", "nan"),
        ("rateLimit", "1,5"), ("retrySchedule", "5s, never"), ("retrySchedule", "5y"), ("includeUrl", "1.5s"),
        ("includeUrl", "5 minutes"), ("filter.metadata", "a"), ("filter.tags", "a=1\na=2"), ("headers", "Auth"),
        ("ordering", "reverse"), ("format", "xml"), ("onDead", "explode"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_said_by_its_field(field: str, text: str) -> None:
    assert read(sent({field: text})).faults.keys() == {field}


def test_waits_are_read_in_any_unit() -> None:
    assert typed(retrySchedule="5, 1m 2h,1d  0.5s").retry_schedule_seconds == (5, 60, 7200, 86_400, 0.5)
    assert typed(retrySchedule=" ").retry_schedule_seconds == ()
    assert typed(includeUrl="1h").rules["include_url_seconds"] == 3600


@given(st.one_of(st.integers(1, 604_800), st.floats(1e-6, 604_800)))
def test_a_wait_that_is_shown_is_read_as_it_was(seconds: float) -> None:
    found = typed(retrySchedule=wait_text(seconds)).retry_schedule_seconds
    assert found == (seconds,)


@given(st.dictionaries(st.sampled_from(sorted(shown(FULL).values)), st.text(max_size=50)), st.lists(st.text()))
def test_whatever_is_typed_is_read(values: dict[str, str], events: list[str]) -> None:
    found = read(sent(values, events))
    assert found.faults.keys() <= {*shown(FULL).values, "events"}
    assert ("events" in found.faults) is (found.new.events == ())
    assert found.new.events == tuple(events)
