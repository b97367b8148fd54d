"""Statistics of webhooks' attempts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field

from elasticlake.api.documents import Document, Timestamp, example, milliseconds, resource, timestamp
from elasticlake.api.services import Call
from elasticlake.api.values import Moment
from elasticlake.api.webhooks import WebhookId
from elasticlake.model.attempt_counts import AttemptCounts
from elasticlake.service.statistics import MAX_STEPS, Series, StepLength

router = resource("webhooks")
_COUNTS: dict[str, Any] = {
    "attempts": 120,
    "delivered": 117,
    "failed": 3,
    "failures": {"timeout": 1, "5xx": 2},
    "successRatio": 0.975,
    "p50Ms": 12.5,
    "p95Ms": 48.25,
    "p99Ms": 230.5,
}


class CountsDocument(Document):
    """How attempts ended: `failures` by why, an error class or, where the receiver answered, `4xx` or `5xx`; and how
    long all took. The ratio and the percentiles are null where nothing was attempted."""

    attempts: int
    delivered: int
    failed: int
    failures: dict[str, int] = Field(examples=[_COUNTS["failures"]])
    success_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class StepDocument(CountsDocument):
    """What was attempted from `start` on."""

    model_config = ConfigDict(json_schema_extra=example(start="2026-01-02T03:00:00.000Z", **_COUNTS))

    start: Timestamp


class StatisticsDocument(Document):
    """A webhook's attempts in whole steps of time; `until` is the end of the last."""

    model_config = ConfigDict(
        json_schema_extra=example(
            since="2026-01-02T03:00:00.000Z",
            until="2026-01-02T04:00:00.000Z",
            step="1h",
            steps=[{"start": "2026-01-02T03:00:00.000Z", **_COUNTS}],
            totals=_COUNTS,
        )
    )

    since: Timestamp
    until: Timestamp
    step: StepLength
    steps: list[StepDocument]
    totals: CountsDocument

    @classmethod
    def of(cls, series: Series) -> StatisticsDocument:
        return cls(
            since=timestamp(series.since_ms),
            until=timestamp(series.until_ms),
            step=series.step,
            steps=[StepDocument(start=timestamp(one.start_ms), **_members(one.counts)) for one in series.steps],
            totals=CountsDocument(**_members(series.totals)),
        )


@router.get("/webhooks/{id}/statistics", summary="Get a webhook's statistics")
async def get_statistics(
    call: Call,
    id: WebhookId,
    since: Annotated[
        Moment | None,
        Query(description="From then on; a day before `until` if left out.", examples=["2026-01-02T03:00:00Z"]),
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Until then; now if left out.", examples=["2026-01-02T04:00:00Z"])
    ] = None,
    step: Annotated[StepLength, Query(description=f"At most {MAX_STEPS} steps are answered.", examples=["1h"])] = "1h",
) -> StatisticsDocument:
    """How many attempts there were, why those failed that did, and how long all took. An attempt counts when it began.

    Times are widened to whole steps (UTC). Statistics are kept for as long as the history of attempts is; steps before
    it hold nothing.
    """
    since_ms, until_ms = (milliseconds(time) if time is not None else None for time in (since, until))
    return StatisticsDocument.of(await call.services.statistics.of_webhook(call.token, id, since_ms, until_ms, step))


def _members(counts: AttemptCounts) -> dict[str, Any]:
    return {
        "attempts": counts.attempts,
        "delivered": counts.delivered,
        "failed": counts.failed,
        "failures": counts.failures_by_kind,
        "success_ratio": counts.success_ratio,
        "p50_ms": counts.percentile_ms(50),
        "p95_ms": counts.percentile_ms(95),
        "p99_ms": counts.percentile_ms(99),
    }
