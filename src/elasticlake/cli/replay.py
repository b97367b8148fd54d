"""`elasticlake webhook replay|backfill|reconcile`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Limit, Session, command, lone
from elasticlake.cli.job import Follow, show_to_its_end
from elasticlake.cli.table import Column
from elasticlake.cli.webhook_definition import EVENT_NAMES, OBJECT_EVENTS, WebhookId, event_types, subject

COLUMNS = {
    "BUCKET": Column("bucket", spare=1),
    "KEY": Column("key", shortens_to=12),
    "SEQUENCE": Column("sequence"),
    "EVENT": Column("event", spare=2),
    "STATE": Column("state"),
    "TIME": Column("timestamp", is_time=True, spare=3),
}

Bucket = Annotated[
    str | None,
    typer.Option(autocompletion=candidates.buckets, help="Only this one of the buckets that the webhook listens to."),
]
Prefix = Annotated[str | None, typer.Option(help="Only keys that begin so.")]
Rate = Annotated[float | None, typer.Option("--rate-limit", metavar="N", help="Deliveries a second, at most.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: say how many events it would be.")]

app = lone()


@command(app, "replay")
def replay(
    session: Session,
    webhook: WebhookId,
    bucket: Bucket = None,
    from_sequence: Annotated[int | None, typer.Option(metavar="N", min=1, help="From this sequence on.")] = None,
    to_sequence: Annotated[int | None, typer.Option(metavar="N", min=1, help="Up to this sequence.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Or: events from then on, as 2026-01-02T03:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Events before.")] = None,
    prefix: Prefix = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            *EVENT_NAMES,
            metavar="TYPE,…",
            autocompletion=candidates.listed_words(*OBJECT_EVENTS),
            help="Only these types of events. May be repeated.",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="all|retrying|dead",
            autocompletion=candidates.words("all", "retrying", "dead"),
            help="Only what fails, or has died.",
        ),
    ] = None,
    rate_limit: Rate = None,
    fresh_ids: Annotated[bool, typer.Option("--fresh-ids", help="Give the events new ids.")] = False,
    dry_run: DryRun = False,
    follow: Follow = True,
) -> None:
    """Send a webhook past events again: all that the log holds, or a part."""
    body: Document = {
        "bucket": bucket,
        "fromSequence": from_sequence,
        "toSequence": to_sequence,
        "since": since,
        "until": until,
        "prefix": prefix,
        "events": event_types(event) if event else None,
        "only": only,
        "rateLimit": rate_limit,
        "freshIds": fresh_ids or None,
        "dryRun": dry_run or None,
    }
    _make(session, webhook, "replay", body, follow=follow)


@command(app, "backfill")
def backfill(
    session: Session,
    webhook: WebhookId,
    bucket: Bucket = None,
    prefix: Prefix = None,
    rate_limit: Rate = None,
    dry_run: DryRun = False,
    follow: Follow = True,
) -> None:
    """Tell a webhook of the objects that exist already, each as object:created."""
    body: Document = {"bucket": bucket, "prefix": prefix, "rateLimit": rate_limit, "dryRun": dry_run or None}
    _make(session, webhook, "backfill", body, follow=follow)


@command(app, "reconcile")
def reconcile(
    session: Session, webhook: WebhookId, bucket: Bucket = None, prefix: Prefix = None, limit: Limit = None
) -> None:
    """List the keys whose latest event a webhook has not acknowledged."""
    wanted = {"bucket": bucket, "prefix": prefix}
    items = session.client.items(path("webhooks", webhook, "reconcile"), subject(webhook), params=wanted, limit=limit)
    session.output.items(items, COLUMNS)


def _make(session: Session, webhook: str, kind: str, body: Document, *, follow: bool) -> None:
    given = {member: value for member, value in body.items() if value is not None}
    made = session.client.post(path("webhooks", webhook, kind), subject(webhook), body=given)
    is_job = "id" in made
    if is_job and follow:
        show_to_its_end(session, made)
    elif not is_job and isinstance(matched := made.get("matched"), int):
        session.output.summary(made, _counted(matched, at_least=made.get("atLeast") is True))
    else:
        session.output.document(made)


def _counted(matched: int, *, at_least: bool) -> str:
    """What a dry run found."""
    events = "1 event" if matched == 1 else f"{matched} events"
    return f"{'at least ' if at_least else ''}{events} would be sent"
