"""What operators see of attempts: counts, and spans that carry on the trace of what caused the event."""

from __future__ import annotations

from dataclasses import dataclass, replace

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Request, Result
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.outcome import Verdict
from elasticlake.service.metrics import Metrics
from elasticlake.service.tracing import Span, Tracer


@dataclass(frozen=True, slots=True)
class Observer:
    """Is told of each attempt before and after; without a `tracer`, requests go out as they are."""

    metrics: Metrics
    tracer: Tracer | None
    clock: Clock

    def begin(self, delivery: Delivery, request: Request) -> tuple[Request, Span | None]:
        """The request as it is to be sent: in a traced one, the receiver learns of the attempt's span."""
        if self.tracer is None:
            return request, None
        span = self.tracer.begin(f"deliver {delivery.event.type}", "client", delivery.event.trace)
        return replace(request, headers=(*request.headers, ("traceparent", span.traceparent))), span

    def finish(self, span: Span | None, delivery: Delivery, attempt: int, result: Result, verdict: Verdict) -> None:
        """The attempt ended. One that never did, for a fault of ours, is none: it is neither counted nor traced."""
        if not delivery.is_test:
            self.metrics.attempted(verdict.status, result.duration_seconds)
            if verdict.status == "delivered" and not (delivery.is_redelivery or delivery.is_of_job):
                self.metrics.delivered((self.clock.now_ms() - delivery.event.time_ms) / 1000)
        if span is not None:
            span.end(_attributes(delivery, attempt, result, verdict), result.error)


def _attributes(delivery: Delivery, attempt: int, result: Result, verdict: Verdict) -> dict[str, str | int]:
    """The attempt in the words of OpenTelemetry's conventions for HTTP and messaging, and in ours."""
    attributes: dict[str, str | int] = {
        "http.request.method": "POST",
        "messaging.message.id": delivery.event.id,
        "elasticlake.bucket": delivery.event.bucket,
        "elasticlake.sequence": delivery.event.sequence,
        "elasticlake.webhook": delivery.webhook.id,
        "elasticlake.delivery": str(delivery.id),
        "elasticlake.attempt": attempt,
        "elasticlake.outcome": verdict.status,
    }
    if result.status_code is not None:
        attributes["http.response.status_code"] = result.status_code
    if result.error_class is not None:
        attributes["error.type"] = result.error_class
    return attributes
