"""Activity: who did what to the installation, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from starlette.responses import Response

from elasticlake.dashboard import deeds
from elasticlake.dashboard.visit import Visit
from elasticlake.errors import InvalidInput
from elasticlake.service.activity import Search
from elasticlake.service.pages import Page

_FIELDS = ("actor", "action", "subject", "since", "until")


async def list_activity(visit: Visit) -> Response:
    """The newest first, as the query's filters ask."""
    try:
        page = await visit.services.activities.list(visit.token, visit.page_request(), _search(visit))
        faults = {}
    except InvalidInput as error:
        page, faults = Page([], None), {error.field: str(error)}
    values = {name: visit.query(name) for name in _FIELDS}
    return visit.page("activity.html", title="Activity", page=page, deeds=deeds, faults=faults, values=values)


def _search(visit: Visit) -> Search:
    """Raises `InvalidInput` for what is no day. Days are UTC's, and `until` is the last of them."""
    return Search(
        actor=visit.query("actor").strip() or None,
        action=visit.query("action") or None,
        subject=visit.query("subject").strip() or None,
        since_ms=_day(visit, "since", 0),
        until_ms=_day(visit, "until", 1),
    )


def _day(visit: Visit, field: str, days_later: int) -> int | None:
    """When the day begins that the field names, or one as much later."""
    text = visit.query(field)
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
        return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InvalidInput(field, "Write a day as 2026-01-31.") from None
