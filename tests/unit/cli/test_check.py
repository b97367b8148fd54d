"""`elasticlake check`: what it prints, and how it ends. What it finds is tested where that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.server.migration.filled_folder import blob_id, fill

from elasticlake.config.master_key import MasterKey
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.create()
    EmbeddedEngine(made).prepare(MasterKey.load_or_create(made.master_key))
    return made


def test_nothing_is_wrong(folder: DataFolder, run: Run) -> None:
    ran = run("check", "--data", str(folder.path))
    assert (ran.exit_code, ran.stdout) == (0, "Checked 0 objects and 0 events: nothing is wrong.\n")


def test_of_a_folder_that_was_moved_it_is_said(folder: DataFolder, run: Run) -> None:
    folder.moved.write_text("postgresql://db/lake\n")
    ran = run("check", "--data", str(folder.path), "--json")
    (note,) = json.loads(ran.stdout)["notes"]
    assert "was moved to postgresql://db/lake" in note
    assert ran.exit_code == 0


def test_findings_are_counted_and_exit_code_1(run: Run, tmp_path: Path) -> None:
    data = fill(tmp_path / "data").data
    before = len(json.loads(run("check", "--data", str(data), "--json").stdout)["findings"])
    lost = blob_id("parts", 2)
    (data / "blobs" / lost[:2] / lost).unlink()
    ran = run("check", "--data", str(data))
    assert ran.exit_code == 1
    assert ran.stdout.endswith(f": {before + 1} findings.\n")
