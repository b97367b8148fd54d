"""Suites whose tool is missing: here, those of a machine without a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run_alone(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", ROOT / "tests/browser", "-p", "no:cacheprovider", *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ELASTIC"))}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=inherited | {"PATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("options", [(), ("--numprocesses", "2")], ids=["one process", "two processes"])
def test_what_is_left_out_is_named_in_the_last_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended = run_alone(tmp_path, *options)
    assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert ended.stdout.splitlines()[-1].startswith("Suites left out: chromium (no chromium): ")


def test_where_all_must_run_it_does_not_begin(tmp_path: Path) -> None:
    ended = run_alone(tmp_path, ELASTICLAKE_ALL_SUITES="1")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "every suite must run, but tools are missing: " in ended.stderr
