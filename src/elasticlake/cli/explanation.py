"""`elasticlake webhook explain`: which of the latest events a webhook is told of, and what refuses the others."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from elasticlake.cli import candidates
from elasticlake.cli import webhook_definition as given
from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.errors import CommandFailed
from elasticlake.cli.output import to_json
from elasticlake.cli.table import Column


def compared(item: Document) -> Any:
    """What the refusing clause looked at."""
    value = item.get("value")
    return to_json(value, indent=None) if isinstance(value, dict | list) else value


COLUMNS = {
    "SEQUENCE": Column("sequence"),
    "EVENT": Column("event"),
    "KEY": Column("key", shortens_to=16),
    "MATCHES": Column("matches"),
    "REFUSED BY": Column("refusedBy"),
    "VALUE": Column(compared, shortens_to=12, spare=1),
    "ERROR": Column("error", shortens_to=12, spare=2),
}

app = lone()


@command(app, "explain")
def explain(
    session: Session,
    webhook: given.WebhookId,
    bucket: Annotated[
        str | None,
        typer.Option(
            autocompletion=candidates.buckets,
            help="The events of this bucket; by default of the one that it listens to.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="So many of the latest events.")] = 20,
    sequence: Annotated[list[int] | None, typer.Option(help="The event of this sequence. May be repeated.")] = None,
) -> None:
    """Say which events a webhook matches, and which clause refuses the others. Nothing is sent."""
    question = {"bucket": bucket, "limit": limit, "sequences": sequence}
    body = {name: value for name, value in question.items() if value is not None and value != []}
    found = session.client.post(path("webhooks", webhook, "explain"), given.subject(webhook), body=body)
    if session.output.as_json:
        session.output.document(found)
        return
    items = found.get("items")
    if not isinstance(items, list):
        raise CommandFailed("the server's answer has no items")
    session.output.items(items, COLUMNS)
    session.output.hint(f"{found.get('matching')} of {len(items)} match.")
    for missing in found.get("missing") or ():
        session.output.hint(f"The bucket's log has no event {missing}.")
