"""The metrics, for Prometheus and what reads its format."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import PlainTextResponse, Response

from elasticlake.api.documents import resource
from elasticlake.service.exposition import MEDIA_TYPE
from elasticlake.service.permissions import require_whole
from elasticlake.service.shared_metrics import SharedMetrics

router = resource("metrics")
_EXAMPLE = """# HELP elasticlake_lanes_parked Lanes whose first event waits for its next attempt.
# TYPE elasticlake_lanes_parked gauge
elasticlake_lanes_parked 0.0
"""
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"example": _EXAMPLE}}}}


@router.get("/metrics", summary="Read the server's metrics", response_class=PlainTextResponse, responses=_ANSWERS)
async def get_metrics(request: Request) -> Response:
    """Of all processes of this server, in Prometheus's text format. Any token may read them; an access key that is
    limited to some places may not."""
    require_whole(request.state.token)
    metrics: SharedMetrics = request.app.state.services.metrics
    return Response(await metrics.exposition(), headers={"Content-Type": MEDIA_TYPE})
