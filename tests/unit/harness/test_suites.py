"""Suites whose tool is missing: here, those of a machine without a browser."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 90
END_SECONDS = 5


def run_alone(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Pytest on one file of the browser's tests, with only `folder` to find programs in.

    One that hangs fails the test with its processes' stacks, which pytest writes when it is aborted.
    """
    # Folders of its own: else it would delete those of earlier runs at its end, as pytest does.
    quietly = ("-p", "no:cacheprovider", "--basetemp", folder / "temporary")
    command = [sys.executable, "-m", "pytest", ROOT / "tests/browser/test_start.py", *quietly, *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ELASTIC"))}
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=inherited | {"PATH": str(folder)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        written, errors = running.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGABRT)
        written, errors = running.communicate(timeout=END_SECONDS)
        pytest.fail(f"still running after {LIMIT_SECONDS} s\n{written}\n{errors}")
    finally:
        if running.poll() is None:  # whatever ended the wait, nothing outlives it
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    return subprocess.CompletedProcess(command, running.returncode, written, errors)


@pytest.mark.parametrize("options", [(), ("--numprocesses", "2")], ids=["one process", "two processes"])
def test_what_is_left_out_is_named_in_the_last_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended = run_alone(tmp_path, *options)
    assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert ended.stdout.splitlines()[-1].startswith("Suites left out: chromium (no chromium): ")


def test_where_all_must_run_it_does_not_begin(tmp_path: Path) -> None:
    ended = run_alone(tmp_path, ELASTICLAKE_ALL_SUITES="1")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "every suite must run, but tools are missing: " in ended.stderr
