"""`elasticlake health`."""

from __future__ import annotations

from elasticlake.cli.client import path
from elasticlake.cli.command import Session, command, lone

app = lone()


@command(app, "health")
def health(session: Session) -> None:
    """Ask the server whether it is well, and for its version. Needs no token."""
    session.output.document(session.client.get(path("health"), auth=False))
