"""What the pages tell a reader to type works: each block as it stands, but for ids and ports, against a real server."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.certificates import Authority
from tests.docs.documents import Document, blocks
from tests.integration.conftest import s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import ACCESS_KEY, API_TOKEN, SECRET_KEY, Server, clean_environment
from tests.postgres import Postgres
from typer.testing import CliRunner

from elasticlake.cli.main import app

BUCKET = "lake1--pond1--my-bucket"
ENDED = {"completed", "canceled"}


def shown(page: str, begins: str, language: str = "sh") -> str:
    """The page's one block of the language that begins so."""
    found = [one.text for one in blocks(Document(f"docs/{page}.md").text) if one.language == language]
    (text,) = (text for text in found if text.startswith(begins))
    return text


class Reader:
    """Somebody at a prompt. Commands of ours run in this process, in a twentieth of the time; others in bash."""

    def __init__(self, server: Server, receiver: Receiver, folder: Path) -> None:
        self.server, self.receiver, self.folder = server, receiver, folder
        where = {"ELASTICLAKE_URL": server.url, "ELASTICLAKE_API_TOKEN": API_TOKEN}
        aws = {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1"}
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        self.env = clean_environment(PATH=path, PYTHONUNBUFFERED="1", **where, **aws, **keys)

    def placed(self, text: str) -> str:
        """With the port that the receiver has."""
        return re.sub(r"\b(?:3000|5000)\b", self.receiver.url().split(":")[2].strip("/"), text)

    def types(self, text: str) -> list[str]:
        """A block of commands of ours, to its end; what each printed."""
        return [self._run(line) for line in _commands(self.placed(text))]

    def _run(self, words: list[str]) -> str:
        assert words[0] == "elasticlake"
        ran = CliRunner().invoke(app, words[1:], prog_name="elasticlake", env={**self.env, "COLUMNS": "200"})
        assert ran.exit_code == 0, f"{words}: {ran.output}"
        return ran.stdout

    def bash(self, text: str, **variables: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", self.placed(text)]
        env = {**self.env, **variables}
        ran = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def watching(self, text: str) -> tuple[subprocess.Popen[str], Callable[[], str]]:
        """A command that has no end, in a process of its own; and what it has printed so far."""
        output = self.folder / "watched"
        with output.open("w") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"{self.placed(text).strip()}"],
                cwd=self.folder,
                env=self.env,
                stdout=out,
                stderr=out,
                text=True,
            )
        return process, output.read_text

    def webhook(self, **more: Any) -> str:
        body = {"bucket": BUCKET, "endpoint": self.receiver.url("/hook"), "events": ["object:created"], **more}
        made: str = self.server.request("POST", "/v1/webhooks", body)["id"]
        return made

    def put(self, key: str) -> None:
        client = s3_client(self.server)
        client.put_object(Bucket=BUCKET, Key=key, Body=b"x" * 10)
        client.close()


