from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import TOKEN, RestServer

BUCKET = "lake1--pond1--my-bucket"


def happened(server: RestServer, first: int, last: int) -> None:
    server.put("buckets", bucket=BUCKET, sequence=last)
    for sequence in range(first, last + 1):
        server.happen(BUCKET, sequence, key=f"{sequence} a.txt")


def sequences(stdout: str) -> list[int]:
    return [json.loads(line)["sequence"] for line in stdout.splitlines()]


def test_after_reads_page_after_page_to_the_end(run: Run, server: RestServer) -> None:
    happened(server, 1, 5)
    result = run("events", "tail", BUCKET, "--after", "1", "--no-follow", "--json")
    assert result.exit_code == 0
    assert sequences(result.stdout) == [2, 3, 4, 5]


def test_without_after_it_shows_the_last_ten(run: Run, server: RestServer) -> None:
    happened(server, 1, 14)
    assert sequences(run("events", "tail", BUCKET, "--no-follow", "--json").stdout) == list(range(5, 15))


def test_without_after_it_begins_at_the_first_event_kept(run: Run, server: RestServer) -> None:
    happened(server, 9, 12)
    assert sequences(run("events", "tail", BUCKET, "--no-follow", "--json").stdout) == [9, 10, 11, 12]


def test_expired_events_asked_for_by_number_are_an_error(run: Run, server: RestServer) -> None:
    happened(server, 9, 12)
    result = run("events", "tail", BUCKET, "--after", "3", "--no-follow")
    assert result.exit_code == 1
    assert "the first one kept has sequence 9 (read on with --after 8) (410)" in result.stderr


def test_a_line_for_people_ends_with_the_key(run: Run, server: RestServer) -> None:
    happened(server, 1, 1)
    server.happen(BUCKET, 2, key="\x1b[2Jevil\nkey", event="object:deleted")
    first, second = run("events", "tail", BUCKET, "--after", "0", "--no-follow").stdout.splitlines()
    assert first.split(maxsplit=4) == ["1", "2026-01-02T03:04:05Z", "object:created", "5", "1 a.txt"]
    assert second.endswith(r"\x1b[2Jevil\nkey")


def test_a_missing_bucket(run: Run) -> None:
    assert run("events", "tail", BUCKET).stderr == f"elasticlake: no such bucket {BUCKET} (404)\n"


@pytest.fixture
def tailing(server: RestServer) -> Iterator[subprocess.Popen[str]]:
    server.put("buckets", bucket=BUCKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "elasticlake", "--url", server.url, "--json", "events", "tail", BUCKET, "--after", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ELASTICLAKE_API_TOKEN": TOKEN},
    )
    with process:
        yield process
        process.kill()


def test_follow_prints_each_event_at_once_and_ends_quietly_with_ctrl_c(
    server: RestServer, tailing: subprocess.Popen[str]
) -> None:
    assert tailing.stdout is not None
    assert tailing.stderr is not None
    for sequence in (1, 2, 3):
        server.happen(BUCKET, sequence)
        assert json.loads(tailing.stdout.readline())["sequence"] == sequence
    assert server.calls[-1].query["wait"] == "20"
    tailing.send_signal(signal.SIGINT)
    assert tailing.wait(10) == 0
    assert tailing.stderr.read() == ""


def test_ctrl_c_on_a_terminal_leaves_the_prompt_a_line_of_its_own(server: RestServer) -> None:
    server.put("buckets", bucket=BUCKET)
    server.happen(BUCKET, 1)
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "elasticlake", "--url", server.url, "events", "tail", BUCKET, "--after", "0"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "ELASTICLAKE_API_TOKEN": TOKEN},
    ) as process:
        os.close(terminal)
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert os.read(controller, 100) == b"\r\n"
        assert process.stdout.read() == ""
    os.close(controller)


def test_the_last_events_are_listed_the_latest_first(run: Run, server: RestServer) -> None:
    happened(server, 1, 14)
    listed = json.loads(run("events", "list", BUCKET, "--json").stdout)
    assert [event["sequence"] for event in listed] == list(range(14, 4, -1))
    assert len(run("events", "list", BUCKET, "--limit", "3").stdout.splitlines()) == 4
    of_key = json.loads(run("events", "list", BUCKET, "--key", "7 a.txt", "--json").stdout)
    assert [event["sequence"] for event in of_key] == [7]
