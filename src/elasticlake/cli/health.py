"""`elasticlake health`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli.client import path
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.errors import ExitCode
from elasticlake.cli.table import Column

UNREADY_STATUS = 503

app = lone()

_COLUMNS = {"check": Column("name"), "status": Column("status"), "detail": Column("detail")}


@command(app, "health")
def health(
    session: Session,
    ready: Annotated[bool, typer.Option("--ready", help="Ask whether it can work, and what it lacks.")] = False,
) -> None:
    """Ask the server whether it is well, and for its version. Needs no token.

    With --ready: exit code 1 if it cannot work now.
    """
    if ready:
        _show_readiness(session)
    else:
        session.output.document(session.client.get(path("health"), auth=False))


def _show_readiness(session: Session) -> None:
    found = session.client.get(path("health", "ready"), auth=False, also=UNREADY_STATUS)
    session.output.document(found, without=["checks"])
    session.output.section("checks", found.get("checks", []), _COLUMNS)
    if found.get("status") != "ok":
        raise typer.Exit(ExitCode.REFUSED)
