"""`elasticlake key …`: access keys, which belong to an account."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import account as accounts
from elasticlake.cli import candidates
from elasticlake.cli.client import Document, path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "ACCESS KEY ID": Column("accessKeyId"),
    "ACCOUNT": Column("account", spare=2),
    "SCOPE": Column("scope", shortens_to=12),
    "CREATED": Column("createdAt", is_time=True, spare=1),
}

Places = list[str] | None

app = noun("Access keys: what S3 clients sign with.")


def scope(**members: Places) -> Document:
    """The scope that the options describe; a member that was not given does not limit the key."""
    return {name: values for name, values in members.items() if values}


@command(app, "create")
def create(
    session: Session,
    account: accounts.AccountId,
    lake: Annotated[
        Places, typer.Option(autocompletion=candidates.lakes, help="Only this lake. May be repeated.")
    ] = None,
    pond: Annotated[
        Places,
        typer.Option(autocompletion=candidates.ponds, help="Only this pond, written LAKE--POND. May be repeated."),
    ] = None,
    bucket: Annotated[
        Places, typer.Option(autocompletion=candidates.buckets, help="Only this bucket. May be repeated.")
    ] = None,
    prefix: Annotated[Places, typer.Option(help="Only keys with this prefix. May be repeated.")] = None,
    permission: Annotated[
        Places,
        typer.Option(
            autocompletion=candidates.words("read", "write", "delete", "list", "admin"),
            help="read, write, delete, list or admin; all if left out. May be repeated.",
        ),
    ] = None,
    access_key_id: Annotated[str | None, typer.Option(help="An id of your own.")] = None,
    secret_access_key: Annotated[str | None, typer.Option(help="A secret of your own.")] = None,
) -> None:
    """Create an access key. Without a scope it may do anything in its account."""
    body: Document = present({"accessKeyId": access_key_id, "secretAccessKey": secret_access_key})
    limits = scope(lakes=lake, ponds=pond, buckets=bucket, prefixes=prefix, permissions=permission)
    if limits:
        body["scope"] = limits
    key = session.client.post(path("accounts", account, "keys"), accounts.subject(account), body=body)
    session.output.created(key, "secretAccessKey")


@command(app, "list")
def list_(session: Session, account: accounts.AccountId, limit: Limit = None) -> None:
    """List an account's access keys; secrets are never shown again."""
    items = session.client.items(path("accounts", account, "keys"), accounts.subject(account), limit=limit)
    session.output.items(items, COLUMNS)


@command(app, "delete")
def delete(
    session: Session,
    account: accounts.AccountId,
    access_key_id: Annotated[
        str, typer.Argument(metavar="ACCESS_KEY_ID", autocompletion=candidates.keys, help="The access key's id.")
    ],
) -> None:
    """Delete an access key: what is signed with it is refused from now on."""
    subject = f"access key {access_key_id} of account {account}"
    session.client.delete(path("accounts", account, "keys", access_key_id), subject)
    session.output.deleted(subject)
