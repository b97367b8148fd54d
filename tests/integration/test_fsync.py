"""Durability as the system sees it: how often the disk is waited for (I1)."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import eventually
from tests.integration.server import Server

PUTS = 20


@contextmanager
def traced(server: Server, report: Path) -> Iterator[None]:
    """Every fsync and fdatasync of the gateway while the block runs, a line each."""
    pids = [argument for pid in server.gateway_pids for argument in ("-p", str(pid))]
    command = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", str(report), *pids]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as strace:
        eventually(lambda: all(_is_traced(pid) for pid in server.gateway_pids))
        yield
        strace.terminate()


def _is_traced(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)


@pytest.mark.embedded
@pytest.mark.needs_strace
@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(4096, {"log": 1}), (1024 * 1024, {"log": 2, "blob": 1, "folder": 1})],
)
def test_every_sequential_put_waits_for_the_disk(
    spawn: Spawn, tmp_path: Path, size_bytes: int, expected: dict[str, int]
) -> None:
    server = spawn()
    server.start()
    s3: Any = s3_client(server)
    s3.create_bucket(Bucket="durable")
    s3.put_object(Bucket="durable", Key="first", Body=bytes(size_bytes))
    with traced(server, tmp_path / "strace"):
        for number in range(PUTS):
            s3.put_object(Bucket="durable", Key=f"k{number}", Body=bytes(size_bytes))
    synced = Counter(map(_what, (tmp_path / "strace").read_text().splitlines()))
    assert {what: synced[what] >= PUTS * each for what, each in expected.items()} == dict.fromkeys(expected, True)


def _what(line: str) -> str:
    """Of what sort the file is that this call makes safe; one that another thread interrupts has its end on a line of
    its own."""
    called = re.search(r"<(?P<path>/.+?)>", line)
    path = Path(called["path"]) if called else Path()
    if path.name == "metadata.db-wal":
        return "log"
    sorts = {"blobs": "folder", "tmp": "blob"}
    return sorts.get(path.parent.name, "other")
