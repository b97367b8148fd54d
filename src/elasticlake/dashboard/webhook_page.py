"""A webhook's page: how it is, how its attempts went, and its log."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.dashboard import attempt_charts, delivery_log
from elasticlake.dashboard.attempt_charts import DAY, RANGES
from elasticlake.dashboard.delivery_search import read_search
from elasticlake.dashboard.visit import PREFIX, Visit, query_of
from elasticlake.dashboard.webhook_state import state_of
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.webhooks import LISTED_STATUSES, Webhook
from elasticlake.service.pages import PageRequest
from elasticlake.service.statistics import Series

JOBS_SHOWN = 5


async def show(visit: Visit) -> Response:
    """The page; with `part=standing`, the piece of it that is looked at again and again."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    if visit.query("part") == "standing":
        return visit.fragment("webhook_standing.html", **await _standing(visit, webhook))
    return await page(visit, webhook)


async def page(visit: Visit, webhook: Webhook, faults: dict[str, str] | None = None, **values: str) -> Response:
    """The webhook's page. `faults` are those of the rotation's form, which held `values`."""
    search = read_search(visit.request.query_params)
    log = await delivery_log.page_of_log(visit, search)
    jobs = await visit.services.jobs.list(visit.token, PageRequest(limit=JOBS_SHOWN), webhook.id)
    return visit.page(
        "webhook.html",
        title=webhook.name or webhook.endpoint,
        search=search,
        log=log,
        jobs=jobs.items,
        has_more_jobs=jobs.next_cursor is not None,
        live_url=f"{PREFIX}/webhooks/{webhook.id}/live{query_of(dict(visit.request.query_params))}",
        countdown_to=rfc3339_milliseconds(webhook.overlap_ends_at_ms or 0),
        statuses=LISTED_STATUSES,
        event_types=EVENT_TYPES,
        faults=faults,
        values=values,
        **await _standing(visit, webhook),
        **await _charts(visit, webhook),
        **delivery_log.words(),
    )


async def _standing(visit: Visit, webhook: Webhook) -> dict[str, Any]:
    standing = await visit.services.webhooks.standing(webhook)
    day = await _series(visit, webhook, DAY)
    return {"webhook": webhook, "standing": standing, "state": state_of(webhook, standing), "day": day.totals}


async def _charts(visit: Visit, webhook: Webhook) -> dict[str, Any]:
    asked = visit.query("range")
    chosen = asked if asked in RANGES else DAY
    series, span = await _series(visit, webhook, chosen), RANGES[chosen]
    tabs = [(visit.links(range=name, cursor=None), one.words, name == chosen) for name, one in RANGES.items()]
    return {
        "chosen_range": chosen,
        "range_words": span.words,
        "range_tabs": tabs,
        "series": series,
        "attempts_chart": attempt_charts.outcomes_chart(series, span),
        "latency_chart": attempt_charts.latencies_chart(series, span),
    }


async def _series(visit: Visit, webhook: Webhook, name: str) -> Series:
    span = RANGES[name]
    bounds_ms = span.bounds_ms(visit.services.clock.now_ms())
    return span.merged(await visit.services.statistics.of_webhook(visit.token, webhook.id, *bounds_ms, span.step))