def _commands(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


@pytest.fixture(scope="module")
def reader(server: Server, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Their bucket has an object below `uploads/`."""
    client = s3_client(server)
    client.create_bucket(Bucket=BUCKET)
    client.close()
    made = Reader(server, receiver, tmp_path_factory.mktemp("reader"))
    made.put("uploads/photo.jpg")
    return made


def test_making_a_webhook(reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (printed,) = reader.types(shown("webhooks", "elasticlake webhook create"))
    assert "whsec_" in printed
    by_curl = json.loads(reader.bash(shown("webhooks", "curl")))
    for name, value in reader.env.items():
        monkeypatch.setenv(name, value)
    exec(reader.placed(shown("webhooks", "from elasticlake import Client", "python")), {})
    id_, secret = capsys.readouterr().out.split()
    assert secret.startswith("whsec_")
    made = [one for one in reader.server.request("GET", "/v1/webhooks")["items"] if one["bucket"] == BUCKET]
    assert {by_curl["id"], id_} <= {one["id"] for one in made}
    assert {json.dumps([one["events"], one["filter"], one["endpoint"]]) for one in made} == {
        json.dumps([by_curl["events"], by_curl["filter"], by_curl["endpoint"]])
    }


def test_looking_after_a_webhook(reader: Reader) -> None:
    id_ = reader.webhook()
    reader.types(shown("webhooks", "elasticlake webhook test").replace("WEBHOOK", id_))
    webhook = reader.server.request("GET", f"/v1/webhooks/{id_}")
    assert (webhook["status"], webhook["rateLimit"]) == ("enabled", 50)
    eventually(lambda: any(one.event.get("test") for one in reader.receiver.requests))


def test_filtering(reader: Reader) -> None:
    (made,) = reader.types(shown("filters", "elasticlake webhook create"))
    (id_,) = set(re.findall(r"wh_\w+", made))
    (explained,) = reader.types(re.sub(r"wh_\w+", id_, shown("filters", "elasticlake webhook explain")))
    assert "uploads/photo.jpg" in explained


def test_a_new_secret_and_certificates(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    id_, authority = reader.webhook(), Authority()
    pair = authority.issue()
    for name, text in (("client.pem", pair.certificate), ("client.key", pair.key), ("ca.pem", authority.certificate)):
        (reader.folder / name).write_text(text)
    monkeypatch.chdir(reader.folder)
    (rotated,) = reader.types(re.sub(r"wh_\w+", id_, shown("deliveries", "elasticlake webhook rotate")))
    assert "whsec_" in rotated
    reader.types(re.sub(r"wh_\w+", id_, shown("deliveries", "elasticlake webhook update")))
    assert reader.server.request("GET", f"/v1/webhooks/{id_}")["clientCertificate"]


def test_replay_backfill_and_reconcile(reader: Reader) -> None:
    id_ = reader.webhook()
    dry, replayed = reader.types(shown("replay", "elasticlake webhook replay").replace("WEBHOOK", id_))
    assert re.search(r"\b[1-9]\d*\b", dry)
    reader.types(shown("replay", "elasticlake webhook backfill").replace("WEBHOOK", id_))
    (job,) = set(re.findall(r"job_\w+", replayed))
    eventually(lambda: reader.server.request("GET", f"/v1/jobs/{job}")["status"] in ENDED)
    _, followed, _ = reader.types(shown("replay", "elasticlake job list").replace("WEBHOOK", id_).replace("JOB", job))
    assert "completed" in followed
    reader.types(shown("replay", "elasticlake webhook reconcile").replace("WEBHOOK", id_))


def test_accounts(reader: Reader) -> None:
    account, bucket, key = reader.types(shown("permissions", "# accounts"))
    assert "bob" in account
    assert "bobs--inbox--files" in bucket
    listed = reader.server.request("GET", "/v1/accounts/bob/keys")["items"]
    assert [one["scope"]["prefixes"] for one in listed] == [["in/"]]
    assert listed[0]["accessKeyId"] in key


def test_listening(reader: Reader) -> None:
    process, printed = reader.watching(shown("live", "elasticlake listen").replace("/hook", "/heard"))
    try:
        eventually(lambda: "Forwarding bucket" in printed())
        reader.put("uploads/hello.txt")
        eventually(lambda: f"{BUCKET}/uploads/hello.txt" in printed() and "[200] POST" in printed())
        assert any(one.path == "/heard" for one in reader.receiver.requests)
    finally:
        process.terminate()
        process.wait(20)


def test_a_stream(reader: Reader) -> None:
    process, printed = reader.watching(f"{shown('live', 'LAKE=').replace('curl -N', 'exec curl -sN')}")
    try:
        eventually(lambda: (reader.put("streamed.txt"), "streamed.txt" in printed())[1])
        assert re.search(r"^id: ", printed(), re.MULTILINE)
    finally:
        process.terminate()
        process.wait(20)


def test_an_s3_notification(reader: Reader) -> None:
    reader.bash(shown("notifications", "BUCKET="))
    (entry,) = [one for one in reader.server.request("GET", "/v1/webhooks")["items"] if one.get("managedBy")]
    assert entry["filter"]["prefix"] == ["uploads/"]
    assert entry["format"] == "s3"


def test_what_another_webhook_is_told_of_one_that_is_disabled(reader: Reader) -> None:
    gone = Receiver(lambda _: 410)
    try:
        reader.webhook(events=["webhook:disabled"], endpoint=reader.receiver.url("/told"))
        disabled = reader.webhook(endpoint=gone.url())
        reader.put("for-nobody.txt")
        told = eventually(lambda: [one.event for one in reader.receiver.requests if one.path == "/told"])[0]
    finally:
        gone.close()
    (example,) = (
        json.loads(block.text)
        for block in blocks(Document("docs/deliveries.md").section("Endpoints that fail"))
        if block.language == "json"
    )
    assert (list(told), list(told["webhook"])) == (list(example), list(example["webhook"]))
    assert (told["webhook"]["id"], told["webhook"]["disabledReason"]) == (disabled, "gone")


def test_the_database_that_is_made(postgres: Postgres) -> None:
    """Its role has another name here, as the tests' own is called so."""
    commands = shown("operations", "CREATE ROLE", "sql").replace("elasticlake", "reader")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for command in commands.split(";\n"):
            if command.strip():
                connection.execute(command)
        connection.execute("DROP DATABASE reader")
        connection.execute("DROP ROLE reader")
