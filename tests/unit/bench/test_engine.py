"""The engine's bench, quick, on the PostgreSQL that tests share."""

import json
from pathlib import Path

import psycopg
import pytest
from bench.engine import QUICK_SHAPES, main
from bench.engine_bed import EngineBed, Shape
from bench.engine_gateway import KNOWN_KEYS
from tests.postgres import Postgres


def test_a_quick_run_measures_every_load(postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "out.json"
    options = ["--quick", "--seconds", "0.1", "--metadata", postgres_url]
    assert main([*options, "--json", str(written)]) == 0
    report = json.loads(written.read_text())
    assert [result["name"] for result in report["results"]] == [shape.name for shape in QUICK_SHAPES]
    assert all(result["per_second"] > 0 and result["gateway_us"] > 0 for result in report["results"])
    put, _, read = report["results"]
    assert 1 <= put["mutations_per_commit"] <= 4
    assert put["wal_bytes"] > 4096
    assert put["server_us"] is None  # it was named, so it is somebody else's
    assert read["mutations_per_commit"] is None
    assert report["scanMilliseconds"] > 0
    assert "a dispatcher's look at 1,000 buckets" in capsys.readouterr().out
    assert main(options) == 2
    assert "holds a lake already" in capsys.readouterr().err


def test_what_was_measured_was_really_stored(postgres: Postgres, postgres_url: str) -> None:
    bed = EngineBed(postgres_url, 0.1, postgres.pid)
    bed.prepare()
    measured = bed.measure(Shape("put", gateways=2, concurrency=4, buckets=3))
    assert measured.server_us is not None
    with psycopg.connect(postgres_url) as connection:
        logs = connection.execute(
            "SELECT b.sequence, b.objects, count(*), max(e.sequence) FROM buckets b"
            " JOIN events e ON e.bucket_id = b.id GROUP BY b.id ORDER BY b.id"
        ).fetchall()
    assert len(logs) == 3
    for sequence, objects, events, last in logs:
        assert sequence == objects == events == last
    assert sum(events for _, _, events, _ in logs) > KNOWN_KEYS + measured.per_second * 0.1 * 0.9


def test_a_database_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--metadata", "postgresql://127.0.0.1:1/nowhere"]) == 2
    assert "cannot be reached" in capsys.readouterr().err
