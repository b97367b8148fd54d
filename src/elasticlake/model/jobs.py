"""Jobs: what a webhook's owner asks to be sent outside the log's course, and how far that has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from elasticlake.errors import InvalidInput
from elasticlake.model.rules import MAX_RATE
from elasticlake.record import record

JobKind = Literal["replay", "backfill"]
JobStatus = Literal["running", "completed", "canceled", "failed"]
JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
Only = Literal["all", "retrying", "dead"]
"""Of the events of a replay: every one, or those that are attempted again and again, or that were given up."""

JOB_GENERATIONS = 1 << 20
"""Generations from here on are of jobs' deliveries; those below are of redeliveries and tests."""
MAX_PREFIX_BYTES = 1024


class Span(NamedTuple):
    """A piece of a bucket's log, both ends included; of a backfill, only the bucket counts."""

    bucket_id: int
    first: int = 0
    last: int = 0

    @property
    def length(self) -> int:
        return max(0, self.last - self.first + 1)


class Cursor(NamedTuple):
    """How far a job is: in which of its spans, and the last sequence or key there that is done with."""

    span: int = 0
    sequence: int = 0
    key: bytes = b""


@record
class Tally:
    """What has come of what a job went over: of all that it looked at (`scanned`) so much was to be sent."""

    scanned: int = 0
    matched: int = 0
    delivered: int = 0
    failed: int = 0
    """Whose attempt failed; each is attempted again as a delivery of its own."""
    skipped: int = 0
    """Not sent after all: a backfilled object that is gone, or of which something newer was told or is going to be."""

    @property
    def sent(self) -> int:
        """Attempts that the job made."""
        return self.delivered + self.failed


@dataclass(frozen=True, slots=True)
class JobParameters:
    """What a job shall send. Times are milliseconds; `spans` is what the rest comes to."""

    bucket: str | None = None
    prefix: str = ""
    events: tuple[str, ...] = ()
    """Event types; none: whatever the webhook subscribed to."""
    only: Only = "all"
    from_sequence: int | None = None
    to_sequence: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    """Events before that time."""
    rate_limit: float | None = None
    """Attempts a second, at most."""
    fresh_ids: bool = False
    """Whether receivers are to take the events for new ones."""
    spans: tuple[Span, ...] = ()

    def takes(self, event_type: str, key: bytes) -> bool:
        """Whether an event is of the types and of the prefix asked for."""
        return key.startswith(self.prefix.encode()) and (not self.events or event_type in self.events)


def require_parameters(wanted: JobParameters) -> JobParameters:
    """`wanted`, if a job can be made of it; raises `InvalidInput` that names the field."""
    if len(wanted.prefix.encode()) > MAX_PREFIX_BYTES:
        raise InvalidInput("prefix", f"A key has at most {MAX_PREFIX_BYTES:,} bytes.")
    if wanted.rate_limit is not None and not 0.01 <= wanted.rate_limit <= MAX_RATE:
        raise InvalidInput("rateLimit", f"It is a number of deliveries a second, 0.01 to {MAX_RATE:,.0f}.")
    by_sequence = wanted.from_sequence is not None or wanted.to_sequence is not None
    if by_sequence and (wanted.since_ms is not None or wanted.until_ms is not None):
        raise InvalidInput("since", "Say from where to where by sequences or by times, not by both.")
    if _ends_early(wanted.from_sequence, wanted.to_sequence):
        raise InvalidInput("toSequence", "It comes before fromSequence.")
    if _ends_early(wanted.since_ms, wanted.until_ms) or (
        wanted.since_ms is not None and wanted.since_ms == wanted.until_ms
    ):
        raise InvalidInput("until", "It must be later than since.")
    return wanted


def _ends_early(first: int | None, last: int | None) -> bool:
    return first is not None and last is not None and last < first


def generation_of(number: int, kind: JobKind) -> int:
    """The generation of the deliveries of a webhook's n-th job: an event sent by it twice is the same delivery."""
    return JOB_GENERATIONS + 2 * number + (kind == "backfill")


def job_of(generation: int) -> tuple[int, JobKind] | None:
    """The number and kind of the job that a delivery of that generation is of; None if it is of none."""
    if generation < JOB_GENERATIONS:
        return None
    number, is_backfill = divmod(generation - JOB_GENERATIONS, 2)
    return number, "backfill" if is_backfill else "replay"


_PLAIN = {
    "bucket": "bucket",
    "prefix": "prefix",
    "only": "only",
    "fromSequence": "from_sequence",
    "toSequence": "to_sequence",
    "sinceMs": "since_ms",
    "untilMs": "until_ms",
    "rateLimit": "rate_limit",
    "freshIds": "fresh_ids",
}


def to_document(parameters: JobParameters) -> dict[str, Any]:
    """The parameters as they are stored."""
    document: dict[str, Any] = {name: getattr(parameters, attribute) for name, attribute in _PLAIN.items()}
    return {**document, "events": list(parameters.events), "spans": [list(span) for span in parameters.spans]}


def from_document(document: Mapping[str, Any]) -> JobParameters:
    """What `to_document` wrote."""
    given: dict[str, Any] = {attribute: document[name] for name, attribute in _PLAIN.items() if name in document}
    spans = tuple(Span(*span) for span in document.get("spans", ()))
    return JobParameters(**given, events=tuple(document.get("events", ())), spans=spans)
