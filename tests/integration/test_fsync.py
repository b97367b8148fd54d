"""Durability as the system sees it: how often the disk is waited for (I1)."""

from __future__ import annotations

import subprocess
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
    command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(report), *pids]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as strace:
        eventually(lambda: all(_is_traced(pid) for pid in server.gateway_pids))
        yield
        strace.terminate()


def _is_traced(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)


@pytest.mark.embedded
@pytest.mark.needs_strace
@pytest.mark.parametrize(("size_bytes", "waits_each"), [(4096, 1), (1024 * 1024, 3)])
def test_every_sequential_put_waits_for_the_disk(
    spawn: Spawn, tmp_path: Path, size_bytes: int, waits_each: int
) -> None:
    server = spawn()
    server.start()
    s3: Any = s3_client(server)
    s3.create_bucket(Bucket="durable")
    s3.put_object(Bucket="durable", Key="first", Body=bytes(size_bytes))
    with traced(server, tmp_path / "strace"):
        for number in range(PUTS):
            s3.put_object(Bucket="durable", Key=f"k{number}", Body=bytes(size_bytes))
    calls = [line for line in (tmp_path / "strace").read_text().splitlines() if line.rstrip().endswith("= 0")]
    assert len(calls) >= PUTS * waits_each
