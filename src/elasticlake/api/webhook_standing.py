"""How a webhook stands, as the API writes it."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from elasticlake.api.documents import Document, Timestamp, example, optional_timestamp
from elasticlake.metadata.breakers import NotClosed, OpenBreaker
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.service.webhook_standing import Standing


class WhereErrorsDocument(Document):
    """For how many events `where` had no answer since the webhook was last changed, so that they did not match; and the
    last of them."""

    count: int
    last_error: str | None = None
    bucket: str | None = None
    sequence: int | None = None

    @classmethod
    def of(cls, errors: WhereErrors | None) -> WhereErrorsDocument:
        if errors is None:
            return cls(count=0)
        last = {"last_error": errors.last_error, "bucket": errors.last_bucket, "sequence": errors.last_sequence}
        return cls(count=errors.errors, **last)


BreakerState = Literal["closed", "open", "halfOpen"]
_BREAKER_STATES: dict[NotClosed, BreakerState] = {"open": "open", "half_open": "halfOpen"}


class BreakerDocument(Document):
    """Whether the endpoint is left alone (`open`) until a probe at `probeAt`, or is being probed (`halfOpen`). A probe
    is an attempt that is due: once `probeAt` has passed, the next one."""

    model_config = ConfigDict(json_schema_extra=example(state="open", probeAt="2026-01-02T03:04:05.678Z"))

    state: BreakerState
    probe_at: Timestamp | None

    @classmethod
    def of(cls, breaker: OpenBreaker | None) -> BreakerDocument:
        if breaker is None:
            return cls(state="closed", probe_at=None)
        return cls(state=_BREAKER_STATES[breaker.state], probe_at=optional_timestamp(breaker.probe_at_ms))


class StandingDocument(Document):
    """How the webhook's deliveries have ended so far, each counted once, as it ended at first (a dead one stays counted
    when a redelivery or a replay delivers its event); how many wait for another attempt, and since when not one attempt
    has succeeded, with what the last one failed. `backlog` is how many events lie beyond its positions, those that it
    does not subscribe to included; `oldestUndeliveredAt` is when the first event happened that has not arrived."""

    delivered: int
    dead: int
    canceled: int
    expired: int
    coalesced: int
    retrying: int
    backlog: int
    oldest_undelivered_at: Timestamp | None
    failing_since: Timestamp | None
    last_error: str | None
    breaker: BreakerDocument

    @classmethod
    def of(cls, standing: Standing) -> StandingDocument:
        return cls(
            **standing.counts,
            retrying=standing.retrying,
            backlog=standing.backlog,
            oldest_undelivered_at=optional_timestamp(standing.oldest_undelivered_ms),
            failing_since=optional_timestamp(standing.failing_since_ms),
            last_error=standing.last_error,
            breaker=BreakerDocument.of(standing.breaker),
        )
