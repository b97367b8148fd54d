from pathlib import Path

from bench.limits import FDATASYNC_P50, FDATASYNC_P99, FDATASYNC_RATE, MD5, WRITE_FSYNC, machine_limits


def test_all_limits_are_measured_and_leave_nothing_behind(tmp_path: Path) -> None:
    limits = {limit.name: limit.value for limit in machine_limits(tmp_path, quick=True)}
    assert all(value > 0 for value in limits.values())
    assert {MD5, WRITE_FSYNC, FDATASYNC_RATE} < set(limits)
    assert limits[FDATASYNC_P50] <= limits[FDATASYNC_P99]
    assert list(tmp_path.iterdir()) == []
