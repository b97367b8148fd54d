"""The audit log's application: `/hook` takes events, `/` shows them, `/proof` says whether all are there."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.routing import Route

import audit
from elasticlake.webhooks import Event, Receiver

PAGE = Path(__file__).with_name("page.html")

receiver = Receiver(os.environ["WEBHOOK_SECRET"])
app = FastAPI(title="Audit log", routes=[Route("/hook", receiver)])


@receiver.on("object:created", "object:updated", "object:deleted", "multipart:completed")
def happened(event: Event) -> None:
    """Only what happened: a test is nothing, and a backfill tells of what is there already."""
    if not event.test and not event.backfill:
        audit.record(event)


@app.get("/")
def page() -> FileResponse:
    return FileResponse(PAGE, headers={"Content-Security-Policy": "frame-ancestors 'none'"})


@app.get("/entries")
def entries(key: str = "") -> list[dict[str, Any]]:
    return audit.entries(key)


@app.get("/proof")
def proof() -> list[dict[str, Any]]:
    return [asdict(one) | {"missing": one.missing} for one in audit.proofs()]
