"""The webhook's endpoint: `uvicorn receiver:receiver`. A receiver is an ASGI application without any framework."""

from __future__ import annotations

import os

import state
from elasticlake.webhooks import Event, Receiver

receiver = Receiver(os.environ["WEBHOOK_SECRET"])


@receiver.on("object:created", "object:updated", "object:deleted", suffix=".csv")
def landed(event: Event) -> None:
    """Take it down and answer; the work is the worker's."""
    if event.test:
        return
    assert event.object and event.bucket and event.sequence is not None  # these three have them all
    etag = None if event.type == "object:deleted" else event.object.etag
    state.put(state.Change(event.bucket, event.sequence, event.object.key, etag))
