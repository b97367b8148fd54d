"""`elasticlake webhook deliveries|delivery|redeliver`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Limit, Session, command, lone
from elasticlake.cli.output import Column
from elasticlake.cli.webhook_definition import WebhookId
from elasticlake.cli.webhook_definition import subject as webhook_subject

COLUMNS: dict[str, Column] = {
    "DELIVERY": "id",
    "SEQUENCE": "sequence",
    "EVENT": "event",
    "KEY": "key",
    "STATUS": "status",
    "ATTEMPTS": "attempts",
    "LAST ATTEMPT": "lastAttemptAt",
    "NEXT ATTEMPT": "nextAttemptAt",
}


def outcome(attempt: Document) -> str:
    """What came of an attempt: the status code, or why there was none."""
    parts = [attempt.get("statusCode"), attempt.get("errorClass"), attempt.get("error")]
    return " ".join(str(part) for part in parts if part not in (None, ""))


ATTEMPT_COLUMNS: dict[str, Column] = {
    "ATTEMPT": "attempt",
    "STARTED": "startedAt",
    "MS": "durationMs",
    "OUTCOME": outcome,
    "NEXT ATTEMPT": "nextAttemptAt",
}

DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id, dlv_….")]

app = lone()


def subject(delivery: str) -> str:
    return f"delivery {delivery}"


def hint_at_attempts(session: Session, delivery: Document) -> None:
    """Say where to look when a delivery has not arrived (yet)."""
    if delivery.get("status") != "delivered":
        session.output.hint(f"See its attempts: elasticlake webhook delivery {delivery.get('id')}")


@command(app, "deliveries")
def deliveries(
    session: Session,
    webhook: WebhookId,
    status: Annotated[
        str | None,
        typer.Option(help="Only those pending, held, retrying, delivered, dead, canceled or expired."),
    ] = None,
    limit: Limit = None,
) -> None:
    """List a webhook's deliveries."""
    items = session.client.items(
        path("webhooks", webhook, "deliveries"), webhook_subject(webhook), params={"status": status}, limit=limit
    )
    session.output.items(items, COLUMNS)


@command(app, "delivery")
def show(session: Session, delivery: DeliveryId) -> None:
    """Show a delivery, its attempts, and what the endpoint answered last."""
    document = session.client.get(path("deliveries", delivery), subject(delivery))
    session.output.document(document, without=("attemptLog",))
    attempts = document.get("attemptLog") or []
    session.output.section("Attempts", attempts, ATTEMPT_COLUMNS)
    if attempts:
        session.output.quote("Last answer", attempts[-1].get("responseBody") or "")


@command(app, "redeliver")
def redeliver(session: Session, delivery: DeliveryId) -> None:
    """Send a delivery again, as a new delivery of the same event."""
    session.output.document(session.client.post(path("deliveries", delivery, "redeliver"), subject(delivery)))
