"""`elasticlake migrate`: the newest schema for the metadata."""

from __future__ import annotations

from pathlib import Path

import typer

from elasticlake.cli.command import output_of
from elasticlake.cli.place import DataOption, JsonOption, MetadataOption, place_of, settings_of
from elasticlake.cli.table import Column

_COLUMNS = {"schema": Column("schema"), "before": Column("before"), "now": Column("now")}


def migrate(
    ctx: typer.Context, data: DataOption = Path("data"), metadata: MetadataOption = None, as_json: JsonOption = False
) -> None:
    """Bring the metadata's schemas to what this version needs, and print each one's version.

    On PostgreSQL: run it once, before the first server of a new version starts; an empty database gets its schema. A
    data folder is also migrated by the server itself when it starts.
    """
    from elasticlake.server.schema import migrate as run_migrate

    migrated = run_migrate(place_of(settings_of(data=data, metadata=metadata)))
    output_of(ctx, as_json).items([dict(one._asdict()) for one in migrated], _COLUMNS)
