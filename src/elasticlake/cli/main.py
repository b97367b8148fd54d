"""`elasticlake`: the root command, its global options, and where each command is found.

A command's module is imported when it is called, so that `--help` is quick and the REST commands need nothing of the
server.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TextIO

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from elasticlake import __version__
from elasticlake.cli.command import JSON_HELP, GlobalOptions, lone
from elasticlake.cli.connection import CREDENTIALS_FILE, DEFAULT_URL
from elasticlake.cli.ending import faults_told, leave
from elasticlake.cli.errors import MEANINGS, ExitCode


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is (`module:name`, a `typer.Typer` or a function) and its line in the root's help."""

    target: str
    summary: str

    def load(self, name: str) -> Any:
        """The real command, its module imported now."""
        module_name, _, attribute = self.target.partition(":")
        found = getattr(importlib.import_module(module_name), attribute)
        if isinstance(found, typer.Typer):
            return get_command(found)
        app = lone()
        app.command(name)(found)
        return get_command(app)


class LazyGroup(TyperGroup):
    """A group that knows its commands' names and summaries, and loads the one that is called."""

    entries: ClassVar[dict[str, Entry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in self.entries.items():
            self.add_command(TyperCommand(name, help=entry.summary, rich_markup_mode=None))

    # The context's class is typer's own matter and moved between its releases, hence Any.
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, known, rest = super().resolve_command(ctx, args)
        if name is None or name not in self.entries:
            return name, known, rest
        try:
            return name, self.entries[name].load(name), rest
        except ModuleNotFoundError:
            if ctx.resilient_parsing:  # a shell asks what could follow: without the server's libraries, nothing
                return name, known, rest
            raise

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the arguments; `--help` is printed here."""
        with faults_told():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong becomes one line on stderr and an exit code."""
        with faults_told():
            return super().invoke(ctx)


class RootGroup(LazyGroup):
    """Every command of `elasticlake`, in the order of its help."""

    entries: ClassVar[dict[str, Entry]] = {
        "serve": Entry("elasticlake.cli.serve:serve", "Run the server: S3, the REST API and the webhooks' deliveries."),
        "demo": Entry(
            "elasticlake.cli.demo.command:demo", "Show it all in seconds: a server, an upload, its signed delivery."
        ),
        "check": Entry("elasticlake.cli.check:check", "Check a server's data: rows, blobs, checksums, sequences."),
        "migrate": Entry("elasticlake.cli.migrate:migrate", "Bring the metadata's schema to this version's."),
        "migrate-data": Entry(
            "elasticlake.cli.migrate_data:migrate_data", "Move a data directory to PostgreSQL and an object store."
        ),
        "backup": Entry("elasticlake.cli.backup:backup", "Back up a data directory, while its server runs or not."),
        "health": Entry("elasticlake.cli.health:app", "Ask the server whether it is well, and for its version."),
        "lake": Entry("elasticlake.cli.lake:app", "Lakes: the top of the hierarchy lake--pond--bucket."),
        "pond": Entry("elasticlake.cli.pond:app", "Ponds: the groups of buckets in a lake."),
        "bucket": Entry(
            "elasticlake.cli.bucket:app", "Buckets, their totals and their ACL; who was told of an object."
        ),
        "account": Entry("elasticlake.cli.account:app", "Accounts: the owners of buckets and keys."),
        "key": Entry("elasticlake.cli.key:app", "Access keys: what S3 clients sign with."),
        "token": Entry("elasticlake.cli.token:app", "Tokens: what the REST API and this command line use."),
        "activity": Entry("elasticlake.cli.activity:app", "Show who changed what of the installation, and when."),
        "system": Entry("elasticlake.cli.system:app", "Show the installation: engine, nodes, totals, backlog."),
        "webhook": Entry("elasticlake.cli.webhook:app", "Webhooks, their deliveries and attempts."),
        "job": Entry("elasticlake.cli.job:app", "Jobs: replays and backfills, and how far they are."),
        "events": Entry("elasticlake.cli.events:app", "Events: a bucket's log."),
        "listen": Entry("elasticlake.cli.listen:app", "Print events as they happen, and forward them to this machine."),
        "completion": Entry(
            "elasticlake.cli.completion:completion", "Print what makes Tab complete commands and names in a shell."
        ),
    }


app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"elasticlake {__version__}")
        raise typer.Exit


_EXIT_CODES = ", ".join(f"{code:d} {meaning.partition(':')[0]}" for code, meaning in MEANINGS.items())


@app.callback(
    help="S3-compatible object storage that turns every change into a signed webhook.",
    epilog=f"Exit codes: {_EXIT_CODES}.",
)
def root(
    ctx: typer.Context,
    url: Annotated[str, typer.Option(envvar="ELASTICLAKE_URL", help="The server.")] = DEFAULT_URL,
    token: Annotated[
        str,
        typer.Option(
            envvar="ELASTICLAKE_API_TOKEN",
            help=f"The API token. If none is given and the server is on this machine (127.0.0.1, localhost), the "
            f"apiToken of ./{CREDENTIALS_FILE} is used, where `elasticlake serve` keeps it.",
            show_default=False,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help=f"{JSON_HELP} Also after the command.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the global options for the command."""
    ctx.obj = GlobalOptions(url, token, as_json)


def main() -> None:
    """The `elasticlake` script."""
    sys.stdout, sys.stderr = (_writable(stream) for stream in (sys.stdout, sys.stderr))
    try:
        app(prog_name="elasticlake")
    except SystemExit as ended:
        leave(int(ended.code or 0))
    except KeyboardInterrupt:
        leave(ExitCode.INTERRUPTED)


def _writable(stream: TextIO | None) -> TextIO:
    """The stream, if the caller has not closed it. A key may hold what the terminal's encoding cannot show: it is
    written out rather than fail."""
    if stream is None:
        return open(os.devnull, "w")
    stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    return stream
