"""Uploads a CSV, waits until its rows are Parquet, and asks DuckDB about them; then sends the event once more."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

import state

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import join
from elasticlake import Client
from elasticlake.client.models import Job

CSV, PARQUET = "examples--sales--csv", "examples--sales--parquet"
SALES = "region,amount\nnorth,10\nsouth,20\nnorth,12\n"
PATIENCE_SECONDS = 600.0


def main(paths: list[Path]) -> None:
    with join(Path("data")) as client:
        s3 = client.s3()
        before = state.totals()
        for path in paths or [own_csv()]:
            s3.upload_file(str(path), CSV, path.name)
            table = wait_for(client, path.name)
            print(f"{path.name}: {table.error or f'{table.rows} rows in {table.parquet}'}")
            if table.parquet:
                show(s3, table.parquet)
        after = state.totals()
        print(f"before: {before}, after: {after}")
        print(f"The same events, sent again: {again(client)}; totals: {state.totals()}")
        if state.totals() != after:
            sys.exit(1)


def own_csv() -> Path:
    path = Path("data/Umsätze 2026 + more.csv")
    path.write_text(SALES)
    return path


def wait_for(client: Client, key: str) -> state.Table:
    """The table of the key's last event."""
    last = client.event_log.list(CSV, key=key, order="desc", limit=1).items[0].sequence
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while (table := state.tables().get((CSV, key), state.Table())).sequence < last:
        if time.monotonic() > give_up_at:
            sys.exit(f"There is no news of {key} after {PATIENCE_SECONDS:.0f} s. Does run.py run?")
        time.sleep(0.1)
    return table


def show(s3: Any, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        s3.download_file(PARQUET, name, f"{folder}/table.parquet")
        print(duckdb.sql("FROM read_parquet(?) LIMIT 5", params=[f"{folder}/table.parquet"]))


def again(client: Client) -> str:
    """Replay all that the webhook was ever told, and say how that went."""
    webhook = next(one for one in client.webhooks.list(bucket=CSV) if one.name == "csv")
    job = client.jobs.replay(webhook.id)
    assert isinstance(job, Job)  # a dry run would only count
    while job.status == "running":
        time.sleep(0.1)
        job = client.jobs.get(job.id)
    return f"{job.delivered} delivered"


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
