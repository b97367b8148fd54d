"""Starts the pipeline: a server, two buckets, the webhook, its receiver, the worker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import keep_running, lake, make_buckets, receiver_port, receiver_url, subscribe, webhook_secret
from elasticlake.client.models import FilterInput

CSV, PARQUET = "examples--sales--csv", "examples--sales--parquet"
EVENTS = ["object:created", "object:updated", "object:deleted"]

PORT = receiver_port()
COMMANDS = {
    "receiver": [sys.executable, "-m", "uvicorn", "receiver:receiver", "--port", str(PORT), "--no-access-log"],
    "worker": [sys.executable, "worker.py"],
}
HINT = f"""
Upload a CSV to {CSV}, and its rows are Parquet in {PARQUET}. In a second terminal:

  env/bin/python upload.py                 # a CSV of its own; or name one of yours
  . data/lake.env                          # then aws, boto3 and the elasticlake command find this server
  aws s3 cp sales.csv s3://{CSV}/

Ctrl-C ends everything."""


def main() -> None:
    data = Path("data")
    with lake(data) as client:
        make_buckets(client, CSV, PARQUET)
        subscribe(
            client,
            "csv",
            receiver_url(PORT) + "/hook",
            webhook_secret(data),
            {"bucket": CSV},
            events=EVENTS,
            filter=FilterInput(suffix=[".csv"]),
        )
        keep_running(COMMANDS, PORT, HINT)


if __name__ == "__main__":
    main()
