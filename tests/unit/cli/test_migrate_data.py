"""`elasticlake migrate-data`: what it prints, and how it ends. What it does is tested where that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.server.migration.filled_folder import ROWS, blob_id, fill, write_blob

from elasticlake.metadata.moved_tables import CORE, DELIVERY
from elasticlake.server.folder import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return fill(tmp_path / "data").data


def test_people_are_told_what_was_moved_and_what_to_start(data: Path, run: Run, postgres_url: str) -> None:
    options = ("--from", str(data), "--to", f"{postgres_url}?password=secret", "--no-check", "--no-history")
    ran = run("migrate-data", *options)
    assert (ran.exit_code, ran.stderr) == (0, "")
    rows = ROWS * len((*CORE, *DELIVERY)) + 2
    assert f": {rows} rows and {2 * ROWS} blobs are the same on both sides.\n" in ran.stdout
    assert f"Start servers with --metadata {postgres_url} and --data {data}" in ran.stdout
    again = run("migrate-data", *options)
    assert again.stdout.startswith("An earlier run moved everything: ")
    assert "secret" not in ran.stdout + again.stdout


def test_machines_get_a_document_and_differences_are_exit_code_1(data: Path, run: Run, postgres_url: str) -> None:
    lost = blob_id("parts", 2)
    (data / "blobs" / lost[:2] / lost).unlink()
    options = ("--from", str(data), "--to", postgres_url, "--no-check")
    ran = run("migrate-data", *options, "--json")
    document = json.loads(ran.stdout)
    assert (ran.exit_code, document["differences"]) == (1, [f"blob {lost}: nothing instead of 2 bytes"])
    people = run("migrate-data", *options)
    assert people.exit_code == 1
    assert people.stdout.endswith("The move has NOT ended: 1 finding.\n")
    write_blob(DataFolder(data), lost, 2)
    whole = json.loads(run("migrate-data", *options, "--json").stdout)
    assert (whole["from"], whole["to"], whole["blobsAt"]) == (str(data), postgres_url, str(data / "blobs"))
    assert (whole["wasDone"], whole["checkedObjects"], whole["findings"]) == (False, None, [])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--to", "postgresql://me:pass@word@db/lake"), ("--to-blobs", "ftp://b"), ("--from-blobs", "ftp://b")],
)
def test_what_is_wrong_with_an_option_names_it(data: Path, run: Run, option: str, value: str) -> None:
    options = {"--to": "postgresql://db/lake", option: value}
    ran = run("migrate-data", "--from", str(data), *(part for pair in options.items() for part in pair))
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr.startswith(f"elasticlake: {option}: ")


def test_the_target_may_be_given_by_the_server_s_own_variable(
    data: Path, run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICLAKE_METADATA", postgres_url)
    assert run("migrate-data", "--from", str(data), "--no-check").exit_code == 0
