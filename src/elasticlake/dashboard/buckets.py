"""The whole list of a pond's buckets, or of all that the viewer sees."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.visit import Visit


async def list_buckets(visit: Visit) -> Response:
    pond = visit.query("pond")
    page = await visit.services.hierarchy.list_buckets(visit.token, visit.page_request(100), pond=pond or None)
    return visit.page("buckets.html", title=f"Buckets of {pond}" if pond else "Buckets", pond=pond, page=page)
