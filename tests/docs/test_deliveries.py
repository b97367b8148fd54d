"""What the pages say of webhooks, events and deliveries is what is sent."""

from __future__ import annotations

import json
import time
from typing import Any, get_args

import pytest
from tests.docs.documents import Document, blocks, codes, rows

from elasticlake import signing
from elasticlake.delivery.answer import BODY_CAP_BYTES
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.delivery.failure import ERROR_CLASSES
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES, Event, Previous, payload
from elasticlake.model.ids import DeliveryId, new_access_key_id, new_event_id
from elasticlake.model.jobs import JOB_GENERATIONS
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS, JITTER, MAX_RETRY_AFTER_SECONDS
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS, Ordering, Webhook, WebhookScope, default_on_dead

EVENTS, WEBHOOKS, DELIVERIES = (Document(f"docs/{name}.md").text for name in ("events", "webhooks", "deliveries"))
SECRET = "my-webhook-secret"
UNIT_SECONDS = {"s": 1, "min": 60, "h": 3600}


def event(previous: Previous | None = None) -> Event:
    return Event(
        id="evt_019a357fb4287736c896b33f5fb6d6",
        bucket_id=1,
        bucket="lake1--pond1--my-bucket",
        sequence=42,
        type="object:created",
        time_ms=1_761_834_153_000,
        key=b"uploads/document.pdf",
        size_bytes=1048576,
        etag="d41d8cd98f00b204e9800998ecf8427e",
        content_type="application/pdf",
        lake="production",
        pond="documents",
        reason="PutObject",
        previous=previous,
        principal="ELQ3ZXWJ2K7RT5VYBN4A",
        request_id="0A4537C4DB329D69",
    )


def sent_headers(generation: int, replay: str | None = None) -> set[str]:
    webhook = Webhook(
        id="wh_mfrggzdfmztwq2lk",
        account_id="root",
        scope=WebhookScope("bucket", 1, "lake1--pond1--my-bucket"),
        endpoint="https://example.com/",
        events=EVENT_TYPES,
        secret=SECRET,
    )
    delivery = Delivery(webhook, event(), DeliveryId(webhook.id, 1, 42, generation), replay=replay)
    return {name for name, _ in compose(delivery, 1, 0).headers} - {"Content-Type"}


def test_the_event_types_are_the_ones_named() -> None:
    assert [codes(name)[0] for name, _ in rows(EVENTS, "event", "when")] == [*EVENT_TYPES, *OPERATIONAL_TYPES]


def test_the_payload_shown_is_what_such_an_event_becomes() -> None:
    shown = next(block.text for block in blocks(EVENTS) if block.language == "json")
    assert json.loads(shown) == payload(event())
    assert list(json.loads(shown)) == list(payload(event()))


def test_the_ids_shown_look_like_real_ones() -> None:
    shown = json.loads(next(block.text for block in blocks(EVENTS) if block.language == "json"))
    for example, real in [(shown["id"], new_event_id(event().time_ms)), (shown["principal"], new_access_key_id())]:
        assert len(example) == len(real)
        assert example[:2] == real[:2]
        assert example.isupper() == real.isupper()


def test_the_fields_described_are_those_of_the_payload() -> None:
    named = [name for cell, _ in rows(EVENTS, "field", "meaning") for name in codes(cell)]
    assert named == list(payload(event()))


def test_the_payload_on_the_first_page_is_a_payload() -> None:
    """Ours come after the founding page's fields; the first page leaves some out."""
    shown = next(block.text for block in blocks(Document("docs/index.md").text) if block.language == "json")
    sent = payload(event())
    assert list(json.loads(shown)) == [name for name in sent if name in json.loads(shown)]
    assert list(json.loads(shown)["object"]) == list(sent["object"])


def test_an_update_tells_what_it_replaced_as_described() -> None:
    assert list(payload(event(Previous(1, "e")))["previous"]) == ["size", "etag"]
    assert "`previous` with `size` and `etag`" in EVENTS


def test_the_headers_are_the_ones_named() -> None:
    named = {codes(name)[0] for name, _ in rows(DELIVERIES, "header", "value")}
    assert sent_headers(generation=1) == named - {"X-ElasticLake-Replay"}
    assert sent_headers(generation=0) == named - {"X-ElasticLake-Redelivery", "X-ElasticLake-Replay"}
    assert sent_headers(generation=JOB_GENERATIONS, replay="job_1") == named - {"X-ElasticLake-Redelivery"}


def test_the_error_classes_are_the_ones_named() -> None:
    listed = DELIVERIES[DELIVERIES.index("A failed one has a class:") :].split("\n\n")[0]
    assert tuple(codes(listed)) == ERROR_CLASSES


def test_the_defaults_are_the_ones_named() -> None:
    table = {
        codes(name)[0]: (default, meaning) for name, default, meaning in rows(WEBHOOKS, "field", "default", "meaning")
    }
    default, meaning = table["ordering"]
    assert codes(default) == [Webhook.__dataclass_fields__["ordering"].default]
    assert codes(meaning) == list(get_args(Ordering))
    default, meaning = table["retrySchedule"]
    steps = [step.split() for step in default.split(", ")]
    assert tuple(int(count) * UNIT_SECONDS[unit] for count, unit in steps) == DEFAULT_RETRY_SCHEDULE_SECONDS
    assert f"±{JITTER * 100:g} %" in meaning
    assert table["timeoutSeconds"][0] == f"{DEFAULT_TIMEOUT_SECONDS:g}"
    assert codes(table["onDead"][0]) == [default_on_dead("key"), default_on_dead("bucket"), "bucket"]


def test_the_limits_are_the_ones_named() -> None:
    assert f"to {MAX_RETRY_AFTER_SECONDS // 3600} h at most" in DELIVERIES
    assert f"the first {BODY_CAP_BYTES // 1024} KiB" in DELIVERIES


@pytest.mark.parametrize("secret", [SECRET, signing.generate_secret()], ids=["own", "generated"])
def test_the_verification_shown_accepts_ours_and_nothing_else(secret: str) -> None:
    names: dict[str, Any] = {}
    page = Document("docs/verifying.md")
    exec(next(block.text for block in blocks(page.text) if block.title == "verify.py"), names)
    verified_event = names["verified_event"]
    body, now = b'{"event":"object:created"}', int(time.time())
    headers = dict(signing.standard_headers([secret], "evt_1", now, body))
    late = dict(signing.standard_headers([secret], "evt_1", now - 310, body))
    assert verified_event(body, headers, secret) == {"event": "object:created"}
    for wrong in [(body + b" ", headers, secret), (body, headers, signing.generate_secret()), (body, late, secret)]:
        with pytest.raises(Exception, match=r"[Ss]ignature|too old"):
            verified_event(*wrong)
