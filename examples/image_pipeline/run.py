"""Starts the pipeline: a server, two buckets, the webhook, its Flask receiver, a Celery worker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import keep_running, lake, make_buckets, receiver_port, receiver_url, subscribe, webhook_secret

PICTURES, THUMBNAILS = "examples--pictures--originals", "examples--pictures--thumbnails"
EVENTS = ["object:created", "object:updated", "object:deleted"]

PORT = receiver_port()
COMMANDS = {
    "receiver": [sys.executable, "-m", "flask", "--app", "receiver", "run", "--port", str(PORT)],
    # One process with threads: decoding leaves Python's lock alone, and a kill leaves no child behind.
    "worker": [
        *(sys.executable, "-m", "celery", "--app", "tasks", "worker", "--loglevel", "info"),
        *("--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ],
}
HINT = f"""
Upload a picture to {PICTURES}, and its thumbnail is in {THUMBNAILS}. In a second terminal:

  env/bin/python upload.py                 # pictures of its own; or name some of yours
  . data/lake.env                          # then aws, boto3 and the elasticlake command find this server
  aws s3 cp photo.jpg s3://{PICTURES}/

Ctrl-C ends everything."""


def main() -> None:
    data = Path("data")
    with lake(data) as client:
        make_buckets(client, PICTURES, THUMBNAILS)
        endpoint = receiver_url(PORT) + "/hook"
        # The webhook listens to the pictures' bucket alone, so no thumbnail can ever make an event for it.
        subscribe(client, "thumbnails", endpoint, webhook_secret(data), {"bucket": PICTURES}, events=EVENTS)
        keep_running(COMMANDS, PORT, HINT)


if __name__ == "__main__":
    main()
