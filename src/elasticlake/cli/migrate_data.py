"""`elasticlake migrate-data`: a data folder becomes PostgreSQL and an object store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elasticlake.cli.command import output_of
from elasticlake.cli.errors import usage
from elasticlake.cli.output import counted_findings, printable
from elasticlake.cli.place import JsonOption, settings_of
from elasticlake.cli.progress import progress_bar
from elasticlake.cli.signals import ended_in_order

if TYPE_CHECKING:
    from elasticlake.server.migration.move import Move, Moved


def migrate_data(
    ctx: typer.Context,
    source: Annotated[Path, typer.Option("--from", help="The data folder to move; its server must be stopped.")],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            envvar="ELASTICLAKE_METADATA",
            help="The postgresql://… URL of an empty database.",
            show_default=False,
        ),
    ],
    to_blobs: Annotated[
        str | None,
        typer.Option(
            envvar="ELASTICLAKE_BLOBS",
            help="The s3://…, gs://… or az://… URL that blobs are copied to; left where they are if not given.",
            show_default=False,
        ),
    ] = None,
    from_blobs: Annotated[
        str | None, typer.Option(help="Where the blobs are, if not in the folder.", show_default=False)
    ] = None,
    master_key_file: Annotated[
        Path | None, typer.Option(help="A file with the master key, if it is not in the folder.", show_default=False)
    ] = None,
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="Move the record of delivery attempts.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Check the target in the end, reading every object.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Move everything of a data folder to PostgreSQL, and its blobs to an object store.

    No server can use the folder meanwhile, nor the database before it is done. Interrupted, the same command goes on
    where it stopped. In the end both sides are compared; exit code 1 if anything differs.
    """
    from elasticlake.server.logs import configure_logs
    from elasticlake.server.migration.move import Move
    from elasticlake.server.migration.move import move as run_move

    called = {"metadata": "--to", "blobs": "--to-blobs"}
    settings = settings_of(called, data=source, metadata=target, blobs=to_blobs, master_key_file=master_key_file)
    if settings.metadata is None:
        raise usage("--to: write postgresql://USER:PASSWORD@HOST/DATABASE")
    if from_blobs is not None:
        settings_of({"blobs": "--from-blobs"}, data=source, blobs=from_blobs)
    configure_logs(settings, "migrate-data", for_good=False)
    wanted = Move(settings, settings.metadata, from_blobs, settings.blobs, history, check)
    output = output_of(ctx, as_json)
    with ended_in_order(), progress_bar(for_people=not output.as_json) as progress:
        moved = run_move(wanted, progress)
    output.summary(_document(wanted, moved), _sentences(wanted, moved))
    if not moved.is_whole:
        raise typer.Exit(1)


def _document(wanted: Move, moved: Moved) -> dict[str, object]:
    return {
        "from": str(wanted.settings.data),
        "to": _to(wanted),
        "blobsAt": _blobs_at(wanted),
        "rows": moved.rows,
        "blobs": moved.blobs,
        "checkedObjects": moved.checked_objects,
        "differences": moved.differences,
        "findings": moved.findings,
        "wasDone": moved.was_done,
        "seconds": moved.seconds,
    }


def _sentences(wanted: Move, moved: Moved) -> str:
    if not moved.is_whole:
        said = f"The move has NOT ended: {counted_findings(len(moved.differences) + len(moved.findings))}."
        return "\n".join([*map(printable, (*moved.differences, *moved.findings)), said])
    rows = f"{sum(moved.rows.values()):,} rows and {moved.blobs:,} blobs are the same on both sides"
    did = "An earlier run moved everything" if moved.was_done else f"Moved everything in {moved.seconds:.1f} s"
    checked = (
        f"\nChecked {moved.checked_objects:,} objects: nothing is wrong." if moved.checked_objects is not None else ""
    )
    return f"{did}: {rows}.{checked}\n{_next_steps(wanted)}"


def _next_steps(wanted: Move) -> str:
    folder = wanted.settings.data
    if wanted.to_blobs or wanted.from_blobs:
        blobs = f"and --blobs '{_blobs_at(wanted)}'"
    else:
        blobs = f"and --data {folder}: the blobs are left in {folder}/blobs, which every gateway must reach"
    return (
        f"Start servers with --metadata {_to(wanted)} {blobs}. They need the same master key. "
        f"{folder} by itself serves no more ({folder}/moved-to says so)."
    )


def _blobs_at(wanted: Move) -> str:
    return wanted.to_blobs or wanted.from_blobs or str(wanted.settings.data / "blobs")


def _to(wanted: Move) -> str:
    from elasticlake.server.place import without_password

    return without_password(wanted.to)
