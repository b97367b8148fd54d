"""Schemas are brought to this version by a command, and the check reads either engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.server import elasticlake
from tests.integration.test_backup import BUCKET, put_objects

# Each says itself where it wants PostgreSQL.
pytestmark = pytest.mark.embedded


def migrated(*options: str | Path) -> list[dict[str, Any]]:
    ran = elasticlake("migrate", "--json", *options)
    assert ran.returncode == 0, ran.stderr
    document: list[dict[str, Any]] = json.loads(ran.stdout)
    return document


def test_a_database_gets_its_schema_once_and_a_newer_or_older_one_is_refused(
    spawn: Spawn, postgres_url: str, tmp_path: Path
) -> None:
    first = migrated("--metadata", postgres_url)
    assert [one["schema"] for one in first] == ["core", "delivery", "history"]
    assert all(one["before"] == 0 < one["now"] for one in first)
    assert migrated("--metadata", postgres_url) == [{**one, "before": one["now"]} for one in first]
    server = spawn("--metadata", postgres_url).start()
    assert server.stop() == 0
    with psycopg.connect(postgres_url, autocommit=True) as database:
        change = "UPDATE schema_versions SET version = version + %s WHERE schema = 'delivery'"
        database.execute(change, (100,))
        for command in ("migrate", "serve", "check"):
            ran = elasticlake(command, "--metadata", postgres_url, "--data", server.data)
            assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1), ran.stderr
            assert "this ElasticLake knows versions up to" in ran.stderr
        database.execute(change, (-101,))
        for command in ("serve", "check"):
            ran = elasticlake(command, "--metadata", postgres_url, "--data", server.data)
            assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1), ran.stderr
            assert "Run: elasticlake migrate --metadata URL" in ran.stderr


def test_a_folder_is_migrated_too(spawn: Spawn) -> None:
    server = spawn().start()
    beside = migrated("--data", server.data)
    assert [(one["schema"], one["before"] == one["now"]) for one in beside] == [("core", True), ("delivery", True)]
    assert server.stop() == 0
    ran = elasticlake("migrate", "--data", server.data / "nowhere")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)


def test_the_check_reads_postgresql_beside_a_server(spawn: Spawn, postgres_url: str) -> None:
    server = spawn("--metadata", postgres_url).start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket=BUCKET)
    digests = put_objects(s3)
    where = ("check", "--data", server.data, "--json")
    ran = elasticlake(*where, ELASTICLAKE_METADATA=postgres_url)
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["objects"], found["findings"]) == (0, len(digests), [])
    assert server.stop() == 0

    with psycopg.connect(postgres_url, autocommit=True) as database:
        database.execute("UPDATE objects SET etag = 'wrong' WHERE key = 'stays/1'::bytea")
        database.execute("DELETE FROM events WHERE sequence = 3")
        database.execute("INSERT INTO positions (webhook_id, bucket_id, sequence) VALUES ('wh_1', 1, 1000)")
        database.execute("INSERT INTO blob_deletions SELECT blob_id, 0 FROM manifests LIMIT 1")
    ran = elasticlake(*where, "--metadata", postgres_url)
    assert ran.returncode == 1
    said = "\n".join(json.loads(ran.stdout)["findings"])
    for finding in (
        f"{BUCKET}/stays/1: event 2 has etag",
        f"{BUCKET}/stays/1: its bytes have etag",
        f"{BUCKET}: event 3 is missing, 4 follows",
        f"{BUCKET}: webhook wh_1 has come to event 1000, the log ends at",
        "is in use, and queued for deletion",
    ):
        assert finding in said


def test_what_cannot_be_checked_is_said_in_one_line(postgres_url: str, tmp_path: Path) -> None:
    for options, said in (
        (("--data", tmp_path), "there is no ElasticLake data in"),
        (("--data", tmp_path, "--metadata", postgres_url), "there is no ElasticLake data in postgresql://elasticlake@"),
        (("--metadata", "postgresql://elasticlake@127.0.0.1:1/none"), "cannot be reached"),
    ):
        ran = elasticlake("check", *options)
        assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1), ran.stderr
        assert said in ran.stderr
    migrated("--metadata", postgres_url)
    ran = elasticlake("check", "--data", tmp_path / "nowhere", "--metadata", postgres_url)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "say where the blobs are" in ran.stderr
