"""A test of a webhook: sent for real, and shown with what came back."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import Response

from elasticlake.dashboard.deliveries import request_headers
from elasticlake.dashboard.hints import Hint, hint_for
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import NoSuchDelivery
from elasticlake.metadata.history import Attempt
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook
from elasticlake.service.delivery_status import Delivery

WAIT_SECONDS = 3.0
LONGER_SECONDS = 20.0
_UNSENT = frozenset({"refused_address", "dns", "connect", "tls"})
"""The classes of errors that come before there is a connection."""
SECRET_PLACEHOLDER = "the webhook's secret"
_VERIFY = """import hmac
import hashlib

WEBHOOK_SECRET = {secret!r}

def verify_webhook(payload, signature, secret):
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f'sha256={{expected}}', signature)

# In your handler, before anything else reads the body:
signature = request.headers.get('X-ElasticLake-Signature')
if not verify_webhook(request.data.decode(), signature, WEBHOOK_SECRET):
    return 'Invalid signature', 401
"""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A test delivery, its attempt once that is known, and what to do about it."""

    webhook: Webhook
    delivery: Delivery
    attempt: Attempt | None
    hint: Hint | None
    version: str
    """The server's, which requests name."""

    @property
    def is_over(self) -> bool:
        return self.delivery.is_final

    @property
    def request_text(self) -> str:
        """The whole request, in the form of HTTP/1.1."""
        assert self.attempt is not None
        parts = urlsplit(self.webhook.endpoint)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = request_headers(self.webhook, self.attempt, self.version)
        lines = [f"POST {target} HTTP/1.1", *_header_lines(headers)]
        return "\n".join([*lines, "", self.attempt.request_body.decode("utf-8", "replace")])

    @property
    def was_sent(self) -> bool:
        """Whether there was a connection to send it by."""
        return self.attempt is not None and self.attempt.error_class not in _UNSENT

    @property
    def response_lines(self) -> list[str]:
        assert self.attempt is not None
        status = _status_line(self.attempt.status_code)
        body = self.attempt.response_body.decode("utf-8", "replace").splitlines()
        return [status, *_header_lines(self.attempt.response_headers), *([""] if body else []), *body]


async def sent_test(visit: Visit, webhook: Webhook) -> str:
    """Send a test, and wait a moment for its end; returns the path of the page that shows it."""
    delivery = str(await visit.services.webhooks.test(visit.token, webhook.id))
    await visit.services.deliveries.wait_for(visit.token, delivery, WAIT_SECONDS)
    return f"{PREFIX}/webhooks/{webhook.id}/test/{delivery}"


async def send(visit: Visit) -> Response:
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    return visit.redirect(await sent_test(visit, webhook))


async def show(visit: Visit) -> Response:
    outcome = await _outcome(visit)
    return _shown_once(visit, "webhook_test.html", "Test of a webhook", outcome.webhook, outcome)


async def show_made(visit: Visit) -> Response:
    """A new webhook that was not tested yet, with the secret that was generated for it."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    return _shown_once(visit, "webhook_test.html", "The webhook was made", webhook, None)


async def show_result(visit: Visit) -> Response:
    """For the script: the result alone, once there is one or a while has passed."""
    await visit.services.deliveries.wait_for(visit.token, visit.path("delivery"), LONGER_SECONDS)
    return visit.fragment("webhook_test_result.html", outcome=await _outcome(visit))


async def _outcome(visit: Visit) -> _Outcome:
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    if DeliveryId.parse(visit.path("delivery")).webhook_id != webhook.id:
        raise NoSuchDelivery
    log = await visit.services.deliveries.get(visit.token, visit.path("delivery"))
    attempt = log.attempts[-1] if log.attempts else None
    hint = hint_for(attempt.error_class, attempt.status_code) if attempt is not None else None
    return _Outcome(webhook, log.delivery, attempt, hint, visit.services.version)


def _shown_once(visit: Visit, template: str, title: str, webhook: Webhook, outcome: _Outcome | None) -> Response:
    secret = visit.once()
    snippet = _VERIFY.format(secret=secret or SECRET_PLACEHOLDER)
    response = visit.page(template, title=title, webhook=webhook, outcome=outcome, secret=secret, snippet=snippet)
    return visit.forget_once(response) if secret is not None else response


def _status_line(code: int | None) -> str:
    """With the code's usual words: the receiver's own are not kept."""
    try:
        return f"HTTP/1.1 {code} {HTTPStatus(code or 0).phrase}"
    except ValueError:  # a code of the receiver's own
        return f"HTTP/1.1 {code}"


def _header_lines(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]
