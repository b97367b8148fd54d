import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_rounds_are_measured_beside_both_dispatchers() -> None:
    command = [sys.executable, "-m", "bench.turns", "0.2"]
    lines = subprocess.check_output(command, cwd=ROOT, text=True, timeout=60).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"beside a dispatcher {how}" for how in ("left alone", "giving way")
    ]
    assert all(float(line.split("p50 ")[1].split()[0]) > 0 for line in lines)
