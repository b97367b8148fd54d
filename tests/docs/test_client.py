"""The page on the Python client: its programs run as they are written, its tables name what there is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.documents import Document, blocks, codes, rows
from tests.integration.conftest import s3_client
from tests.integration.server import ACCESS_KEY, API_TOKEN, SECRET_KEY, Server, clean_environment

from elasticlake import client
from elasticlake.client.exchange import RETRIES, TIMEOUT_SECONDS
from elasticlake.client.sync_resources import SyncResources

PAGE = Document("docs/client.md")
PROGRAMS = {block.title: block.text for block in blocks(PAGE.text)}
BUCKET = "lake1--pond1--my-bucket"


class Reader:
    """Somebody who saves the page's programs in a folder and runs them, over a server of their own."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        self.env = clean_environment(ELASTICLAKE_URL=server.url, ELASTICLAKE_API_TOKEN=API_TOKEN, **keys)

    def run(self, title: str) -> list[str]:
        (self.folder / title).write_text(PROGRAMS[title])
        command = [sys.executable, title]
        ran = subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Their server has the bucket that the programs name, with one event."""
    folder = tmp_path_factory.mktemp("client")
    running = Server(folder / "data").start()
    s3 = s3_client(running)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    yield Reader(running, folder)
    running.close()


def test_every_program_is_tried_below() -> None:
    names = {"client.py", "make.py", "follow.py", "objects.py", "refused.py", "awaiting.py"}
    assert set(PROGRAMS) == names


def test_the_client_lists_webhooks_and_reads_the_log(reader: Reader) -> None:
    hook = {"bucket": BUCKET, "endpoint": "http://127.0.0.1:1/hook", "events": ["object:created"]}
    webhook = reader.server.request("POST", "/v1/webhooks", hook)["id"]
    assert reader.run("client.py") == [f"{webhook} http://127.0.0.1:1/hook enabled", "1 object:created a.txt"]


def test_it_follows_the_log_from_where_it_was(reader: Reader) -> None:
    assert reader.run("follow.py") == ["handled 1 a.txt"]
    assert reader.run("objects.py") == ["Hello, lake."]
    assert reader.run("follow.py") == ["handled 2 notes/today.txt"]


def test_it_makes_what_it_says(reader: Reader) -> None:
    assert reader.run("make.py") == ["enabled key True", "thumbnails"]
    assert reader.run("awaiting.py") == [BUCKET, "lake1--pond1--photos"]


def test_it_is_refused_as_it_says(reader: Reader) -> None:
    status, *faults = reader.run("refused.py")
    assert status.startswith("404 ")
    assert faults == ["events"]


def test_the_errors_are_the_ones_named() -> None:
    named = {name for cell, _ in rows(PAGE.section("When a call fails"), "error", "when") for name in codes(cell)}
    kinds = [kind for _, kind in inspect.getmembers(client, inspect.isclass) if issubclass(kind, client.ApiError)]
    assert named == {kind.__name__ for kind in kinds if not kind.__subclasses__()}


def test_the_resources_are_the_ones_named() -> None:
    named = [name for cell, _ in rows(PAGE.section("Resources"), "attribute", "what it has") for name in codes(cell)]
    known = {name for name, _ in inspect.getmembers(SyncResources, lambda one: isinstance(one, property))}
    assert {name.removeprefix("client.") for name in named} == known


def test_the_defaults_are_the_ones_named() -> None:
    assert f"`timeout_seconds={TIMEOUT_SECONDS:g}`, and `retries={RETRIES}`" in PAGE.text
    assert re.search(r"`Client\(url, token\)`", PAGE.text)
