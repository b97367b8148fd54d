"""What the page on deliveries shows is what is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.docs.documents import Document, blocks, codes, rows
from tests.docs.test_deliveries import event

from elasticlake.errors import InvalidWebhook
from elasticlake.model.custom_headers import MAX_HEADERS, MAX_VALUE_BYTES, require_headers
from elasticlake.model.envelopes import CONTENT_TYPES, envelope
from elasticlake.model.events import payload
from elasticlake.model.rotation import DEFAULT_OVERLAP_SECONDS, MAX_OVERLAP_SECONDS
from elasticlake.model.rules import FORMATS, MAX_URL_SECONDS, MIN_URL_SECONDS, Format, Rules
from elasticlake.model.s3_records import event_name
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.service.object_links import LINKED_TYPES

PAGE = Document("docs/deliveries.md")


def sent(wanted: Format) -> dict[str, Any]:
    webhook = Webhook(
        id="wh_mfrggzdfmztwq2lk",
        account_id="root",
        scope=WebhookScope("bucket", 1, "lake1--pond1--my-bucket"),
        endpoint="https://example.com/",
        events=("object:created",),
        rules=Rules(format=wanted),
    )
    return dict(envelope(webhook, event(), payload(event())))


@pytest.mark.parametrize(("heading", "wanted"), [("CloudEvents", "cloudevents"), ("S3 records", "s3")])
def test_the_envelope_shown_is_what_such_an_event_becomes(heading: str, wanted: Format) -> None:
    (shown,) = (block.text for block in blocks(PAGE.section(heading)) if block.language == "json")
    # Dumped again, so that the order of the members counts.
    assert json.dumps(json.loads(shown)) == json.dumps(sent(wanted))


def test_the_formats_are_the_ones_named() -> None:
    table = rows(PAGE.section("Envelopes"), "`format`", "`Content-Type`", "body")
    assert {codes(name)[0]: codes(media_type)[0] for name, media_type, _ in table} == CONTENT_TYPES
    assert [codes(name)[0] for name, *_ in table] == list(FORMATS)


def test_s3s_names_are_the_ones_named() -> None:
    for types, reasons, name in rows(PAGE.section("S3 records"), "our event", "by", "`eventName`"):
        for event_type in codes(types):
            for reason in codes(reasons):
                one = event()
                one.type, one.reason = event_type, reason  # type: ignore[assignment, misc]
                assert event_name(one) == codes(name)[0]


def test_the_limits_are_the_ones_named() -> None:
    links, rotation, headers = (
        PAGE.section(heading) for heading in ("Metadata and links", "A new secret", "Headers of your own")
    )
    assert f"({MIN_URL_SECONDS} to {MAX_URL_SECONDS})" in links
    assert set(codes(links)) >= LINKED_TYPES
    assert f"(`--overlap`, 0 to {MAX_OVERLAP_SECONDS} seconds)" in rotation
    assert "After a day" in rotation
    assert DEFAULT_OVERLAP_SECONDS == 24 * 3600
    assert f"up to {MAX_HEADERS}," in headers
    assert f"to {MAX_VALUE_BYTES // 1024} KiB" in headers


def test_the_headers_named_as_refused_are() -> None:
    text = PAGE.section("Headers of your own")
    refused = [name for name in codes(text[text.index("(such as") :]) if not name.startswith("*")]
    assert len(refused) == 7
    for name in refused:
        with pytest.raises(InvalidWebhook, match="set by the delivery itself"):
            require_headers({name: "v"})
