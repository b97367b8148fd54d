"""`elasticlake webhook deliveries|delivery|redeliver`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.attempt import ATTEMPT_COLUMNS, answers
from elasticlake.cli.client import path
from elasticlake.cli.command import Limit, Session, command, lone
from elasticlake.cli.table import Column
from elasticlake.cli.webhook_definition import OBJECT_EVENTS, WebhookId
from elasticlake.cli.webhook_definition import subject as webhook_subject

COLUMNS = {
    "DELIVERY": Column("id"),
    "SEQUENCE": Column("sequence", spare=6),
    "EVENT": Column("event", spare=3),
    "KEY": Column("key", shortens_to=12),
    "STATUS": Column("status"),
    "ATTEMPTS": Column("attempts", spare=5),
    "ANSWER": Column("lastStatusCode", spare=1),
    "LAST": Column("lastAttemptAt", is_time=True, spare=2),
    "NEXT": Column("nextAttemptAt", is_time=True, spare=7),
    "KIND": Column("kind", spare=4),
}

# The attempts follow as a table; the generation only tells apart the runs of a webhook that was resumed.
NOT_FOR_PEOPLE = ("attemptLog", "generation")

STATUSES = ("pending", "held", "retrying", "delivered", "dead", "canceled", "expired")

DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id, dlv_….")]

app = lone()


def subject(delivery: str) -> str:
    return f"delivery {delivery}"


@command(app, "deliveries")
def deliveries(
    session: Session,
    webhook: WebhookId,
    status: Annotated[
        str | None,
        typer.Option(
            autocompletion=candidates.words(*STATUSES),
            help="Only those pending, held, retrying, delivered, dead, canceled or expired.",
        ),
    ] = None,
    event: Annotated[
        str | None, typer.Option(autocompletion=candidates.words(*OBJECT_EVENTS), help="Only those of this event type.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only those of this key.")] = None,
    key_prefix: Annotated[str | None, typer.Option(help="Only those of keys that begin so.")] = None,
    status_code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only those last answered with it: 500, or 5xx for all of these.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only those last attempted then or later, as 2026-01-02T03:00:00Z."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only those last attempted before.")] = None,
    limit: Limit = None,
) -> None:
    """List a webhook's deliveries: what was attempted, the newest first, or what has one status.

    Those of one key, event type, answer or time. What has had no attempt is listed by its --status alone; coalesced
    deliveries are counted, not listed.
    """
    search = {"event": event, "key": key, "keyPrefix": key_prefix, "statusCode": status_code}
    items = session.client.items(
        path("webhooks", webhook, "deliveries"),
        webhook_subject(webhook),
        params={"status": status, **search, "since": since, "until": until},
        limit=limit,
    )
    session.output.items(items, COLUMNS)


@command(app, "delivery")
def show(session: Session, delivery: DeliveryId) -> None:
    """Show a delivery, its attempts, and what the endpoint answered."""
    document = session.client.get(path("deliveries", delivery), subject(delivery))
    session.output.document(document, without=NOT_FOR_PEOPLE)
    attempts = document.get("attemptLog") or []
    session.output.section("Attempts", attempts, ATTEMPT_COLUMNS)
    for title, body in answers(attempts):
        session.output.quote(title, body)


@command(app, "redeliver")
def redeliver(session: Session, delivery: DeliveryId) -> None:
    """Send a delivery again, as a new delivery of the same event."""
    again = session.client.post(path("deliveries", delivery, "redeliver"), subject(delivery))
    session.output.document(again, without=NOT_FOR_PEOPLE)
    session.output.hint(f"See its attempts: elasticlake webhook delivery {again.get('id')}")
