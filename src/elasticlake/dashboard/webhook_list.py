"""Lists of webhooks: who is told, how they are doing, and what the last day was like."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from elasticlake.dashboard.attempt_charts import OUTCOMES, outcome_words, outcomes
from elasticlake.dashboard.charts import sparkline
from elasticlake.dashboard.visit import Visit
from elasticlake.dashboard.webhook_state import State, state_of
from elasticlake.model.webhooks import Webhook
from elasticlake.service.statistics import Recent
from elasticlake.service.webhook_standing import Standing


@dataclass(frozen=True, slots=True)
class Row:
    """A webhook in a list."""

    webhook: Webhook
    standing: Standing
    state: State
    recent: Recent
    """Its last 24 hours."""

    @property
    def hours(self) -> Markup:
        """A small bar for each hour, in the colours of the chart on the webhook's page."""
        label = f"Last 24 hours: {outcome_words(self.recent.totals)}"
        return sparkline([outcomes(hour.counts) for hour in self.recent.hours], OUTCOMES, label)


async def list_webhooks(visit: Visit) -> Response:
    page = await visit.services.webhooks.list(visit.token, visit.page_request())
    rows = await rows_of(visit, page.items)
    return visit.page("webhooks.html", title="Webhooks", rows=rows, next_cursor=page.next_cursor)


async def rows_of(visit: Visit, webhooks: list[Webhook]) -> list[Row]:
    """The rows of a list of these webhooks."""
    recent = await visit.services.statistics.of_webhooks(visit.token, [webhook.id for webhook in webhooks])
    standings = await visit.services.webhooks.standings(webhooks)
    return [
        Row(webhook, standings[webhook.id], state_of(webhook, standings[webhook.id]), recent[webhook.id])
        for webhook in webhooks
        if webhook.id in recent  # it may just have been deleted
    ]
