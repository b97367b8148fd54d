"""Takes changes out of the inbox one by one: a CSV becomes a Parquet object in another bucket. One worker runs."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

import convert
import state
from elasticlake import Client

LOOK_SECONDS = 0.2
WAIT_SECONDS = 5.0
PARQUET_BUCKET = os.environ.get("PARQUET_BUCKET", "examples--sales--parquet")

# What may be well the next time. boto3 has errors of its own for transfers.
FAILURES = (Boto3Error, BotoCoreError, ClientError, OSError, duckdb.OperationalError, sqlite3.OperationalError)

log = logging.getLogger("worker")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    s3 = Client().s3()
    while True:
        try:
            if not work(s3):
                time.sleep(LOOK_SECONDS)
        except FAILURES as error:
            log.warning("Storage or disk fails; the same change again in %s s: %s", WAIT_SECONDS, error)
            time.sleep(WAIT_SECONDS)


def work(s3: Any) -> bool:
    """Do the next change; False if there is none. If this raises, it is still the next."""
    for name in state.leftovers():
        s3.delete_object(Bucket=PARQUET_BUCKET, Key=name)
        state.deleted(name)
    change = state.first()
    if change is None:
        return False
    # Sequences of a bucket never repeat: a name of its own, whatever the key is like, and the same after a crash.
    name = f"{change.bucket}/{change.sequence:012}.parquet"
    table = state.Table(change.sequence) if change.etag is None else load(s3, change, name)
    if table is None:
        state.skip(change, name)
    else:
        state.finish(change, table)
        log.info("%r at %s: %s", change.key, change.sequence, table.error or f"{table.rows} rows")
    return True


def load(s3: Any, change: state.Change, name: str) -> state.Table | None:
    """Store the CSV's rows under the name; None if the object is another meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        csv, parquet = Path(folder, "in.csv"), Path(folder, "out.parquet")
        if not download(s3, change, csv):
            return None
        try:
            rows = convert.to_parquet(csv, parquet)
        except convert.Unreadable as error:
            return state.Table(change.sequence, error=str(error))
        s3.upload_file(str(parquet), PARQUET_BUCKET, name)
        return state.Table(change.sequence, name, rows)


def download(s3: Any, change: state.Change, path: Path) -> bool:
    """Fetch just the version that the change tells of; False if there is none any more."""
    try:
        body = s3.get_object(Bucket=change.bucket, Key=change.key, IfMatch=change.etag)["Body"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 412):
            return False
        raise
    with body, path.open("wb") as file:
        shutil.copyfileobj(body, file, 1024 * 1024)
    return True


if __name__ == "__main__":
    main()
