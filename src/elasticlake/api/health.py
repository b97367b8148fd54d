"""Whether the server is up, and whether it can work: the resource that needs no token."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from elasticlake.api.documents import Document, example
from elasticlake.service import health as service

router = APIRouter(prefix="/v1", tags=["health"])


class Health(Document):
    model_config = ConfigDict(json_schema_extra=example(status="ok", version="1.0.0", role="all"))

    status: Literal["ok"]
    version: str
    role: str


class Liveness(Document):
    model_config = ConfigDict(json_schema_extra=example(status="ok"))

    status: Literal["ok"]


class CheckDocument(Document):
    name: str = Field(examples=["metadata"])
    status: Literal["ok", "unavailable"]
    detail: str | None


class ReadinessDocument(Document):
    """What the server needs for its work, and whether each of it is there."""

    model_config = ConfigDict(
        json_schema_extra=example(status="ok", checks=[{"name": "metadata", "status": "ok", "detail": None}])
    )

    status: Literal["ok", "unavailable"]
    checks: list[CheckDocument]


@router.get("/health", summary="Is the server up?")
async def get_health(request: Request) -> Health:
    """Answers without a token."""
    return Health(status="ok", version=request.app.version, role=_health(request).role)


@router.get("/health/live", summary="Does the process live?")
async def get_liveness() -> Liveness:
    """Answers without a token. No answer within seconds is a reason to start the process again."""
    return Liveness(status="ok")


@router.get("/health/ready", summary="Can the process work?", responses={503: {"model": ReadinessDocument}})
async def get_readiness(request: Request, response: Response) -> ReadinessDocument:
    """Answers without a token. 503, with the same document, is a reason to send requests elsewhere for now."""
    readiness = await _health(request).readiness()
    if readiness.status != "ok":
        response.status_code = 503
    checks = [CheckDocument(name=one.name, status=one.status, detail=one.detail) for one in readiness.checks]
    return ReadinessDocument(status=readiness.status, checks=checks)


def _health(request: Request) -> service.Health:
    found: service.Health = request.app.state.services.health
    return found
