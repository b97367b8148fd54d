"""A webhook's page: how it is, how its attempts went, and its log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from elasticlake.clock import rfc3339_milliseconds, rfc3339_seconds
from elasticlake.dashboard import charts, delivery_log
from elasticlake.dashboard.charts import Column
from elasticlake.dashboard.delivery_search import LISTED, read_search
from elasticlake.dashboard.visit import PREFIX, Visit, query_of
from elasticlake.dashboard.webhook_state import state_of
from elasticlake.model.attempt_counts import AttemptCounts
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.webhooks import Webhook
from elasticlake.service.pages import PageRequest
from elasticlake.service.statistics import Interval, Series, StepLength

JOBS_SHOWN = 5
_HOUR_MS = 3_600_000
RANGES: dict[str, tuple[str, int, StepLength]] = {
    "1h": ("1 hour", _HOUR_MS, "5m"),
    "24h": ("24 hours", 24 * _HOUR_MS, "1h"),
    "7d": ("7 days", 7 * 24 * _HOUR_MS, "1h"),
}
_STEP_MS: dict[StepLength, int] = {"5m": 300_000, "1h": _HOUR_MS, "1d": 24 * _HOUR_MS}
_DEFAULT_RANGE = "24h"
_ANSWERED = ("4xx", "5xx", "redirect")
OUTCOMES = ("good", "warn", "bad")
"""Delivered; answered, but not with a success; not answered."""
PERCENTILES = ("p50", "p95", "p99")


async def show(visit: Visit) -> Response:
    """The page; with `part=standing`, the piece of it that is looked at again and again."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    if visit.query("part") == "standing":
        return visit.fragment("webhook_standing.html", **await _standing(visit, webhook))
    return await page(visit, webhook)


async def page(visit: Visit, webhook: Webhook, faults: dict[str, str] | None = None, **values: str) -> Response:
    """The webhook's page. `faults` are those of the rotation's form."""
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
        range_tabs=[
            (visit.links(range=name, cursor=None), words, name == _chosen_range(visit))
            for name, (words, _, _) in RANGES.items()
        ],
        statuses=LISTED,
        event_types=EVENT_TYPES,
        faults=faults,
        values=values,
        **await _standing(visit, webhook),
        **await _charts(visit, webhook),
        **delivery_log.words(),
    )


async def _standing(visit: Visit, webhook: Webhook) -> dict[str, Any]:
    standing = await visit.services.webhooks.standing(webhook)
    day = await _series(visit, webhook, _DEFAULT_RANGE)
    return {"webhook": webhook, "standing": standing, "state": state_of(webhook, standing), "day": day.totals}


async def _charts(visit: Visit, webhook: Webhook) -> dict[str, Any]:
    chosen = _chosen_range(visit)
    series = await _series(visit, webhook, chosen)
    span = RANGES[chosen][0]
    outcomes = f"Attempts of the last {span}: {_outcomes(series.totals)}"
    latencies = f"Latency of the last {span}: {_latencies(series.totals)}"
    return {
        "chosen_range": chosen,
        "ranges": RANGES,
        "series": series,
        "attempts_chart": charts.bars(_columns(series, _outcome_values, _outcomes), OUTCOMES, outcomes),
        "latency_chart": charts.lines(_columns(series, _latency_values, _latencies), PERCENTILES, latencies),
    }


def _chosen_range(visit: Visit) -> str:
    asked = visit.query("range")
    return asked if asked in RANGES else _DEFAULT_RANGE


async def _series(visit: Visit, webhook: Webhook, span: str) -> Series:
    _, length_ms, step = RANGES[span]
    now_ms = visit.services.clock.now_ms()
    # The step that has begun is the last of them.
    until_ms = (now_ms // _STEP_MS[step] + 1) * _STEP_MS[step]
    return await visit.services.statistics.of_webhook(visit.token, webhook.id, until_ms - length_ms, until_ms, step)


def _columns(series: Series, values: Any, words: Any) -> list[Column]:
    is_long = series.until_ms - series.since_ms > 24 * _HOUR_MS
    return [
        Column(_label(one, is_long), values(one.counts), f"{_label(one, True)} UTC: {words(one.counts)}")
        for one in series.steps
    ]


def _label(interval: Interval, with_day: bool) -> str:
    day, _, time = rfc3339_seconds(interval.start_ms).removesuffix("Z").partition("T")
    return f"{day[5:]} {time[:5]}" if with_day else time[:5]


def answered(counts: AttemptCounts) -> int:
    """How many of the failed attempts the endpoint answered."""
    return sum(counts.failures_by_kind.get(kind, 0) for kind in _ANSWERED)


def _outcome_values(counts: AttemptCounts) -> tuple[float, ...]:
    refused = answered(counts)
    return (counts.delivered, refused, counts.failed - refused)


def _latency_values(counts: AttemptCounts) -> tuple[float | None, ...]:
    return (counts.percentile_ms(50), counts.percentile_ms(95), counts.percentile_ms(99))


def _outcomes(counts: AttemptCounts) -> str:
    if not counts.attempts:
        return "no attempts"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.failures_by_kind.items())
    return f"{counts.delivered:,} delivered, {counts.failed:,} failed" + (f" ({kinds})" if kinds else "")


def _latencies(counts: AttemptCounts) -> str:
    values: Sequence[float | None] = _latency_values(counts)
    if values[0] is None:
        return "no attempts"
    return ", ".join(f"{name} {value:,.0f} ms" for name, value in zip(PERCENTILES, values, strict=True) if value)
