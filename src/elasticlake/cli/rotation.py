"""`elasticlake webhook rotate|promote`: another secret, without a gap."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import webhook_definition as given
from elasticlake.cli.client import path
from elasticlake.cli.command import Session, command, lone

app = lone()


@command(app, "rotate")
def rotate(
    session: Session,
    webhook: given.WebhookId,
    secret: Annotated[str | None, typer.Option(help="The new secret; generated if left out.")] = None,
    overlap: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", min=0, help="How long the old one goes on signing; a day if left out."),
    ] = None,
) -> None:
    """Give a webhook a new secret; for a while it and the old one both sign."""
    wanted = {"secret": secret, "overlapSeconds": overlap}
    body = {member: value for member, value in wanted.items() if value is not None}
    rotated = session.client.post(path("webhooks", webhook, "rotate"), given.subject(webhook), body=body)
    session.output.created(rotated, "secret", first=given.FIRST_MEMBERS, without=given.PEM_MEMBERS)


@command(app, "promote")
def promote(session: Session, webhook: given.WebhookId) -> None:
    """End a rotation's overlap: only the new secret signs."""
    promoted = session.client.post(path("webhooks", webhook, "promote"), given.subject(webhook))
    session.output.document(promoted, first=given.FIRST_MEMBERS, without=given.PEM_MEMBERS)
