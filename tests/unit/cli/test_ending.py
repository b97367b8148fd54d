"""Whatever goes wrong is one line and an exit code: in this process by its kind, and in the real one by its pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from tests.unit.cli.conftest import Run, Spawn
from tests.unit.cli.rest_server import TOKEN, RestServer

from elasticlake import __version__
from elasticlake.cli.ending import faults_told
from elasticlake.cli.errors import MEANINGS, CommandFailed, ExitCode
from elasticlake.errors import NotEmpty


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandFailed("no\nsuch", ExitCode.UNREACHABLE), 3, r"no\\nsuch"),
        (NotEmpty("It is not empty."), 1, r"It is not empty\."),
        (PermissionError(13, "Permission denied", "a/b"), 1, "Permission denied: a/b"),
        (ModuleNotFoundError(name="psycopg.sql"), 1, r"this needs .* psycopg\.sql: .* '\.\[server,postgres\]'"),
        (ModuleNotFoundError(name="elasticlake.gone"), 70, "an answer that nobody foresaw.*: ModuleNotFoundError.*"),
        (KeyError("sequence"), 70, "an answer that nobody foresaw.*: KeyError: 'sequence' at ending.py:[0-9]+"),
    ],
)
def test_each_kind_has_its_line_and_its_code(
    error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, faults_told():
        raise error
    assert ended.value.exit_code == code
    assert re.fullmatch(f"elasticlake: {line}", capsys.readouterr().err.removesuffix("\n"))


@pytest.mark.parametrize("error", [KeyError("sequence"), PermissionError(13, "Permission denied", "a/b")])
def test_who_asks_is_shown_the_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICLAKE_TRACEBACK", "1")
    with pytest.raises(typer.Exit), faults_told():
        raise error
    shown, _, line = capsys.readouterr().err.rpartition("\nelasticlake: ")
    assert shown.startswith("Traceback (most recent call last):")
    assert "raise error" in shown
    assert line.count("\n") == 1


@pytest.mark.parametrize("error", [typer.Exit(3), typer.Abort(), typer.BadParameter("No.")])
def test_what_typer_words_is_left_to_it(error: Exception) -> None:
    with pytest.raises(type(error)) as ended, faults_told():
        raise error
    assert ended.value is error


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("path", "answer", "arguments"),
    [
        ("/v1/lakes", [], ["lake", "list"]),
        ("/v1/lakes", {"items": 7}, ["lake", "list"]),
        ("/v1/lakes", b"<html>", ["lake", "list"]),
        ("/v1/buckets/b", {"sequence": "many"}, ["events", "tail", "b"]),
        ("/v1/webhooks/wh_1/explain", {}, ["webhook", "explain", "wh_1"]),
        ("/v1/webhooks/wh_1/statistics", {"steps": [3]}, ["webhook", "statistics", "wh_1"]),
        ("/v1/deliveries/dlv_1", {"attemptLog": "none"}, ["webhook", "delivery", "dlv_1"]),
        ("/v1/system", {"nodes": {"a": 1}}, ["system"]),
    ],
)
def test_answers_of_another_kind_of_server_are_one_line(
    run: Run, server: RestServer, path: str, answer: object, arguments: list[str]
) -> None:
    server.refusals[path] = (200, answer)
    result = run(*arguments)
    assert result.exit_code in (ExitCode.REFUSED, ExitCode.FAULT)
    assert result.stderr.startswith("elasticlake: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["lake", "list"], ["lake", "--help"], ["--help"], ["lake", "list", "--json"]])
def test_output_that_cannot_be_written_is_one_line(server: RestServer, arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "elasticlake", "--url", server.url, "--token", TOKEN, *arguments]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=30, text=True)
    assert (ran.returncode, ran.stderr) == (1, "elasticlake: No space left on device\n")


@pytest.mark.parametrize("arguments", [["lake", "list"], ["--help"]])
def test_a_reader_that_leaves_early_has_its_code(server: RestServer, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "elasticlake", "--url", server.url, "--token", TOKEN, *arguments]
    with os.fdopen(writing, "wb") as stdout:
        ran = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=30)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_stdout_that_is_closed_is_no_fault(server: RestServer) -> None:
    command = f"'{sys.executable}' -m elasticlake --url {server.url} --token {TOKEN} lake list --json >&-"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_ctrl_c_ends_with_130_and_without_a_word(server: RestServer) -> None:
    server.put("buckets", bucket="b")
    command = [sys.executable, "-m", "elasticlake", "--url", server.url, "--token", TOKEN, "job", "show", "job_1"]
    server.looks.append({"id": "job_1", "webhook": "wh_1", "status": "running", "scanned": 1, "total": 2})
    with subprocess.Popen([*command, "--follow", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(server.calls) < 3:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr


def test_threads_of_the_object_stores_library_do_not_spoil_the_end(store_that_answers_late: str) -> None:
    """One that reports while the interpreter takes itself apart would abort the process (CPython before 3.14)."""
    command = [sys.executable, str(Path(__file__).with_name("ends_in_the_middle.py")), store_that_answers_late]
    ran = subprocess.run([*command, "--version"], capture_output=True, timeout=30, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"elasticlake {__version__}\n", "")


@pytest.mark.parametrize(("code", "expected"), [(0, 1), (3, 3)])
def test_what_could_not_be_written_at_the_end_is_no_success(code: int, expected: int) -> None:
    script = f"import sys, obstore; from elasticlake.cli.ending import leave; sys.stdout.write('x'); leave({code})"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([sys.executable, "-c", script], stdout=full, env=variables, timeout=30)
    assert ran.returncode == expected


@pytest.fixture
def store_that_answers_late(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 that lets every request wait for 0.3 seconds, and then refuses it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    class Late(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            time.sleep(0.3)
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"s3://bucket/prefix?endpoint=http://127.0.0.1:{http.server_port}&region=us-east-1"
        http.shutdown()
        thread.join()


def test_without_colours_and_in_a_narrow_terminal_a_table_is_still_plain(spawn: Spawn, server: RestServer) -> None:
    server.put("lakes", lake="lake1", name="A rather long name")
    result = spawn(
        "--url", server.url, "--token", TOKEN, "lake", "list", env={"NO_COLOR": "1", "COLUMNS": "10", "TERM": "dumb"}
    )
    assert result.returncode == 0
    assert "A rather long name" in result.stdout
    assert "\x1b" not in result.stdout


def test_json_of_a_refusal_leaves_stdout_empty(run: Run, server: RestServer) -> None:
    server.refusals["/v1/lakes"] = (409, {"title": "Conflict", "detail": "No."})
    result = run("lake", "list", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
