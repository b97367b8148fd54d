"""The API as one ASGI application, for the server to put at `/v1`."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.types import ASGIApp

from elasticlake.api import (
    accounts,
    buckets,
    deliveries,
    description,
    errors,
    events,
    health,
    keys,
    lakes,
    ponds,
    tokens,
    webhooks,
)
from elasticlake.api.envelope import Envelope
from elasticlake.api.services import Services

_RESOURCES = (health, lakes, ponds, buckets, events, webhooks, deliveries, accounts, keys, tokens, description)
_DESCRIPTION = (
    "S3-compatible object storage that turns every change into a signed, ordered, replayable webhook. Send a token with"
    " every call: `Authorization: Bearer <token>`. Lists answer pages: hand `nextCursor` back as `cursor`."
)


def create_app(services: Services, version: str) -> ASGIApp:
    """The API over `services`. It takes whole paths (`/v1/…`) and answers every one of them."""
    app = FastAPI(
        title="ElasticLake",
        version=version,
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    errors.install(app)
    for resource in _RESOURCES:
        app.include_router(resource.router)
    app.openapi = description.describe(app)  # type: ignore[method-assign]
    return Envelope(app)


def _operation_id(route: APIRoute) -> str:
    """Stable, and what generated clients call their methods: `createLake`."""
    return to_camel(route.name)
