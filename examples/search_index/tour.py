"""Shows backfill, events, a lost index that is built anew, and reconcile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import index

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import join
from elasticlake import Client
from elasticlake.client.models import Job

BUCKET = "examples--library--texts"
PATIENCE_SECONDS = 60.0


def main() -> None:
    with join(Path("data")) as client:
        webhook = next(one for one in client.webhooks.list(bucket=BUCKET) if one.name == "search")
        tell("What was there before the webhook is not found")

        backfill(client, webhook.id)
        tell("A backfill tells the webhook of it")

        client.s3().put_object(Bucket=BUCKET, Key="poems/new.txt", Body=b"A new lighthouse, and nobody in it.")
        wait_until(lambda: "poems/new.txt" in found())
        tell("What is new comes by itself")

        Path("data/index.db").unlink()
        tell("The index is lost")

        backfill(client, webhook.id)
        tell("A backfill builds it anew")

        missing = list(client.webhooks.reconcile(webhook.id))
        print(f"Reconcile: {len(missing)} objects of which the index has not been told")


def found() -> list[str]:
    return sorted(hit.key for hit in index.search("lighthouse"))


def tell(what: str) -> None:
    print(f"{what}: {', '.join(found()) or 'nothing'}")


def backfill(client: Client, webhook: str) -> None:
    """Run one to its end."""
    job = client.jobs.backfill(webhook)
    assert isinstance(job, Job)  # a dry run would only count
    wait_until(lambda: client.jobs.get(job.id).status != "running")


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            sys.exit(f"Nothing has come for {PATIENCE_SECONDS:.0f} s. Does run.py run?")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
