"""`elasticlake pond …`. A pond is written LAKE--POND."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli import lake as lakes
from elasticlake.cli.client import path, present
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.table import Column

COLUMNS = {
    "LAKE": Column("lake"),
    "POND": Column("pond"),
    "NAME": Column("name", shortens_to=8),
    "BUCKETS": Column("buckets"),
    "OBJECTS": Column("objects"),
    "BYTES": Column("bytes"),
    "CREATED": Column("createdAt", is_time=True, spare=1),
}

PondName = Annotated[
    str,
    typer.Argument(
        metavar="LAKE--POND", autocompletion=candidates.ponds, help="The pond with its lake, such as lake1--pond1."
    ),
]

app = noun("Ponds: the groups of buckets in a lake.")


def subject(pond: str) -> str:
    return f"pond {pond}"


def slugs(pond: str) -> tuple[str, str]:
    """The slugs of `lake1--pond1`; raises a usage error for anything else."""
    lake, separator, slug = pond.partition("--")
    if not (lake and separator and slug) or "--" in slug:
        raise typer.BadParameter(f"{pond!r} is no pond: write it as lake1--pond1.", param_hint="LAKE--POND")
    return lake, slug


def pond_path(pond: str) -> str:
    lake, slug = slugs(pond)
    return path("lakes", lake, "ponds", slug)


@command(app, "create")
def create(
    session: Session,
    pond: PondName,
    name: Annotated[str | None, typer.Option(help="The display name; the slug if left out.")] = None,
) -> None:
    """Create a pond in a lake."""
    lake, slug = slugs(pond)
    body = present({"pond": slug, "name": name})
    session.output.document(session.client.post(path("lakes", lake, "ponds"), lakes.subject(lake), body=body))


@command(app, "list")
def list_(session: Session, lake: lakes.LakeSlug, limit: Limit = None) -> None:
    """List the ponds of a lake."""
    items = session.client.items(path("lakes", lake, "ponds"), lakes.subject(lake), limit=limit)
    session.output.items(items, COLUMNS)


@command(app, "show")
def show(session: Session, pond: PondName) -> None:
    """Show a pond and its totals."""
    session.output.document(session.client.get(pond_path(pond), subject(pond)))


@command(app, "rename")
def rename(
    session: Session, pond: PondName, name: Annotated[str, typer.Argument(help="The new display name.")]
) -> None:
    """Change a pond's display name; its slug stays."""
    session.output.document(session.client.patch(pond_path(pond), subject(pond), {"name": name}))


@command(app, "delete")
def delete(session: Session, pond: PondName) -> None:
    """Delete an empty pond."""
    session.client.delete(pond_path(pond), subject(pond))
    session.output.deleted(subject(pond))
