"""`elasticlake activity`: who changed what of the installation, and when."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Limit, Session, command, lone
from elasticlake.cli.table import Column

app = lone()


def _actor(entry: Document) -> str:
    actor = entry.get("actor") or {}
    return f"{actor.get('kind')}:{actor.get('id')}"


COLUMNS = {
    "TIME": Column("time", is_time=True),
    "ACTOR": Column(_actor, shortens_to=12),
    "ACTION": Column("action"),
    "SUBJECT": Column("subject", shortens_to=16, shortens_last=True),
    "ACCOUNT": Column("account", spare=2),
    "DETAIL": Column("detail", shortens_to=12, spare=1),
}


@command(app, "activity")
def activity(
    session: Session,
    actor: Annotated[
        str | None, typer.Option(help="Only by this: an id, or KIND:ID (token, accessKey, dashboard, system).")
    ] = None,
    action: Annotated[str | None, typer.Option(help="Only actions that begin so, such as webhook:.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only of this: an id or a name, or KIND:ID.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only then or later, as RFC 3339 has it.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only before.")] = None,
    limit: Limit = None,
) -> None:
    """Show who changed what of the installation, and when. The newest comes first."""
    wanted = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
    session.output.items(session.client.items(path("activity"), params=wanted, limit=limit), COLUMNS)
