"""examples/data_pipeline, end to end."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from tests.docs.documents import ROOT
from tests.examples.example import Example, running
from tests.integration.receiver import eventually

CSV, PARQUET = "examples--sales--csv", "examples--sales--parquet"
OWN = "Umsätze 2026 + more.csv"
OWN_ROWS = [("north", 10), ("south", 20), ("north", 12)]
Rows = list[tuple[str, int]]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    with running("data_pipeline", tmp_path_factory.mktemp("pipeline")) as started:
        yield started


def put(example: Example, key: str, rows: Rows) -> None:
    lines = "".join(f"{region},{amount}\n" for region, amount in rows)
    example.s3.put_object(Bucket=CSV, Key=key, Body=f"region,amount\n{lines}".encode())


def require_exact(example: Example, expected: Mapping[str, Rows], changes: int) -> None:
    """The tables are these, each Parquet object belongs to one, and each change has counted once."""
    example.wait_until_told()
    for left in ("inbox", "leftovers"):
        eventually(lambda left=left: not example.rows("pipeline.db", f"SELECT 1 FROM {left}"))
    used = dict(example.rows("pipeline.db", "SELECT key, parquet FROM tables WHERE parquet IS NOT NULL"))
    stored = {name: found["Body"] for name, found in example.objects(PARQUET).items()}
    assert sorted(used.values()) == sorted(stored)
    assert {key: read(stored[name]) for key, name in used.items()} == expected
    totals = dict(example.rows("pipeline.db", "SELECT name, value FROM totals"))
    assert totals == {"rows": sum(len(rows) for rows in expected.values()), "changes": changes}


def read(stored: bytes) -> Rows:
    found = parquet.read_table(io.BytesIO(stored)).to_pydict()
    return list(zip(found["region"], found["amount"], strict=True))


def test_the_third_command_shows_that_a_replay_changes_nothing(example: Example) -> None:
    shown = example.try_it()
    assert f"{OWN}: 3 rows in {CSV}/000000000001.parquet" in shown
    assert "before: {'rows': 0, 'changes': 0}, after: {'rows': 3, 'changes': 1}" in shown
    assert "The same events, sent again: 1 delivered; totals: {'rows': 3, 'changes': 1}" in shown
    require_exact(example, {OWN: OWN_ROWS}, changes=1)


def test_crashes_duplicates_and_replays_change_nothing(example: Example) -> None:
    many: dict[str, Rows] = {f"../many/{n} ☂+%2F.csv": [("north", n)] * (20_000 + n) for n in range(8)}
    for number, (key, rows) in enumerate(many.items()):
        put(example, key, rows)
        if number == 3:
            example.kill("receiver")
        if number in (5, 7):
            example.kill("worker")
    expected = {OWN: OWN_ROWS, **many}
    require_exact(example, expected, changes=9)
    example.redeliver_all()
    example.replay(fresh_ids=True)
    example.backfill()
    require_exact(example, expected, changes=9)


def test_what_is_old_comes_to_nothing(example: Example) -> None:
    first, second, *others = sorted(found["Key"] for found in example.s3.list_objects_v2(Bucket=CSV)["Contents"])
    expected = {key: read_csv(example, key) for key in others}
    put(example, first, [("east", 1)])
    put(example, first, [("east", 2), ("west", 3)])
    example.s3.delete_object(Bucket=CSV, Key=second)
    example.s3.put_object(Bucket=CSV, Key="broken.csv", Body=b'region,amount\nnorth,"1\n\xff\n')
    expected[first] = [("east", 2), ("west", 3)]
    example.wait_until_told()
    eventually(lambda: not example.rows("pipeline.db", "SELECT 1 FROM inbox"))
    counted = dict(example.rows("pipeline.db", "SELECT name, value FROM totals"))["changes"]
    assert counted in (12, 13)  # the first of two versions counts, unless the second was there before it was read
    example.redeliver_all()
    example.replay()
    require_exact(example, expected, changes=counted)
    ((error,),) = example.rows("pipeline.db", "SELECT error FROM tables WHERE error IS NOT NULL")
    assert "CSV" in error
    assert str(example.folder) not in error


def test_storage_that_fails_is_waited_for(example: Example) -> None:
    for name in example.objects(PARQUET):
        example.s3.delete_object(Bucket=PARQUET, Key=name)
    example.s3.delete_bucket(Bucket=PARQUET)
    worker = example.pid("worker")
    put(example, "forgery\nworker: waiting.csv", [("north", 1)])
    eventually(lambda: "worker: Storage or disk fails" in example.output)
    example.client.buckets.create(PARQUET)
    eventually(lambda: example.objects(PARQUET) and not example.rows("pipeline.db", "SELECT 1 FROM inbox"))
    assert example.pid("worker") == worker
    assert "\nworker: waiting.csv" not in example.output


def read_csv(example: Example, key: str) -> Rows:
    lines = example.s3.get_object(Bucket=CSV, Key=key)["Body"].read().decode().splitlines()[1:]
    return [(region, int(amount)) for region, amount in (line.split(",") for line in lines)]


def test_a_change_that_was_overtaken_in_the_inbox_has_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_DATABASE", str(tmp_path / "pipeline.db"))
    state = loaded("state")
    later, earlier = state.Change("b", 5, "a.csv", "etag"), state.Change("b", 3, "a.csv", None)
    state.put(later)
    assert state.first() == later
    state.put(earlier)  # its redelivery comes while the worker is at the later one
    state.finish(later, state.Table(5, "b/5.parquet", 7))
    assert state.first() == earlier
    state.finish(earlier, state.Table(3, "b/3.parquet", 2))
    assert state.first() is None
    assert state.tables() == {("b", "a.csv"): state.Table(5, "b/5.parquet", 7)}
    assert state.totals() == {"rows": 7, "changes": 1}
    assert state.leftovers() == ["b/3.parquet"]


def test_a_csv_that_takes_too_much_memory_stops_no_other(tmp_path: Path) -> None:
    convert = loaded("convert")
    wide, parquet_file = tmp_path / "in.csv", tmp_path / "out.parquet"
    wide.write_text("".join(",".join(f"{letter}{n}" for n in range(20_000)) + "\n" for letter in "ab"))
    with pytest.raises(convert.Unreadable, match="Memory"):
        convert.to_parquet(wide, parquet_file)


def loaded(name: str) -> Any:
    """A module of the example, in this process."""
    spec = importlib.util.spec_from_file_location(f"data_pipeline_{name}", ROOT / f"examples/data_pipeline/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
