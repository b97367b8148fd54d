"""The system: whether everything works, what runs, and how much room there is."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.visit import Visit
from elasticlake.metadata.nodes import LEASE_MS


async def show_system(visit: Visit) -> Response:
    state = await visit.services.system.state(visit.token)
    readiness = await visit.services.health.readiness()
    return visit.page("system.html", title="System", state=state, readiness=readiness, lease_ms=LEASE_MS)
