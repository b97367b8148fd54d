"""`elasticlake lake …`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "LAKE": Column("lake"),
    "NAME": Column("name", shortens_to=8),
    "ACCOUNT": Column("account", spare=2),
    "BUCKETS": Column("buckets"),
    "OBJECTS": Column("objects"),
    "BYTES": Column("bytes"),
    "CREATED": Column("createdAt", is_time=True, spare=1),
}

LakeSlug = Annotated[
    str, typer.Argument(metavar="LAKE", autocompletion=candidates.lakes, help="The lake's slug, such as lake1.")
]

app = noun("Lakes: the top of the hierarchy lake--pond--bucket.")


def subject(lake: str) -> str:
    return f"lake {lake}"


@command(app, "create")
def create(
    session: Session,
    lake: LakeSlug,
    name: Annotated[str | None, typer.Option(help="The display name; the slug if left out.")] = None,
    account: Annotated[
        str | None,
        typer.Option(autocompletion=candidates.accounts, help="The account that owns it; the token's own if left out."),
    ] = None,
) -> None:
    """Create a lake."""
    body = present({"lake": lake, "name": name, "account": account})
    session.output.document(session.client.post(path("lakes"), body=body))


@command(app, "list")
def list_(session: Session, limit: Limit = None) -> None:
    """List the lakes."""
    session.output.items(session.client.items(path("lakes"), limit=limit), COLUMNS)


@command(app, "show")
def show(session: Session, lake: LakeSlug) -> None:
    """Show a lake and its totals."""
    session.output.document(session.client.get(path("lakes", lake), subject(lake)))


@command(app, "rename")
def rename(
    session: Session, lake: LakeSlug, name: Annotated[str, typer.Argument(help="The new display name.")]
) -> None:
    """Change a lake's display name; its slug stays."""
    session.output.document(session.client.patch(path("lakes", lake), subject(lake), {"name": name}))


@command(app, "delete")
def delete(session: Session, lake: LakeSlug) -> None:
    """Delete an empty lake."""
    session.client.delete(path("lakes", lake), subject(lake))
    session.output.deleted(subject(lake))
