"""`elasticlake backup`: a copy of the data folder, made while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elasticlake.cli.command import output_of
from elasticlake.cli.errors import CommandFailed
from elasticlake.cli.place import BlobsOption, DataOption, JsonOption, MetadataOption, place_of, settings_of
from elasticlake.cli.progress import progress_bar
from elasticlake.cli.signals import ended_in_order

if TYPE_CHECKING:
    from elasticlake.server.backup import Summary
    from elasticlake.server.place import Place

KEY_INSIDE = "The master key is inside: whoever has this folder can read every stored secret."
KEY_OUTSIDE = (
    "The master key is NOT inside: without it the stored secrets cannot be read, and no server starts on this backup. "
    "Keep a copy of it in another safe place."
)


def backup(
    ctx: typer.Context,
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="The folder to make; it must not exist, or be empty.")
    ],
    data: DataOption = Path("data"),
    metadata: MetadataOption = None,
    blobs: BlobsOption = None,
    with_master_key: Annotated[
        bool, typer.Option("--with-master-key", help="Also copy master.key and credentials.json.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Back up a data folder (SQLite and local files), beside a running server or without one.

    DEST becomes a data folder itself: to restore it, put it in place, with the master key, and start the server. It
    appears when it is whole. Objects are hard links where DEST is on the same file system: copy it to another disk or
    machine to survive the loss of this one.
    """
    from elasticlake.server.backup import back_up

    place = place_of(settings_of(data=data, metadata=metadata, blobs=blobs))
    _require_embedded(place)
    output = output_of(ctx, as_json)
    with ended_in_order(), progress_bar(for_people=not output.as_json) as progress:
        summary = back_up(place.folder, destination, progress, with_master_key=with_master_key)
    output.summary(_document(destination, summary), _sentences(destination, summary))


def _require_embedded(place: Place) -> None:
    from elasticlake.server.place import without_password

    if place.metadata is not None:
        where = without_password(place.metadata)
        raise CommandFailed(
            f"the metadata is in {where}, not in the data folder: back up PostgreSQL with its own tools "
            "(pg_basebackup, pg_dump), and after it what holds the blobs"
        )
    if place.blobs is not None:
        raise CommandFailed(
            f"the blobs are in {without_password(place.blobs)}, not in the data folder: stop the server and copy the "
            "folder, then back up the object store with its own tools"
        )


def _document(destination: Path, summary: Summary) -> dict[str, object]:
    return {
        "destination": str(destination),
        "databases": summary.databases,
        "blobs": summary.blobs,
        "bytes": summary.size_bytes,
        "masterKey": summary.master_key,
        "credentials": summary.credentials,
        "seconds": round(summary.seconds, 3),
    }


def _sentences(destination: Path, summary: Summary) -> str:
    size = f"{summary.size_bytes / 1e6:,.1f} MB"
    held = f"{len(summary.databases)} databases and {summary.blobs} blobs ({size})"
    made = f"Backed up {held} to {destination} in {summary.seconds:.1f} s."
    return f"{made}\n{KEY_INSIDE if summary.master_key else KEY_OUTSIDE}"
