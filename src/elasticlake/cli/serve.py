"""`elasticlake serve`: run a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import ValidationError

from elasticlake.cli import candidates
from elasticlake.cli.command import output_of
from elasticlake.cli.errors import usage
from elasticlake.cli.settings_fault import sentence
from elasticlake.config.settings import Settings, load_settings


def _option(name: str, *flags: str) -> Any:
    """An option whose help text and variable are those of the setting."""
    setting = Settings.model_fields[name]
    choices = get_args(setting.annotation) if get_origin(setting.annotation) is Literal else ()
    offer = candidates.words(*choices) if choices else None
    return typer.Option(*flags, autocompletion=offer, help=setting.description, envvar=None, show_default=False)


def serve(
    ctx: typer.Context,
    data: Annotated[Path | None, _option("data")] = None,
    role: Annotated[str | None, _option("role")] = None,
    metadata: Annotated[str | None, _option("metadata")] = None,
    blobs: Annotated[str | None, _option("blobs")] = None,
    listen: Annotated[str | None, _option("listen")] = None,
    workers: Annotated[int | None, _option("workers")] = None,
    config: Annotated[Path | None, typer.Option(envvar="ELASTICLAKE_CONFIG", help="A TOML file with options.")] = None,
    tls_cert: Annotated[Path | None, _option("tls_cert")] = None,
    tls_key: Annotated[Path | None, _option("tls_key")] = None,
    public_url: Annotated[str | None, _option("public_url")] = None,
    trusted_proxy: Annotated[list[str] | None, _option("trusted_proxy")] = None,
    domain: Annotated[list[str] | None, _option("domain")] = None,
    egress_allow: Annotated[list[str] | None, _option("egress_allow")] = None,
    egress_http: Annotated[bool | None, _option("egress_http", "--egress-http/--no-egress-http")] = None,
    master_key_file: Annotated[Path | None, _option("master_key_file")] = None,
    min_free_space: Annotated[str | None, _option("min_free_space")] = None,
    history: Annotated[bool | None, _option("history", "--history/--no-history")] = None,
    history_days: Annotated[int | None, _option("history_days")] = None,
    event_retention_days: Annotated[int | None, _option("event_retention_days")] = None,
    event_retention_size: Annotated[str | None, _option("event_retention_size")] = None,
    activity_retention_days: Annotated[int | None, _option("activity_retention_days")] = None,
    blob_grace_seconds: Annotated[int | None, _option("blob_grace_seconds")] = None,
    access_log: Annotated[bool | None, _option("access_log", "--access-log/--no-access-log")] = None,
    log_level: Annotated[str | None, _option("log_level")] = None,
    log_format: Annotated[str | None, _option("log_format")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it serves as a JSON document, in one line.")
    ] = False,
) -> None:
    """Run a server in the foreground: S3, REST, and webhook delivery.

    Each option is also a variable (--data is ELASTICLAKE_DATA) and a line of the TOML file (data = "…"). Credentials
    come from ELASTICLAKE_ROOT_ACCESS_KEY, ELASTICLAKE_ROOT_SECRET_KEY, ELASTICLAKE_API_TOKEN and
    ELASTICLAKE_DASHBOARD_PASSWORD; what is missing is made at the first start.
    """
    options = {name: value for name, value in locals().items() if name in Settings.model_fields}
    if config is not None and not config.is_file():
        raise usage(f"the file {config} does not exist")
    try:
        settings = load_settings(options, config)
    except ValidationError as error:
        raise usage(sentence(error, config, Settings.model_fields)) from None
    except ValueError as error:
        raise usage(f"{config}: {error}") from None
    from elasticlake.server.serve import serve as run_server  # a second, which --help need not pay

    output = output_of(ctx, as_json)
    code = run_server(settings, as_json=output.as_json)
    if code == 0 and not output.as_json and sys.stdout.isatty():
        typer.echo("\nStopped; nothing is lost.")  # below the ^C that the terminal shows
    raise typer.Exit(code)
