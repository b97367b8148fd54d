"""An example as a newcomer runs it: by its README's own commands, in a copy of its folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.docs.documents import ROOT, Document, blocks
from tests.integration.receiver import eventually
from tests.integration.server import clean_environment

from elasticlake import Client
from elasticlake.client.models import Job, Webhook

NAMES = ("image_pipeline", "audit_log", "data_pipeline", "search_index")
READY = "Ctrl-C ends everything."
START_SECONDS = 40.0
STOP_SECONDS = 40.0


def commands(name: str) -> list[str]:
    """The README's three."""
    section = Document(f"examples/{name}/README.md").section("Three commands")
    return [line for block in blocks(section) if block.language == "sh" for line in block.text.splitlines()]


class Example:
    """One that runs; `client` and `s3` are its server's."""

    def __init__(self, name: str, folder: Path, **variables: str) -> None:
        self.folder = folder / "examples" / name
        self._commands = commands(name)
        self._output = folder / "run.out"
        self._env = clean_environment(**variables)
        _copy_examples(folder / "examples", self.folder)
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                shlex.split(self._commands[1]),
                cwd=self.folder,
                env=self._env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        eventually(lambda: READY in self.output or self.process.poll() is not None, seconds=START_SECONDS)
        assert self.process.poll() is None, self.output

    def connect(self) -> None:
        """With what the environment names, else as whoever sources the file that the example has written."""
        told = self._env if "ELASTICLAKE_URL" in self._env else self._written()
        self.client = Client(told["ELASTICLAKE_URL"], told["ELASTICLAKE_API_TOKEN"])
        self.s3 = self.client.s3(told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"])

    def try_it(self) -> str:
        """What the third command prints; it must succeed."""
        ran = subprocess.run(
            shlex.split(self._commands[2]),
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=80,
            check=False,
        )
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}\n{self.output}"
        return ran.stdout

    def kill(self, name: str) -> None:
        """SIGKILL, and wait for the next."""
        killed = self.pid(name)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: self.pid(name) != killed)

    def pid(self, name: str) -> int:
        return int(re.findall(rf"Started the {name}: process (\d+)", self.output)[-1])

    @property
    def receiver_url(self) -> str:
        return self.webhook.endpoint.removesuffix("/hook")

    @property
    def webhook(self) -> Webhook:
        (found,) = self.client.webhooks.list()
        return found

    def wait_until_told(self) -> None:
        """Until nothing is left that the webhook has not acknowledged."""
        eventually(lambda: not list(self.client.webhooks.reconcile(self.webhook.id)))

    def replay(self, **how: Any) -> Job:
        """One of all events, to its end."""
        return self._ended(self.client.jobs.replay(self.webhook.id, **how))

    def backfill(self) -> Job:
        return self._ended(self.client.jobs.backfill(self.webhook.id))

    def redeliver_all(self) -> None:
        """Every event once more, in no order."""
        for delivery in list(self.client.webhooks.list_deliveries(self.webhook.id)):
            if delivery.kind == "event":
                self.client.deliveries.redeliver(delivery.id)
        eventually(lambda: all(one.status == "delivered" for one in self._redeliveries()))

    def rows(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """What one of the example's databases answers."""
        with closing(sqlite3.connect(self.folder / "data" / database, timeout=10)) as opened:
            return opened.execute(query).fetchall()

    def objects(self, bucket: str) -> dict[str, Any]:
        """Every object of a bucket with its body and head, by its key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: _whole(self.s3.get_object(Bucket=bucket, Key=key)) for key in keys}

    def stop(self) -> None:
        """Ctrl-C, which must end everything and succeed."""
        started = descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(STOP_SECONDS) == 0, self.output
        assert [pid for pid in started if is_alive(pid)] == []

    def _redeliveries(self) -> Iterator[Any]:
        listed = self.client.webhooks.list_deliveries(self.webhook.id)
        return (delivery for delivery in listed if delivery.kind == "redelivery")

    def _ended(self, job: Any) -> Job:
        ended: Job = eventually(lambda: (now := self.client.jobs.get(job.id)).status == "completed" and now)
        assert ended.failed == 0, self.output
        return ended

    def _written(self) -> dict[str, str]:
        written = self.folder / "data/lake.env"
        assert written.stat().st_mode & 0o777 == 0o600
        words = [shlex.split(line)[1] for line in written.read_text().splitlines()]
        return dict(word.split("=", 1) for word in words)


@contextmanager
def running(name: str, folder: Path, **variables: str) -> Iterator[Example]:
    """The example, with a server of its own unless the variables name one; in the end Ctrl-C leaves nothing behind."""
    example = Example(name, folder, **variables)
    try:
        example.wait_until_ready()
        example.connect()
        yield example
        example.stop()
    finally:
        end(example)


def end(example: Example) -> None:
    """Leave nothing behind, however the test ended."""
    for pid in [example.process.pid, *descendants(example.process.pid)]:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    example.process.wait()


def descendants(pid: int) -> list[int]:
    """Every process below."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found[1:]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _copy_examples(to: Path, folder: Path) -> None:
    shutil.copytree(ROOT / "examples", to, ignore=shutil.ignore_patterns("data", "env", "__pycache__"))
    python = folder / "env/bin/python"
    python.parent.mkdir(parents=True)
    # What the README's first command would make; the environment is the one that has been tested.
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"Body": answer["Body"].read()}
