"""`elasticlake bucket …`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "BUCKET": Column("bucket"),
    "ACCOUNT": Column("account", spare=3),
    "ACL": Column("acl", spare=1),
    "OBJECTS": Column("objects"),
    "BYTES": Column("bytes"),
    "SEQUENCE": Column("sequence", spare=4),
    "CREATED": Column("createdAt", is_time=True, spare=2),
}

DELIVERY_COLUMNS = {
    "SEQUENCE": Column("sequence"),
    "EVENT": Column("event", spare=1),
    "WEBHOOK": Column("webhook"),
    "STATUS": Column("status"),
    "ANSWER": Column("lastStatusCode", spare=2),
    "LAST": Column("lastAttemptAt", is_time=True, spare=3),
    "DELIVERY": Column("id", spare=4),
}

BucketName = Annotated[
    str,
    typer.Argument(
        metavar="BUCKET", autocompletion=candidates.buckets, help="The S3 name, such as lake1--pond1--my-bucket."
    ),
]
ACLS = ("private", "public-read")
ACL_HELP = "private, or public-read: lets anyone list the bucket; objects keep their own ACL"

app = noun("Buckets, their totals and their ACL; who was told of an object.")


def subject(bucket: str) -> str:
    return f"bucket {bucket}"


@command(app, "create")
def create(
    session: Session,
    bucket: BucketName,
    account: Annotated[
        str | None,
        typer.Option(autocompletion=candidates.accounts, help="The account that owns it; the token's own if left out."),
    ] = None,
    acl: Annotated[
        str | None, typer.Option(autocompletion=candidates.words(*ACLS), help=f"{ACL_HELP}. Private if left out.")
    ] = None,
) -> None:
    """Create a bucket."""
    body = present({"bucket": bucket, "account": account, "acl": acl})
    made = session.client.post(path("buckets"), body=body)
    session.output.document(made)
    if "--" in bucket and made.get("lake") == made.get("pond") == "default":
        session.output.warn(
            f"{bucket} is a plain name: the bucket lies in lake default, pond default. "
            "Hierarchical names are LAKE--POND--BUCKET."
        )


@command(app, "list")
def list_(
    session: Session,
    lake: Annotated[str | None, typer.Option(autocompletion=candidates.lakes, help="Only those of this lake.")] = None,
    pond: Annotated[
        str | None, typer.Option(autocompletion=candidates.ponds, help="Only those of this pond, written LAKE--POND.")
    ] = None,
    limit: Limit = None,
) -> None:
    """List the buckets."""
    items = session.client.items(path("buckets"), params={"lake": lake, "pond": pond}, limit=limit)
    session.output.items(items, COLUMNS)


@command(app, "show")
def show(session: Session, bucket: BucketName) -> None:
    """Show a bucket, its totals and its last event's sequence."""
    session.output.document(session.client.get(path("buckets", bucket), subject(bucket)))


@command(app, "size")
def size(
    session: Session,
    bucket: BucketName,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
) -> None:
    """Count the objects under a prefix, and their bytes; the first 10,000 of them."""
    found = session.client.get(path("buckets", bucket, "size"), subject(bucket), params={"prefix": prefix})
    session.output.document(found, without=[] if found.get("isMore") else ["isMore"])


@command(app, "acl")
def acl(
    session: Session,
    bucket: BucketName,
    acl: Annotated[str, typer.Argument(metavar="ACL", autocompletion=candidates.words(*ACLS), help=f"{ACL_HELP}.")],
) -> None:
    """Set a bucket's canned ACL."""
    session.output.document(session.client.patch(path("buckets", bucket), subject(bucket), {"acl": acl}))


@command(app, "deliveries")
def deliveries(
    session: Session,
    bucket: BucketName,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The object's key.")],
    limit: Limit = None,
) -> None:
    """List who was told of an object: its events, the newest first, each with every webhook that it matches."""
    items = session.client.items(
        path("buckets", bucket, "deliveries"), subject(bucket), params={"key": key}, limit=limit
    )
    session.output.items(items, DELIVERY_COLUMNS)


@command(app, "delete")
def delete(session: Session, bucket: BucketName) -> None:
    """Delete an empty bucket."""
    session.client.delete(path("buckets", bucket), subject(bucket))
    session.output.deleted(subject(bucket))
