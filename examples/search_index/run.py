"""Starts the search: a server, a bucket with some texts, the webhook, the application."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import keep_running, lake, make_buckets, receiver_port, receiver_url, subscribe, webhook_secret
from elasticlake import Client
from elasticlake.client.models import FilterInput

BUCKET = "examples--library--texts"
EVENTS = ["object:created", "object:updated", "object:deleted"]
OLDER = {
    "poems/lighthouse.txt": "The lighthouse counts the waves.",
    "../tête-à-tête + 1.txt": "Two at a table, and a lighthouse in the distance. Café au lait.",
    "notes/harbour.md": "# Harbour\n\nBoats come in at dusk.",
}

PORT = receiver_port()
COMMANDS = {"application": [sys.executable, "app.py"]}
HINT = f"""
{BUCKET} has had texts before its webhook was made, of which the index knows nothing yet. In a second terminal:

  env/bin/python tour.py                   # backfill, events, a lost index, reconcile
  curl '{receiver_url(PORT)}/search?q=lighthouse'
  . data/lake.env                          # then aws, boto3 and the elasticlake command find this server
  aws s3 cp README.md s3://{BUCKET}/

Ctrl-C ends everything."""


def put_older_texts(client: Client) -> None:
    """Texts that no event will ever tell of."""
    if client.buckets.get(BUCKET).sequence == 0:
        for key, text in OLDER.items():
            client.s3().put_object(Bucket=BUCKET, Key=key, Body=text.encode(), ContentType="text/plain")


def main() -> None:
    data = Path("data")
    with lake(data) as client:
        make_buckets(client, BUCKET)
        put_older_texts(client)
        subscribe(
            client,
            "search",
            receiver_url(PORT) + "/hook",
            webhook_secret(data),
            {"bucket": BUCKET},
            events=EVENTS,
            filter=FilterInput(suffix=[".txt", ".md"]),
            include_url=300,  # seconds for which the URL in each event fetches the object
        )
        keep_running(COMMANDS, PORT, HINT)


if __name__ == "__main__":
    main()
