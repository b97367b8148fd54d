"""`elasticlake check`: is the data what the invariants promise?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elasticlake.cli.command import output_of
from elasticlake.cli.output import counted_findings, printable
from elasticlake.cli.place import BlobsOption, DataOption, JsonOption, MetadataOption, place_of, settings_of
from elasticlake.cli.progress import progress_bar

if TYPE_CHECKING:
    from elasticlake.server.checking import Checked


def check(
    ctx: typer.Context,
    data: DataOption = Path("data"),
    metadata: MetadataOption = None,
    blobs: BlobsOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only; do not read the objects.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a server's data: every row has its blob, sizes and checksums hold, sequences are gap-free.

    Runs beside servers or without any. Exit code 1 if anything is wrong.
    """
    from elasticlake.server.checking import check as run_check
    from elasticlake.server.logs import configure_logs

    settings = settings_of(data=data, metadata=metadata, blobs=blobs)
    configure_logs(settings, "check", for_good=False)
    output = output_of(ctx, as_json)
    with progress_bar(for_people=not output.as_json) as progress:
        checked = run_check(place_of(settings), progress, read_bodies=not quick)
    output.summary(_document(checked), _sentences(checked))
    if checked.findings:
        raise typer.Exit(1)


def _document(checked: Checked) -> dict[str, object]:
    return {
        "objects": checked.objects,
        "events": checked.events,
        "findings": checked.findings,
        "notes": checked.notes,
    }


def _sentences(checked: Checked) -> str:
    verdict = counted_findings(len(checked.findings)) if checked.findings else "nothing is wrong"
    said = f"Checked {checked.objects} objects and {checked.events} events: {verdict}."
    return "\n".join([*map(printable, checked.findings), *checked.notes, said])
