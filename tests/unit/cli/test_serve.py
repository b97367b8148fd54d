"""What `elasticlake serve` says: to options that are wrong, and when it has stopped."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run, Spawn


@pytest.mark.parametrize(
    ("option", "line"),
    [
        (["--workers", "0"], "--workers: 0 is not at least 1"),
        (["--workers", "65"], "--workers: 65 is not at most 64"),
        (["--min-free-space", "lots"], "--min-free-space: 'lots' is no size, such as 512MiB"),
        (["--min-free-space", "5 lots"], "--min-free-space: '5 lots' is no size, such as 512MiB"),
        (["--log-level", "loud"], "--log-level: 'loud' is not debug, info, warning or error"),
        (["--listen", "nowhere"], "--listen: 'nowhere' is no address: write HOST:PORT, as 127.0.0.1:9000"),
        (["--tls-cert", "a.pem"], "--tls-cert and --tls-key go together"),
        (["--config", "missing.toml"], "the file missing.toml does not exist"),
    ],
)
def test_a_bad_option_is_wrong_usage(run: Run, option: list[str], line: str) -> None:
    result = run("serve", *option)
    assert (result.exit_code, result.stderr) == (2, f"elasticlake: {line}\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("wrkers = 2\n", "own.toml: no option wrkers; did you mean workers?"),
        ("log-level = 'info'\n", "own.toml: no option log-level; did you mean log_level?"),
        ("xyzzy = 2\n", "own.toml: no option xyzzy"),
        ("history = 'maybe'\n", "--history: 'maybe' is not true or false"),
        ("history_days = 1.5\n", "--history-days: 1.5 is not a whole number"),
        ("listen = 9000\n", "--listen: it must be a valid string"),
    ],
)
def test_a_bad_file_is_wrong_usage(run: Run, content: str, line: str) -> None:
    Path("own.toml").write_text(content)
    result = run("serve", "--config", "own.toml")
    assert (result.exit_code, result.stderr) == (2, f"elasticlake: {line}\n")


def test_a_broken_file_and_a_bad_variable_are_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text("workers = \n")
    broken = run("serve", "--config", "own.toml")
    assert broken.exit_code == 2
    assert broken.stderr.startswith("elasticlake: own.toml: ")
    monkeypatch.setenv("ELASTICLAKE_WORKERS", "many")
    assert run("serve").stderr == "elasticlake: --workers: 'many' is not a whole number\n"


def test_what_fails_at_the_start_is_no_wrong_usage(spawn: Spawn) -> None:
    assert spawn("serve", "--data", "/dev/null/data", "--listen", "127.0.0.1:0").returncode == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_is_told_that_the_server_stopped(tmp_path: Path, stop: signal.Signals) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "elasticlake", "serve", "--data", str(tmp_path / "data"), "--listen"]
    with subprocess.Popen([*command, "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=terminal) as process:
        os.close(terminal)
        shown = b""
        while b"hello.txt" not in shown:  # the last of the first steps
            shown += os.read(controller, 65536)
        url = re.search(rb"http://127\.0\.0\.1:\d+", shown)
        assert url is not None
        with urllib.request.urlopen(f"{url[0].decode()}/v1/health", timeout=30):  # it waits until the server runs
            process.send_signal(stop)
        assert process.wait(40) == 0
    assert os.read(controller, 65536).endswith(b"\r\nStopped; nothing is lost.\r\n")
    os.close(controller)
