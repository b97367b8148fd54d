"""Several processes' metrics in one folder. Each is an object of its own here, as each is a process's own there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from elasticlake.service.metrics import Metrics
from elasticlake.service.shared_metrics import SharedMetrics, begin


def share(folder: Path, process: str) -> SharedMetrics:
    return SharedMetrics(folder, process, "1.2.3", Metrics())


async def lines(shared: SharedMetrics, name: str) -> list[str]:
    text = (await shared.exposition()).decode()
    return [line for line in text.splitlines() if line.startswith(name)]


async def test_any_process_answers_for_all(tmp_path: Path) -> None:
    first, second = share(tmp_path, "gateway-0"), share(tmp_path, "gateway-1")
    first.metrics.observe_commit(2, 0.01)
    second.metrics.observe_commit(3, 0.01)
    # Its own counts are of this moment; the other's are as it wrote them last.
    assert await lines(first, "elasticlake_mutations_total") == ["elasticlake_mutations_total 2.0"]
    await second.write()
    assert await lines(first, "elasticlake_mutations_total") == ["elasticlake_mutations_total 5.0"]
    assert await lines(first, "elasticlake_info") == ['elasticlake_info{version="1.2.3"} 1.0']


async def test_each_process_is_described(tmp_path: Path) -> None:
    first, second = share(tmp_path, "gateway-0"), share(tmp_path, "dispatcher")
    await second.write()
    for name in ("process_start_time_seconds", "process_cpu_seconds_total", "process_resident_bytes"):
        found = await lines(first, f"elasticlake_{name}")
        assert [line.split('"')[1] for line in found] == ["gateway-0", "dispatcher"]
        assert all(float(line.split()[1]) > 0 for line in found)


async def test_a_process_that_is_started_again_goes_on_counting(tmp_path: Path) -> None:
    first = share(tmp_path, "gateway-0")
    first.metrics.s3_request("GetObject", 200, 0.1, 1, 2)
    await first.write()
    again = share(tmp_path, "gateway-0")
    again.metrics.s3_request("GetObject", 200, 0.1, 1, 2)
    expected = 'elasticlake_s3_requests_total{operation="GetObject",status="200"} 2.0'
    assert await lines(again, "elasticlake_s3_requests_total") == [expected]


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"{", b"\xff"])
async def test_a_file_that_a_power_cut_damaged_is_no_obstacle(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "gateway-0.json").write_bytes(damage)
    (tmp_path / "gateway-1.json").write_bytes(damage)
    assert await lines(share(tmp_path, "gateway-0"), "elasticlake_commits_total") == ["elasticlake_commits_total 0.0"]


async def test_a_server_begins_without_an_earlier_ones_processes(tmp_path: Path) -> None:
    old = share(tmp_path, "gateway-7")
    old.metrics.observe_commit(1, 0.01)
    await old.write()
    counted = Metrics()
    counted.positions_clamped(3)
    begin(tmp_path, counted)
    new = share(tmp_path, "gateway-0")
    assert await lines(new, "elasticlake_commits_total") == ["elasticlake_commits_total 0.0"]
    assert await lines(new, "elasticlake_positions_clamped_total") == ["elasticlake_positions_clamped_total 3.0"]


async def test_what_was_counted_last_is_written_at_the_end(tmp_path: Path) -> None:
    shared = share(tmp_path, "gateway-0")
    async with shared.sharing():
        await asyncio.sleep(0.05)
        shared.metrics.observe_commit(9, 0.01)
    again = share(tmp_path, "gateway-0")
    assert await lines(again, "elasticlake_mutations_total") == ["elasticlake_mutations_total 9.0"]


async def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    async with share(folder, "gateway-0").sharing():
        await asyncio.sleep(0.05)
        folder.mkdir()
    assert (folder / "gateway-0.json").exists()
