"""Makes, replaces and deletes objects in two buckets, and proves by the server's own log that all was recorded."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import audit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import join
from elasticlake import Client

BUCKETS = ("audited--legal--contracts", "audited--sales--offers")
PATIENCE_SECONDS = 60.0


def main() -> None:
    with join(Path("data")) as client:
        for bucket in BUCKETS:
            change_something(client.s3(), bucket)
        for bucket in BUCKETS:
            wait_for(bucket, client.buckets.get(bucket).sequence)
        for proof in audit.proofs():
            same = is_same(client, proof)
            print(f"{proof.bucket}: {proof.first} to {proof.last} recorded, {proof.missing} missing;", end=" ")
            print("the server's log says the same" if same else "THE SERVER'S LOG SAYS OTHERWISE")
            if proof.missing or not same:
                sys.exit(1)


def change_something(s3: Any, bucket: str) -> None:
    for key in ("2026/été + more.txt", "../<script>alert(1)</script>"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"a first version")
        s3.put_object(Bucket=bucket, Key=key, Body=b"another")
    s3.delete_object(Bucket=bucket, Key="2026/été + more.txt")


def wait_for(bucket: str, sequence: int) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not any(proof.bucket == bucket and proof.last >= sequence for proof in audit.proofs()):
        if time.monotonic() > give_up_at:
            sys.exit(f"{bucket} is not recorded up to {sequence} after {PATIENCE_SECONDS:.0f} s. Does run.py run?")
        time.sleep(0.1)


def is_same(client: Client, proof: audit.Proof) -> bool:
    """Whether the server's log has, of what is recorded, just these events: no more, no fewer, no others."""
    log = client.events(proof.bucket, after=proof.first - 1, follow=False)
    return audit.ids(proof.bucket) == [event.id for event in log if event.sequence <= proof.last]


if __name__ == "__main__":
    main()
