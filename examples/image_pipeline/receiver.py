"""The webhook's endpoint, a Flask application: takes down what an event tells of, queues the work, answers."""

from __future__ import annotations

import os

from flask import Flask

import inbox
import tasks
from elasticlake.webhooks import Event, Receiver

app = Flask(__name__)
receiver = Receiver(os.environ["WEBHOOK_SECRET"])
receiver.flask(app, "/hook")


@receiver.on("object:created", "object:updated", "object:deleted")
def changed(event: Event) -> None:
    """Milliseconds, and then ElasticLake has its answer; the picture is the worker's."""
    assert event.bucket and event.object  # these three have both
    inbox.add(event.bucket, event.object.key, event.id)
    tasks.mirror.delay(event.bucket, event.object.key)
