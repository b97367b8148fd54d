"""`elasticlake system`: the installation at a glance."""

from __future__ import annotations

from elasticlake.cli.client import path
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.table import Column

app = lone()

_NODES = {
    "NODE": Column("name", shortens_to=16),
    "ROLE": Column("role"),
    "ALIVE": Column("isAlive"),
    "HEARTBEAT": Column("heartbeatAt", is_time=True),
    "STARTED": Column("startedAt", is_time=True, spare=1),
    "EPOCH": Column("epoch", spare=2),
}


@command(app, "system")
def system(session: Session) -> None:
    """Show the installation: engine, nodes, totals, backlog. Needs a token of every account."""
    found = session.client.get(path("system"))
    session.output.document(found, without=["nodes"])
    session.output.section("nodes", found.get("nodes", []), _NODES)
