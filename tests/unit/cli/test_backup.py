"""`elasticlake backup`: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run

from elasticlake.cli.backup import KEY_INSIDE, KEY_OUTSIDE
from elasticlake.config.master_key import MasterKey
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder where the command looks for it."""
    folder = DataFolder(tmp_path / "data")
    folder.create()
    EmbeddedEngine(folder).prepare(MasterKey.load_or_create(folder.master_key))
    return folder.path


def test_people_are_told_whether_the_master_key_is_inside(data: Path, run: Run, tmp_path: Path) -> None:
    ran = run("backup", "out", "--data", str(data))
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Backed up 2 databases and 0 blobs (")
    assert ran.stdout.endswith(f"\n{KEY_OUTSIDE}\n")
    assert KEY_INSIDE in run("backup", "whole", "--with-master-key").stdout
    assert (tmp_path / "whole/master.key").exists()


@pytest.mark.usefixtures("data")
def test_machines_get_a_document(run: Run) -> None:
    document = json.loads(run("backup", "out", "--json").stdout)
    assert document.pop("seconds") >= 0
    assert document.pop("bytes") > 0
    assert document == {
        "destination": "out",
        "databases": ["delivery.db", "metadata.db"],
        "blobs": 0,
        "masterKey": False,
        "credentials": False,
    }
    assert json.loads(run("backup", "whole", "--json", "--with-master-key").stdout)["masterKey"]


@pytest.mark.usefixtures("data")
def test_a_refusal_is_one_line_and_code_1(run: Run) -> None:
    run("backup", "out")
    ran = run("backup", "out")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("elasticlake: ")
    assert ran.stderr.endswith("out is there already, and not an empty folder\n")
    assert run("backup", "other", "--data", "nowhere").exit_code == 1


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("option", "url", "said"),
    [
        ("metadata", "postgresql://me:secret@db.example/lake", "the metadata is in postgresql://me@db.example/lake"),
        ("blobs", "s3://bucket/prefix?region=us-east-1", "the blobs are in s3://bucket/prefix"),
    ],
)
def test_what_is_not_in_the_folder_is_not_passed_over_in_silence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, url: str, said: str
) -> None:
    by_option = run("backup", "out", f"--{option}", url)
    monkeypatch.setenv(f"ELASTICLAKE_{option.upper()}", url)
    for ran in (by_option, run("backup", "out")):
        assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
        assert said in ran.stderr
        assert "secret" not in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_was_moved_is_no_longer_backed_up(data: Path, run: Run, tmp_path: Path) -> None:
    (data / "moved-to").write_text("postgresql://db/lake\n")
    ran = run("backup", "out", "--data", str(data))
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert "was moved to postgresql://db/lake" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_sees_how_far_it_is_but_not_beside_json(data: Path, tmp_path: Path, as_json: bool) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "elasticlake", "backup", str(tmp_path / "out"), "--data", str(data)]
    ran = subprocess.run(
        [*command, *(["--json"] if as_json else [])],
        stdout=subprocess.PIPE,
        stderr=its,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        check=True,
    )
    os.write(its, b"end\n")
    os.close(its)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert ("metadata.db" in shown) is not as_json
    assert not as_json or shown == "end\r\n"
    assert not as_json or json.loads(ran.stdout)["databases"] == ["delivery.db", "metadata.db"]
