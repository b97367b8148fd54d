"""Whether the server is up: the one resource that needs no token."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import ConfigDict

from elasticlake.api.documents import Document, example

router = APIRouter(prefix="/v1", tags=["health"])


class Health(Document):
    model_config = ConfigDict(json_schema_extra=example(status="ok", version="1.0.0"))

    status: Literal["ok"]
    version: str


@router.get("/health", summary="Is the server up?")
async def get_health(request: Request) -> Health:
    """Answers without a token."""
    return Health(status="ok", version=request.app.version)
