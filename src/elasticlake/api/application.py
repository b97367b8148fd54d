"""The API as one ASGI application, for the server to put at `/v1`."""

from __future__ import annotations

from types import ModuleType

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.types import ASGIApp, Scope

from elasticlake.api import (
    accounts,
    activity,
    buckets,
    deliveries,
    description,
    errors,
    events,
    explanations,
    health,
    jobs,
    keys,
    lakes,
    metrics,
    object_deliveries,
    ponds,
    problem_pages,
    reconciliation,
    statistics,
    system,
    tokens,
    webhook_rotation,
    webhooks,
)
from elasticlake.api.description import Description
from elasticlake.api.envelope import Envelope
from elasticlake.api.services import ProbeServices, Services

_PROBES = (health, metrics)
_RESOURCES = (
    health, metrics, lakes, ponds, buckets, events, webhooks, webhook_rotation, statistics, explanations,
    reconciliation, jobs, deliveries, object_deliveries, accounts, keys, tokens, activity, system, description,
    problem_pages,
)  # fmt: skip
_DESCRIPTION = (
    "S3-compatible object storage that turns every change into a signed, ordered, replayable webhook. Send a token with"
    " every call: `Authorization: Bearer <token>`. Lists answer pages: hand `nextCursor` back as `cursor`."
    "\n\nBeside the usual formats there are `printable` (a text without control characters that is not blank), `cel`"
    " (an expression of the Common Expression Language over an event's payload) and `pem`."
)


def create_app(services: Services, version: str) -> ASGIApp:
    """The API over `services`. It takes whole paths (`/v1/…`) and answers every one of them."""
    return _create(services, version, _RESOURCES)


def create_probes(services: ProbeServices, version: str) -> ASGIApp:
    """Health checks and metrics alone, with the same documents, for a process that serves nothing else."""
    return _create(services, version, _PROBES)


def _create(services: Services | ProbeServices, version: str, resources: tuple[ModuleType, ...]) -> ASGIApp:
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
    for resource in resources:
        app.include_router(resource.router)
    app.state.routes = [route for resource in resources for route in resource.router.routes]
    app.state.description = Description(app)
    app.openapi = app.state.description.document  # type: ignore[method-assign]
    return Envelope(app, lambda scope, status: services.metrics.metrics.api_request(_operation(scope), status))


def _operation(scope: Scope) -> str:
    """What a call asked for, by the name that the description gives it."""
    route = scope.get("route")
    return _operation_id(route) if isinstance(route, APIRoute) else "-"


def _operation_id(route: APIRoute) -> str:
    """Stable, and what generated clients call their methods: `createLake`."""
    return to_camel(route.name)
