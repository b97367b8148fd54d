"""Starts the audit log: a server, two buckets of a lake, the lake's webhook, the FastAPI application."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import keep_running, lake, make_buckets, receiver_port, receiver_url, subscribe, webhook_secret
from elasticlake.client.models import BatchInput

LAKE = "audited"
BUCKETS = ("audited--legal--contracts", "audited--sales--offers")
EVENTS = ["object:created", "object:updated", "object:deleted", "multipart:completed"]

PORT = receiver_port()
COMMANDS = {"application": [sys.executable, "-m", "uvicorn", "app:app", "--port", str(PORT), "--no-access-log"]}
HINT = f"""
Whatever changes in any bucket of the lake {LAKE} is at {receiver_url(PORT)}/ a moment later. In a second terminal:

  env/bin/python upload.py                 # changes something, and proves that all of it was recorded
  . data/lake.env                          # then aws, boto3 and the elasticlake command find this server
  aws s3 cp README.md s3://{BUCKETS[0]}/

Ctrl-C ends everything."""


def main() -> None:
    data = Path("data")
    with lake(data) as client:
        make_buckets(client, *BUCKETS)
        subscribe(
            client,
            "audit",
            receiver_url(PORT) + "/hook",
            webhook_secret(data),
            {"lake": LAKE},
            events=EVENTS,
            ordering="bucket",  # each bucket's events in sequence, so that at every moment the log has no gap
            batch=BatchInput(max_events=100, max_wait_ms=100),
        )
        keep_running(COMMANDS, PORT, HINT)


if __name__ == "__main__":
    main()
