"""One delivery: what it tells, every attempt as it was, and what to do with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from elasticlake.dashboard import attempt_snippets
from elasticlake.dashboard import show as shown
from elasticlake.dashboard.delivery_log import words
from elasticlake.dashboard.errors import NoSuchPage
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.metadata.history import Attempt
from elasticlake.model.custom_headers import MASK
from elasticlake.model.delivery_headers import standing_headers
from elasticlake.model.timings import Timings
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.deliveries import DeliveryLog

SHOWN_BYTES = 32 * 1024
_STEPS = (("dns", "DNS", "dns_ms"), ("connect", "Connect", "connect_ms"), ("tls", "TLS", "tls_ms"))


@record
class Step:
    """A step of an attempt, and how long it took; `css` is its colour's name."""

    css: str
    name: str
    milliseconds: float


@record
class AttemptView:
    """An attempt as the page shows it. `number` is its place in the log, 1 for the first."""

    number: int
    attempt: Attempt
    request_headers: tuple[tuple[str, str], ...]
    request_body: str
    is_cut: bool
    is_masked: bool
    response_body: str
    steps: list[Step]
    needs_file: bool
    """Whether the body is too long for the snippets to hold it."""
    curl: str
    verifiers: list[attempt_snippets.Snippet]

    @property
    def bar(self) -> list[tuple[str, float]]:
        return [(step.css, step.milliseconds) for step in self.steps]

    @property
    def bar_words(self) -> str:
        return ", ".join(f"{step.name} {shown.duration(step.milliseconds)}" for step in self.steps)


async def show(visit: Visit) -> Response:
    """The page; with `drawer`, what of it fits beside the log."""
    found = await visit.services.deliveries.get(visit.token, visit.path("id"))
    webhook = await visit.services.webhooks.get(visit.token, found.delivery.id.webhook_id)
    chosen = _chosen(visit, found)
    view = attempt_view(webhook, chosen, found.attempts[chosen - 1], visit.services.version) if chosen else None
    context: dict[str, Any] = {
        "delivery": found.delivery, "attempts": found.attempts, "webhook": webhook, "view": view, **words(),
    }  # fmt: skip
    if "drawer" in visit.request.query_params:
        return visit.fragment("delivery_drawer.html", **context)
    return visit.page("delivery.html", title=f"Delivery {found.delivery.id}", **context)


async def request_body(visit: Visit) -> Response:
    """What an attempt sent, as a file."""
    found = await visit.services.deliveries.get(visit.token, visit.path("id"))
    chosen = _chosen(visit, found)
    if not chosen:
        raise NoSuchPage
    headers = {"Content-Disposition": f'attachment; filename="{attempt_snippets.BODY_FILE}"'}
    return Response(found.attempts[chosen - 1].request_body, media_type="application/octet-stream", headers=headers)


async def redeliver(visit: Visit) -> Response:
    """Send it again, and go to the new delivery."""
    made = await visit.services.deliveries.redeliver(visit.token, visit.path("id"))
    return visit.redirect(f"{PREFIX}/deliveries/{made.id}", "This is the new delivery: it is sent at once.")


def _chosen(visit: Visit, found: DeliveryLog) -> int:
    """The number of the attempt that is asked for, or of the last; 0 if there is none."""
    asked = visit.query("attempt")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    return number if 1 <= number <= len(found.attempts) else len(found.attempts)


def attempt_view(webhook: Webhook, number: int, attempt: Attempt, version: str) -> AttemptView:
    """What there is to see of the webhook's attempt; `version` is the server's, which requests name."""
    body, whole = attempt.request_body, request_headers(webhook, attempt, version)
    return AttemptView(
        number=number,
        attempt=attempt,
        request_headers=whole,
        request_body=body[:SHOWN_BYTES].decode(errors="replace"),
        is_cut=len(body) > SHOWN_BYTES,
        is_masked=MASK.encode() in body and bool(webhook.sealed.headers or webhook.rules.include_url_seconds),
        response_body=attempt.response_body.decode(errors="replace"),
        steps=steps_of(attempt.timings, attempt.duration_ms),
        needs_file=len(body) > attempt_snippets.MAX_INLINE_BYTES,
        curl=attempt_snippets.curl(webhook.endpoint, whole[1:-1], body),
        verifiers=attempt_snippets.verifiers(attempt.request_headers, body),
    )


def request_headers(webhook: Webhook, attempt: Attempt, version: str) -> tuple[tuple[str, str], ...]:
    """All of an attempt's, from Host to Content-Length."""
    host, length = urlsplit(webhook.endpoint).netloc, len(attempt.request_body)
    return (("Host", host), *standing_headers(version), *attempt.request_headers, ("Content-Length", str(length)))


def steps_of(timings: Timings | None, duration_ms: float) -> list[Step]:
    """Where the time went: the steps that were taken, and what is left of the whole."""
    if timings is None:
        return []
    taken = [Step(css, name, ms) for css, name, field in _STEPS if (ms := getattr(timings, field)) is not None]
    if timings.first_byte_ms is not None:
        taken.append(Step("wait", "First byte", timings.first_byte_ms))
    left_ms = duration_ms - sum(step.milliseconds for step in taken)
    return [*taken, Step("rest", "Rest", left_ms)] if left_ms > 0.05 else taken
