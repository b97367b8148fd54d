"""What the stores' connections are really asked to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and whether it held up the event loop."""

    sql: str
    on_event_loop: bool

    @property
    def changes_rows(self) -> bool:
        return self.sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))


@contextmanager
def traced(path: Path) -> Iterator[list[Statement]]:
    """The statements that connections to the file run meanwhile."""
    seen: list[Statement] = []

    def trace(_cursor: apsw.Cursor, sql: str, _bindings: Any) -> bool:
        seen.append(Statement(sql, threading.current_thread() is threading.main_thread()))
        return True

    connections = [connection for connection in apsw.connections() if connection.filename == str(path)]
    for connection in connections:
        connection.exec_trace = trace
    try:
        yield seen
    finally:
        for connection in connections:
            connection.exec_trace = None
