"""`elasticlake check`: is the data what the invariants promise?"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.cli.errors import CommandFailed
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.server.folder import DataFolder
from elasticlake.service.check import Check


def check(
    data: Annotated[Path, typer.Option(envvar="ELASTICLAKE_DATA", help="The server's data folder.")] = Path("data"),
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only; do not read the objects.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a data folder: every row has its blob, sizes and checksums hold, sequences are gap-free.

    Runs beside a server or without one. Exit code 1 if anything is wrong.
    """
    folder = DataFolder(data)
    if not folder.metadata.exists():
        raise CommandFailed(f"there is no ElasticLake data in {data}")
    with closing(connect(folder.metadata)) as connection:
        connection.execute("BEGIN")
        checking = Check(SqliteReader(connection), FileBlobs(folder.blobs, LocalDisk()), read_bodies=not quick)
        findings = asyncio.run(checking.run())
        connection.execute("ROLLBACK")
    if as_json:
        document = {"objects": checking.checked_objects, "events": checking.checked_events, "findings": findings}
        typer.echo(json.dumps(document))
    else:
        for finding in findings:
            typer.echo(finding)
        verdict = f"{len(findings)} findings" if findings else "nothing is wrong"
        typer.echo(f"Checked {checking.checked_objects} objects and {checking.checked_events} events: {verdict}.")
    if findings:
        raise typer.Exit(1)
