"""`elasticlake system`: the installation at a glance."""

from __future__ import annotations

from typing import Any

from elasticlake.cli.client import path
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.output import size
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


def with_sizes(value: Any, *, is_size: bool = False) -> Any:
    """The document with its sizes as people read them: what is called bytes, and the files of the databases."""
    if isinstance(value, dict):
        return {
            name: with_sizes(item, is_size=is_size or name.lower().endswith("bytes") or name == "databases")
            for name, item in value.items()
        }
    return size(value) if is_size and isinstance(value, int) and value else value


@command(app, "system")
def system(session: Session) -> None:
    """Show the installation: engine, nodes, totals, backlog. Needs a token of every account."""
    found = session.client.get(path("system"))
    shown = found if session.output.as_json else with_sizes(found)
    session.output.document(shown, without=["nodes"])
    session.output.section("nodes", found.get("nodes", []), _NODES)
