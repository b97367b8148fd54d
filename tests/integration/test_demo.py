"""`elasticlake demo` to its end and interrupted: what it shows, and that it leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest
from tests.integration.server import clean_environment, elasticlake

pytestmark = pytest.mark.embedded
STEPS = [
    *("server", "receiver", "bucket", "webhook"),
    *("upload", "event", "delivery", "attempt"),
    *("upload", "failure", "delivery", "attempts", "end"),
]


class Demo:
    """A demo that runs, with a folder of its own for what is temporary."""

    def __init__(self, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        temporary.mkdir()
        command = [sys.executable, "-m", "elasticlake", "demo", *arguments]
        env = clean_environment(TMPDIR=str(temporary), ELASTICLAKE_WORKERS="nonsense for another server")
        self.process = subprocess.Popen(
            command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )

    @property
    def lines(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def require_gone(self, url: str) -> None:
        """No folder, nobody who listens, and no process that still holds the demo's standard error."""
        assert list(self.temporary.iterdir()) == []
        parts = urlsplit(url)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname, parts.port))
        for task in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert str(self.temporary) not in task.read_text(errors="replace")
            except OSError:  # a process of somebody else's, which ended meanwhile
                continue


def test_it_shows_a_verified_delivery_and_one_that_was_retried(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "tmp", "--json")
    steps = [json.loads(line) for line in demo.lines]
    assert demo.process.wait(60) == 0, demo.process.stderr
    assert [step["step"] for step in steps] == STEPS
    first, second = (step for step in steps if step["step"] == "delivery")
    assert (first["verified"], first["answer"]) == (True, 204)
    assert first["body"]["event"] == "object:created"
    assert first["headers"]["X-ElasticLake-Signature"].startswith("sha256=")
    assert second["headers"]["X-ElasticLake-Attempt"] == "2"
    attempts = next(step for step in steps if step["step"] == "attempts")["attemptLog"]
    assert [attempt["statusCode"] for attempt in attempts] == [503, 204]
    demo.require_gone(steps[0]["url"])


def test_it_goes_on_until_ctrl_c_and_keeps_what_it_is_told_to(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "tmp", "--keep", "--data", str(tmp_path / "kept"))
    shown = ""
    for line in demo.lines:
        shown += line
        if line.startswith("In Python"):  # the last words before it waits
            break
    assert "signature verified" in shown
    assert re.search(r"dashboard: http://127\.0\.0\.1:\d+/ui\n +password: \S+", shown)
    url = re.search(r"http://127\.0\.0\.1:\d+", shown)
    assert url is not None
    demo.process.send_signal(signal.SIGINT)
    _, stderr = demo.process.communicate(timeout=60)
    assert (demo.process.returncode, stderr) == (0, "")
    demo.require_gone(url[0])
    assert json.loads(elasticlake("check", "--data", tmp_path / "kept", "--json").stdout)["objects"] == 2


def test_ctrl_c_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "tmp", "--json")
    server = json.loads(next(demo.lines))
    demo.process.send_signal(signal.SIGINT)
    demo.process.send_signal(signal.SIGINT)
    _, stderr = demo.process.communicate(timeout=60)
    assert (demo.process.returncode, stderr) == (130, "")
    demo.require_gone(server["url"])


def test_what_is_not_verified_is_a_failure(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "tmp", "--json")
    steps = []
    for line in demo.lines:
        steps.append(json.loads(line))
        if steps[-1]["step"] == "webhook":
            forged = http.client.HTTPConnection(urlsplit(steps[-1]["endpoint"]).netloc, timeout=30)
            forged.request("POST", "/hook", b"{}", {"webhook-id": "evt_1"})
            assert forged.getresponse().status == 401
            forged.close()
    assert demo.process.stderr is not None
    assert demo.process.stderr.read().startswith("elasticlake: the delivery was not verified: ")
    assert demo.process.wait(60) == 1
    assert steps[-1]["step"] != "end"
    demo.require_gone(steps[0]["url"])


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    ran = elasticlake("demo", "--data", "/dev/null/data", TMPDIR=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("elasticlake: the server did not start: the data folder cannot be made: ")
    assert list(tmp_path.iterdir()) == []


def test_without_the_server_s_libraries_a_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pydantic_settings.py").write_text("raise ModuleNotFoundError('No module', name='pydantic_settings')\n")
    ran = elasticlake("demo", PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.endswith("this needs the library pydantic_settings: "
                               "install elasticlake[server], in a clone by: pip install '.[server]'\n")  # fmt: skip
    assert ran.stderr.count("\n") == 1
