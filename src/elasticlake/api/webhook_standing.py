"""How a webhook stands, as the API writes it."""

from __future__ import annotations

from elasticlake.api.documents import Document, Timestamp, timestamp
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


class StandingDocument(Document):
    """How the webhook's deliveries have ended so far, how many wait for another attempt, and since when not one attempt
    has succeeded."""

    delivered: int
    dead: int
    canceled: int
    expired: int
    coalesced: int
    retrying: int
    failing_since: Timestamp | None

    @classmethod
    def of(cls, standing: Standing) -> StandingDocument:
        since_ms = standing.failing_since_ms
        since = None if since_ms is None else timestamp(since_ms)
        return cls(**standing.counts, retrying=standing.retrying, failing_since=since)
