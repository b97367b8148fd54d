"""The dashboard as one ASGI application, for the server to put at `/ui`."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from elasticlake.dashboard.errors import NoSuchPage
from elasticlake.dashboard.guard import Guarded
from elasticlake.dashboard.routes import PAGES
from elasticlake.dashboard.services import Services
from elasticlake.dashboard.visit import Visit


def create_dashboard(services: Services) -> ASGIApp:
    """The pages over `services`. It takes whole paths (`/ui/…`) and answers every one of them."""
    routes = [
        Route(page.path, Guarded(services, page.handler, is_public=page.is_public), methods=[page.method])
        for page in PAGES
    ]
    return Router(routes, redirect_slashes=False, default=Guarded(services, _nowhere, is_public=False))


async def _nowhere(visit: Visit) -> Response:
    raise NoSuchPage
