"""`elasticlake account …`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "ACCOUNT": Column("id"),
    "NAME": Column("displayName", shortens_to=8),
    "EMAIL": Column("email", shortens_to=12),
    "CREATED": Column("createdAt", is_time=True, spare=1),
}

AccountId = Annotated[
    str, typer.Argument(metavar="ACCOUNT", autocompletion=candidates.accounts, help="The account's id.")
]

app = noun("Accounts: the owners of buckets and keys.")


def subject(account: str) -> str:
    return f"account {account}"


@command(app, "create")
def create(
    session: Session,
    display_name: Annotated[str, typer.Option(help="The name that people see.")],
    email: Annotated[str, typer.Option(help="Whom to write to.")],
    account: Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", help="An id of your own.")] = None,
) -> None:
    """Create an account."""
    body = present({"id": account, "displayName": display_name, "email": email})
    session.output.document(session.client.post(path("accounts"), body=body))


@command(app, "list")
def list_(session: Session, limit: Limit = None) -> None:
    """List the accounts."""
    session.output.items(session.client.items(path("accounts"), limit=limit), COLUMNS)


@command(app, "show")
def show(session: Session, account: AccountId) -> None:
    """Show an account."""
    session.output.document(session.client.get(path("accounts", account), subject(account)))


@command(app, "update")
def update(
    session: Session,
    account: AccountId,
    display_name: Annotated[str | None, typer.Option(help="The new name that people see.")] = None,
    email: Annotated[str | None, typer.Option(help="Whom to write to from now on.")] = None,
) -> None:
    """Change an account: what the options name, and nothing else."""
    changes = present({"displayName": display_name, "email": email})
    if not changes:
        raise typer.BadParameter("Name what to change.", param_hint="options")
    session.output.document(session.client.patch(path("accounts", account), subject(account), changes))


@command(app, "delete")
def delete(session: Session, account: AccountId) -> None:
    """Delete an account that owns nothing any more."""
    session.client.delete(path("accounts", account), subject(account))
    session.output.deleted(subject(account))
