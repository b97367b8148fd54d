"""Lists of webhooks: who is told, how they are doing, and what the last day was like."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from elasticlake.dashboard.visit import Visit
from elasticlake.dashboard.webhook_state import State, state_of
from elasticlake.model.webhooks import Webhook
from elasticlake.service.webhook_standing import Standing


@dataclass(frozen=True, slots=True)
class Row:
    """A webhook in a list."""

    webhook: Webhook
    standing: Standing
    state: State


async def list_webhooks(visit: Visit) -> Response:
    page = await visit.services.webhooks.list(visit.token, visit.page_request())
    rows = await rows_of(visit, page.items)
    return visit.page("webhooks.html", title="Webhooks", rows=rows, next_cursor=page.next_cursor)


async def rows_of(visit: Visit, webhooks: list[Webhook]) -> list[Row]:
    """The rows of a list of these webhooks."""
    rows = []
    for webhook in webhooks:
        standing = await visit.services.webhooks.standing(webhook)
        rows.append(Row(webhook, standing, state_of(webhook, standing)))
    return rows
