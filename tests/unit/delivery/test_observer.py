"""What is counted and traced of an attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.otlp import Collector, collecting
from tests.unit.delivery.test_outcome import EVENT, NOW, WEBHOOK, result
from tests.unit.world import StillClock

from elasticlake.delivery import composer
from elasticlake.delivery.attempt import Request
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.observer import Observer
from elasticlake.delivery.outcome import Verdict
from elasticlake.model.ids import DeliveryId
from elasticlake.service.metrics import Metrics
from elasticlake.service.tracing import Tracer, open_tracer

REQUEST = Request("https://myapp.com/hook", (("Content-Type", "application/json"),), b"{}", 30)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DELIVERY = Delivery(WEBHOOK, EVENT, DeliveryId(WEBHOOK.id, 7, 5))


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.url)
        yield listening


@pytest.fixture
def tracer(collector: Collector) -> Iterator[Tracer]:
    opened = open_tracer("dispatcher", "1.2.3")
    assert opened is not None
    yield opened
    opened.close()


def counting() -> Observer:
    return Observer(Metrics(), None, StillClock(NOW + 2000))


def counts(observer: Observer) -> dict[str, float]:
    series = observer.metrics.snapshot()["elasticlake_delivery_attempts_total"]
    return {str(outcome): values[0] for (outcome,), values in series.items()}


def latency(observer: Observer) -> tuple[float, float]:
    """How many latencies were observed, and their sum in seconds."""
    values = observer.metrics.snapshot()["elasticlake_delivery_latency_seconds"][()]
    return sum(values[:-1]), values[-1]


def test_each_attempt_is_counted_and_each_success_has_a_latency() -> None:
    observer = counting()
    observer.finish(None, DELIVERY, 1, result(500), Verdict("retrying", NOW))
    assert (counts(observer), latency(observer)) == ({"delivered": 0, "retrying": 1, "dead": 0}, (0, 0))
    observer.finish(None, DELIVERY, 2, result(200), Verdict("delivered"))
    assert (counts(observer), latency(observer)) == ({"delivered": 1, "retrying": 1, "dead": 0}, (1, 2.0))
    assert sum(observer.metrics.snapshot()["elasticlake_delivery_attempt_seconds"][()][:-1]) == 2


def test_a_redelivery_says_nothing_of_latency_and_a_test_nothing_at_all() -> None:
    observer = counting()
    again = replace(DELIVERY, id=DeliveryId(WEBHOOK.id, 7, 5, 1))
    observer.finish(None, again, 1, result(200), Verdict("delivered"))
    tested = replace(DELIVERY, event=composer.test_event(WEBHOOK, "lake", "pond", "bucket", NOW))
    observer.finish(None, tested, 1, result(500), Verdict("dead"))
    assert (counts(observer), latency(observer)) == ({"delivered": 1, "retrying": 0, "dead": 0}, (0, 0))


def test_without_a_tracer_a_request_goes_out_as_it_is() -> None:
    request, span = counting().begin(DELIVERY, REQUEST)
    assert request is REQUEST
    assert span is None


def test_an_attempt_carries_on_the_events_trace(collector: Collector, tracer: Tracer) -> None:
    observer = Observer(Metrics(), tracer, StillClock(NOW))
    traced = replace(DELIVERY, event=replace(EVENT, trace=PARENT))
    request, span = observer.begin(traced, REQUEST)
    observer.finish(span, traced, 2, result(500), Verdict("retrying", NOW))
    tracer.close()
    (found,) = collector.named("deliver object:created")
    assert f"00-{found.trace_id}-{found.parent_id}-01" == PARENT
    assert span is not None
    assert span.traceparent.startswith(found.place)
    assert request.headers == (*REQUEST.headers, ("traceparent", span.traceparent))
    assert (found.kind, found.error) == ("SPAN_KIND_CLIENT", result(500).error)
    assert found.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 500,
        "error.type": result(500).error_class,
        "messaging.message.id": "evt_1",
        "elasticlake.bucket": "bucket",
        "elasticlake.sequence": 5,
        "elasticlake.webhook": WEBHOOK.id,
        "elasticlake.delivery": str(traced.id),
        "elasticlake.attempt": 2,
        "elasticlake.outcome": "retrying",
    }


def test_an_event_that_nobody_traced_begins_a_trace(collector: Collector, tracer: Tracer) -> None:
    observer = Observer(Metrics(), tracer, StillClock(NOW))
    _, span = observer.begin(DELIVERY, REQUEST)
    observer.finish(span, DELIVERY, 1, result(200), Verdict("delivered"))
    tracer.close()
    assert [found.parent_id for found in collector.spans] == [""]
