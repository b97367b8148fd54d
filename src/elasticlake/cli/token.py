"""`elasticlake token …`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import Document, path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "TOKEN": Column("id"),
    "NAME": Column("name", shortens_to=8),
    "ACCOUNTS": Column("accounts", shortens_to=12),
    "ACCESS": Column("access"),
    "CREATED": Column("createdAt", is_time=True, spare=1),
}

app = noun("Tokens: what the REST API and this command line use.")


@command(app, "create")
def create(
    session: Session,
    name: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(autocompletion=candidates.accounts, help="Only this account. May be repeated; all if left out."),
    ] = None,
    access: Annotated[
        str, typer.Option(autocompletion=candidates.words("read", "write"), help="read or write.")
    ] = "read",
) -> None:
    """Create a token."""
    body: Document = present({"name": name, "access": access})
    if account:
        body["accounts"] = account
    session.output.created(session.client.post(path("tokens"), body=body), "token")


@command(app, "list")
def list_(session: Session, limit: Limit = None) -> None:
    """List the tokens; their values are never shown again."""
    session.output.items(session.client.items(path("tokens"), limit=limit), COLUMNS)


@command(app, "delete")
def delete(
    session: Session,
    token: Annotated[str, typer.Argument(metavar="TOKEN", autocompletion=candidates.tokens, help="The token's id.")],
) -> None:
    """Delete a token: it is refused from now on."""
    session.client.delete(path("tokens", token), f"token {token}")
    session.output.deleted(f"token {token}")
