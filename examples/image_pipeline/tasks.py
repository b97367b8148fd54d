"""The Celery worker: `celery --app tasks worker`."""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

import inbox
import thumbnails
from elasticlake import Client

LOOK_SECONDS = 5.0
THUMBNAILS = os.environ.get("THUMBNAILS_BUCKET", "examples--pictures--thumbnails")
FOLDER = Path(os.environ.get("QUEUE_FOLDER", "data/queue"))

app = Celery("pictures", broker=os.environ.get("CELERY_BROKER_URL", "filesystem://"))
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1)
if app.conf.broker_url == "filesystem://":
    FOLDER.mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = {
        "data_folder_in": str(FOLDER),
        "data_folder_out": str(FOLDER),
        "control_folder": str(FOLDER / "control"),
        "polling_interval": 0.1,  # seconds
    }


@cache
def s3() -> Any:
    """boto3's client, which threads may share."""
    return Client().s3()


@app.task  # type: ignore[untyped-decorator]
def mirror(bucket: str, key: str) -> None:
    """Bring the thumbnail up to date, if nobody has yet. If this fails, `watch_inbox` queues it again."""
    event = inbox.waiting(bucket, key)
    if event is not None:
        thumbnails.mirror(s3(), bucket, key, THUMBNAILS)
        inbox.done(bucket, key, event)


@worker_ready.connect  # type: ignore[untyped-decorator]
def watch_inbox(**_: Any) -> None:
    """Queue again what was under way when a worker died, and from then on whatever takes too long."""
    _queue(inbox.overdue(seconds=0))
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        _queue(inbox.overdue())


def _queue(objects: list[tuple[str, str]]) -> None:
    for bucket, key in objects:
        mirror.delay(bucket, key)
