"""What an attempt means: a pure table."""

from dataclasses import replace
from email.utils import formatdate

import pytest

from elasticlake.delivery.attempt import Request, Result
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.failure import judge_status
from elasticlake.delivery.outcome import Verdict, attempt_record, judge
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.rules import Rules
from elasticlake.model.webhooks import Sealed, Webhook, WebhookScope

NOW = 1_767_323_045_678
WEBHOOK = Webhook(
    id="wh_mfrggzdfmztwq2lk",
    account_id="root",
    scope=WebhookScope("bucket", 7, "bucket"),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
    retry_schedule_seconds=(10, 100),
)
DELIVERED = Verdict("delivered")
PAUSING = replace(WEBHOOK, on_dead="pause")
EVENT = Event(
    "evt_1", 7, "bucket", 5, "object:created", NOW, b"k", 1, "etag", "text/plain", "lake", "pond", "PutObject"
)


def result(status: int | None, *, retry_after: str | None = None) -> Result:
    """An answer of that status, or (None) a connection that nobody took."""
    failure = judge_status(status) if status is not None else None
    error_class = "connect" if status is None else failure.error_class if failure is not None else None
    headers = (("retry-AFTER", retry_after),) if retry_after is not None else ()
    error = failure.text if failure is not None else None
    return Result(status, error_class, error, headers, b"answer", NOW - 250, 0.25)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert judge(WEBHOOK, 1, result(status), NOW, 0.5) == Verdict("delivered")


@pytest.mark.parametrize("status", [None, 300, 302, 304, 400, 401, 404, 408, 429, 500, 502, 503, 504])
def test_everything_else_is_tried_again_by_the_schedule(status: int | None) -> None:
    assert judge(WEBHOOK, 1, result(status), NOW, 0.5) == Verdict("retrying", NOW + 10_000)
    assert judge(WEBHOOK, 2, result(status), NOW, 0.5) == Verdict("retrying", NOW + 100_000)
    assert judge(WEBHOOK, 3, result(status), NOW, 0.5) == Verdict("dead")
    assert judge(PAUSING, 3, result(status), NOW, 0.5) == Verdict("dead", None, "deadDelivery")
    assert judge(PAUSING, 2, result(status), NOW, 0.5).disable is None


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8), (0.5, 10), (0.999999, 11.99999)])
def test_the_schedule_is_spread(chance: float, seconds: float) -> None:
    due = judge(WEBHOOK, 1, result(500), NOW, chance).next_attempt_at_ms
    assert due == pytest.approx(NOW + seconds * 1000, abs=2)


def test_410_waits_for_the_webhook_to_come_back() -> None:
    assert judge(WEBHOOK, 1, result(410), NOW, 0.5) == Verdict("retrying", NOW, "gone")
    # Whatever the schedule says: the endpoint asked to be left alone, the event is not given up.
    assert judge(PAUSING, 3, result(410), NOW, 0.5) == Verdict("retrying", NOW, "gone")


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "60", 60),
        (503, "60", 60),
        (503, formatdate((NOW + 90_322) / 1000, usegmt=True), 90.322),
        (503, "1", 10),  # never earlier than the schedule
        (503, "999999999", 36_000),  # at most ten hours
        (503, "soon", 10),
        (500, "60", 10),
        (404, "60", 10),
        (302, "60", 10),
    ],
)
def test_retry_after(status: int, header: str, seconds: float) -> None:
    verdict = judge(WEBHOOK, 1, result(status, retry_after=header), NOW, 0.5)
    assert verdict.next_attempt_at_ms is not None
    assert verdict.next_attempt_at_ms - NOW == pytest.approx(seconds * 1000, abs=2)


def test_retry_after_makes_no_attempts() -> None:
    assert judge(WEBHOOK, 3, result(503, retry_after="60"), NOW, 0.5) == Verdict("dead")


@pytest.mark.parametrize("status", [None, 302, 410, 500, 503])
def test_a_test_has_one_attempt(status: int | None) -> None:
    assert judge(PAUSING, 1, result(status), NOW, 0.5, once=True) == Verdict("dead")
    assert judge(PAUSING, 1, result(204), NOW, 0.5, once=True) == Verdict("delivered")


@pytest.mark.parametrize(("status", "counted"), [("delivered", "delivered"), ("dead", "dead")])
def test_what_an_end_counts_as(status: str, counted: str) -> None:
    assert Verdict(status).counted == counted  # type: ignore[arg-type]


def test_the_record_of_an_attempt() -> None:
    delivery = Delivery(WEBHOOK, EVENT, DeliveryId(WEBHOOK.id, 7, 5, 2))
    request = Request(WEBHOOK.endpoint, (("A", "b"),), b"{}", 30)
    answer = result(503, retry_after="60")
    record = attempt_record(delivery, 3, request, answer, Verdict("retrying", NOW + 60_000))
    assert (record.webhook_id, record.bucket_id, record.sequence, record.generation) == (WEBHOOK.id, 7, 5, 2)
    assert (record.attempt, record.event_id, record.event, record.key) == (3, "evt_1", "object:created", b"k")
    assert (record.started_at_ms, record.duration_ms) == (NOW - 250, 250)
    assert (record.status_code, record.error_class) == (503, "status")
    assert record.error == "the receiver answered 503"
    assert (record.request_headers, record.request_body) == ((("A", "b"),), b"{}")
    assert (record.response_headers, record.response_body) == ((("retry-AFTER", "60"),), b"answer")
    assert (record.status, record.next_attempt_at_ms) == ("retrying", NOW + 60_000)


def test_history_holds_no_credentials() -> None:
    webhook = replace(
        WEBHOOK, rules=Rules(include_url_seconds=60), sealed=Sealed(headers=(("Authorization", "Bearer hunter2"),))
    )
    signature = "0123456789abcdef" * 4
    body = b'{"url":"https://x/b/k?X-Amz-Expires=60&X-Amz-Signature=' + signature.encode() + b'"}'
    request = Request(webhook.endpoint, (("A", "b"), *webhook.sealed.headers), body, 30)
    kept = attempt_record(Delivery(webhook, EVENT, DeliveryId(WEBHOOK.id, 7, 5)), 1, request, result(200), DELIVERED)
    assert kept.request_headers == (("A", "b"), ("Authorization", "***"))
    assert kept.request_body == b'{"url":"https://x/b/k?X-Amz-Expires=60&X-Amz-Signature=***"}'
    # A receiver that repeats what it got does not bring it in by another way.
    echo = replace(
        result(200), response_headers=(("X-Got", "Bearer hunter2"),), response_body=b"Bearer hunter2 " + body
    )
    kept = attempt_record(Delivery(webhook, EVENT, DeliveryId(WEBHOOK.id, 7, 5)), 1, request, echo, DELIVERED)
    assert kept.response_headers == (("X-Got", "***"),)
    assert kept.response_body == b"*** " + kept.request_body
    # Where no link was asked for, the body is whatever the object's owner made of it.
    plain = attempt_record(Delivery(WEBHOOK, EVENT, DeliveryId(WEBHOOK.id, 7, 5)), 1, request, result(200), DELIVERED)
    assert (plain.request_headers, plain.request_body) == (request.headers, body)
