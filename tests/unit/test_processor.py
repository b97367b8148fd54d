"""That what works in a dispatcher gives way. What that is worth is measured (`bench/turns.py`), never timed here."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from elasticlake.clock import SystemClock
from elasticlake.delivery.connection import Connection
from elasticlake.metadata.history import Attempt, HistoryReader, HistoryWriter

ATTEMPT = Attempt(
    "wh_1", 1, 1, 1, 1, "evt_1", "object:created", b"k", 1, 1.0, 200, None, None, (), b"{}", (), b"", "delivered", None,
)  # fmt: skip


class Wire(asyncio.Transport):
    """Takes what is written."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Grows each time that a thread asks how long it has run."""
    asked: list[float] = []
    real = time.thread_time
    monkeypatch.setattr("elasticlake.processor.time.thread_time", lambda: asked.append(real()))
    return asked


async def test_a_connection_gives_way_after_each_write_and_each_read(asked: list[float]) -> None:
    connection = Connection("127.0.0.1:80", None, SystemClock())  # type: ignore[arg-type]
    connection.connection_made(Wire())
    connection._write(b"a request")
    assert len(asked) == 1
    connection.data_received(b"an answer")
    assert len(asked) == 2


def test_history_gives_way_around_each_statement_and_keeps_all(asked: list[float], tmp_path: Path) -> None:
    history, attempts = HistoryWriter(tmp_path), [replace(ATTEMPT, sequence=number) for number in range(1, 46)]
    history.append(attempts)
    history.close()
    assert len(asked) == 5  # two statements of twenty, and the rest
    reader = HistoryReader(tmp_path)
    kept = [reader.of_delivery("wh_1", 1, one.sequence, 1) for one in attempts]
    assert kept == [[one] for one in attempts]
    reader.close()
