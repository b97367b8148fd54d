"""Options that say where a server's data is, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elasticlake.cli.errors import usage

if TYPE_CHECKING:
    from elasticlake.config.settings import Settings
    from elasticlake.server.place import Place

DataOption = Annotated[Path, typer.Option(envvar="ELASTICLAKE_DATA", help="The server's data folder.")]
MetadataOption = Annotated[
    str | None,
    typer.Option(
        envvar="ELASTICLAKE_METADATA", show_default=False, help="The server's postgresql://… URL, if it has one."
    ),
]
BlobsOption = Annotated[
    str | None,
    typer.Option(
        envvar="ELASTICLAKE_BLOBS", show_default=False, help="The server's s3://…, gs://… or az://… URL, if it has one."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def settings_of(called: Mapping[str, str] | None = None, **options: str | Path | None) -> Settings:
    """The server's settings with these options; whatever is wrong with them ends the command. `called` says what an
    option is called here, if not as for a server."""
    from pydantic import ValidationError  # half a second with all below, which --help need not pay

    from elasticlake.cli.settings_fault import sentence
    from elasticlake.config.settings import Settings, load_settings
    from elasticlake.server.composition import require_stores

    try:
        settings = load_settings(dict(options))
    except ValidationError as error:
        raise usage(sentence(error, None, Settings.model_fields, called)) from None
    require_stores(settings)
    return settings


def place_of(settings: Settings) -> Place:
    """Where the data is that the settings speak of."""
    from elasticlake.server.folder import DataFolder
    from elasticlake.server.place import Place

    return Place(DataFolder(settings.data), settings.metadata, settings.blobs)
