"""What the REST API answers, and what it takes that has members of its own.

Made from the API's description by `tools/generate_client.py`: change that, not this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from elasticlake.client.call import UNSET, Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Account."""

    id: str
    display_name: str
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that was done. `subject` is the id or the name of what it was done to, `account` whose that is."""

    id: int
    time: datetime
    actor: Actor
    action: str
    subject: str
    account: str | None
    bucket: str | None
    detail: dict[str, Any]
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """By what it was done: a token or an access key, of which this is the id; `system` is the server itself."""

    kind: Literal["token", "accessKey", "dashboard", "system"]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP request of a delivery; of the answer's body, the first 16 KiB."""

    attempt: int
    started_at: datetime
    duration_ms: float
    status_code: int | None
    error_class: str | None
    error: str | None
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str
    next_attempt_at: datetime | None
    address: str | None
    timings: Timings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Events that enabled webhooks have yet to come to, and the age of the oldest one that has not arrived."""

    events: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInput:
    """Several events in one request: as many as have come when the first of them has waited `maxWaitMs`."""

    max_events: int
    """1 to 1,000."""
    max_wait_ms: Given[int] = UNSET
    """Milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How events are gathered."""

    max_events: int
    max_wait_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blobs:
    """With less free space than the reserve, writes are refused. `freeBytes` is null where nobody knows."""

    place: str
    free_bytes: int | None
    reserve_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Whether the endpoint is left alone (`open`) until a probe at `probeAt`, or is being probed (`halfOpen`). A
    probe is an attempt that is due: once `probeAt` has passed, the next one.
    """

    state: Literal["closed", "open", "halfOpen"]
    probe_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Bucket."""

    bucket: str
    lake: str
    pond: str
    account: str
    acl: Literal["private", "public-read"]
    created_at: datetime
    sequence: int
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Check."""

    name: str
    status: Literal["ok", "unavailable"]
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many events a job would send; with `atLeast` there may be more, since counting them all takes too long."""

    matched: int
    at_least: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How attempts ended: `failures` by why, an error class or, where the receiver answered, `4xx` or `5xx`; and
    how long all took. The ratio and the percentiles are null where nothing was attempted.
    """

    attempts: int
    delivered: int
    failed: int
    failures: dict[str, int]
    success_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """`canceled` is how many events at most waited for the webhook."""

    canceled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook. A test has no event, and for a pond's or lake's webhook no bucket. An event that
    tells of another webhook has neither bucket nor key; its `sequence` counts such events alone.
    """

    id: str
    webhook: str
    bucket: str | None
    sequence: int
    event_id: str | None
    event: str
    key: str | None
    status: Literal["pending", "held", "retrying", "delivered", "dead", "canceled", "expired", "coalesced"]
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status_code: int | None
    generation: int
    kind: Literal["event", "redelivery", "test", "replay", "backfill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWithAttempts:
    """A delivery and every kept attempt of it, in order."""

    id: str
    webhook: str
    bucket: str | None
    sequence: int
    event_id: str | None
    event: str
    key: str | None
    status: Literal["pending", "held", "retrying", "delivered", "dead", "canceled", "expired", "coalesced"]
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status_code: int | None
    generation: int
    kind: Literal["event", "redelivery", "test", "replay", "backfill"]
    attempt_log: list[Attempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedObject:
    """DescribedObject."""

    key: str
    size: int
    etag: str
    content_type: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """AccountPage."""

    items: list[Account]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """ActivityPage."""

    items: list[Activity]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPage:
    """BucketPage."""

    items: list[Bucket]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """DeliveryPage."""

    items: list[Delivery]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """JobPage."""

    items: list[Job]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """KeyPage."""

    items: list[Key]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LakePage:
    """LakePage."""

    items: list[Lake]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PondPage:
    """PondPage."""

    items: list[Pond]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPage:
    """TokenPage."""

    items: list[Token]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacknowledgedPage:
    """UnacknowledgedPage."""

    items: list[Unacknowledged]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPage:
    """WebhookPage."""

    items: list[Webhook]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """A webhook as it would be created, with or without its `endpoint`. What counts is its scope (exactly one of
    `bucket`, `pond` and `lake`), events, filter and expression; all else need only be what could be created.
    """

    headers: Given[dict[str, str] | None] = UNSET
    """Headers to send with every attempt, beside ours: at most 20, of at most 1 KiB each. In a change, `***` keeps
    the value that a header has.
    """
    client_certificate: Given[str | None] = UNSET
    """Shown to an endpoint that asks for one. PEM. Null takes it away."""
    client_key: Given[str | None] = UNSET
    """The client certificate's private key. PEM. Null takes it away."""
    certificate_authority: Given[str | None] = UNSET
    """Who signs the endpoint's certificate, instead of the public authorities. PEM. Null takes it away."""
    filter: Given[FilterInput | None] = UNSET
    """Which of the events match."""
    where: Given[str | None] = UNSET
    """A CEL expression over the payload."""
    format: Given[Literal["elasticlake", "cloudevents", "s3"] | None] = UNSET
    """The envelope; by default `elasticlake`."""
    include_metadata: Given[bool | None] = UNSET
    """Put the object's user metadata in the payload."""
    include_url: Given[int | None] = UNSET
    """Put a presigned GET URL that lives so many seconds in the payload."""
    coalesce: Given[bool | None] = UNSET
    """Of a key's waiting events, send only the latest."""
    rate_limit: Given[float | None] = UNSET
    """Attempts a second, at most."""
    max_concurrency: Given[int | None] = UNSET
    """Attempts at once, at most."""
    batch: Given[BatchInput | None] = UNSET
    """Send several events in one request."""
    bucket: Given[str | None] = UNSET
    pond: Given[str | None] = UNSET
    lake: Given[str | None] = UNSET
    account: Given[str | None] = UNSET
    secret: Given[str | None] = UNSET
    retry_schedule: Given[list[float] | None] = UNSET
    timeout_seconds: Given[float | None] = UNSET
    ordering: Given[Literal["key", "bucket", "none"] | None] = UNSET
    on_dead: Given[Literal["continue", "pause"] | None] = UNSET
    name: Given[str | None] = UNSET
    endpoint: Given[str | None] = UNSET
    events: Given[
        list[
            Literal[
                "object:created",
                "object:updated",
                "object:deleted",
                "multipart:completed",
                "webhook:failing",
                "webhook:disabled",
            ]
        ]
    ] = UNSET
    """By default, all of an object's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """`databases` are their sizes in bytes, where they are files."""

    name: str
    version: str
    databases: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event, exactly as webhooks send it."""

    event: Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]
    timestamp: datetime
    bucket: str
    object: DescribedObject
    lake: str
    pond: str
    id: str
    sequence: int
    reason: str
    previous: Previous | None = None
    principal: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """How long events are kept, and about how many bytes of them in each bucket (0: no limit); when the oldest
    that is kept happened.
    """

    retention_days: int
    retention_bytes: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Whether an event matches. `refusedBy` is the first clause that says no, and `value` what it looked at:
    `scope`, `events`, `filter.prefix`, …, `where`. `error` says why the expression has no answer. A sample has
    no sequence.
    """

    event: (
        Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]
        | Literal["webhook:failing", "webhook:disabled"]
    )
    timestamp: datetime
    bucket: str
    key: str
    sequence: int | None
    matches: bool
    refused_by: str | None
    value: Any
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One answer for each event, the latest first, how many of them match, and which of the `sequences` asked for
    the log does not hold.
    """

    items: list[Explained]
    matching: int
    missing: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Events in sequence, and the first and last sequence that the log holds."""

    items: list[Event]
    last_sequence: int
    first_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterInput:
    """Which events match: every clause given must hold; of a list, any one."""

    prefix: Given[list[str]] = UNSET
    """How the key begins."""
    suffix: Given[list[str]] = UNSET
    """How the key ends."""
    content_type: Given[list[str]] = UNSET
    """Media types, or `type/*`."""
    min_size: Given[int | None] = UNSET
    """Bytes."""
    max_size: Given[int | None] = UNSET
    """Bytes."""
    metadata: Given[dict[str, str]] = UNSET
    """User metadata that the object must have."""
    tags: Given[dict[str, str]] = UNSET
    """Tags that the object must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The clauses of a filter."""

    prefix: list[str]
    suffix: list[str]
    content_type: list[str]
    min_size: int | None
    max_size: int | None
    metadata: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Health."""

    status: Literal["ok"]
    version: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and how far it is. Of `total` it has looked at `scanned`; `total` is null where that is not known.

    What `failed` is attempted again as a delivery of its own; `skipped` are objects that are gone, or of which
    the webhook learns anyway. What is sent and not answered yet is in none of the counts, and so is what comes
    after it.
    """

    id: str
    webhook: str
    kind: Literal["replay", "backfill"]
    status: Literal["running", "completed", "canceled", "failed"]
    bucket: str | None
    prefix: str
    events: list[str]
    only: Literal["all", "retrying", "dead"]
    from_sequence: int | None
    to_sequence: int | None
    since: datetime | None
    until: datetime | None
    rate_limit: float | None
    fresh_ids: bool
    total: int | None
    scanned: int
    matched: int
    sent: int
    delivered: int
    failed: int
    skipped: int
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key; `secretAccessKey` is in the answer that made it, and never again."""

    access_key_id: str
    secret_access_key: str | None = field(default=None, repr=False)
    account: str
    scope: Scope
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """Lake."""

    lake: str
    name: str
    account: str
    created_at: datetime
    buckets: int
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """Liveness."""

    status: Literal["ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedBy:
    """The entry of the bucket's S3 notification configuration that made the webhook, and the webhook that it was
    made from. Change one of these: of the webhook itself, only its status can be changed.
    """

    by: Literal["s3"] | None = None
    configuration: str
    webhook: str
    events: list[str]
    """In S3's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How much lies under a prefix. `isMore` where there are others beyond the 10,000 that are counted."""

    objects: int
    bytes: int
    is_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A process that said that it lives. `epoch` names it for as long as it is not taken for dead."""

    name: str
    role: Literal["gateway", "dispatcher"]
    epoch: str
    started_at: datetime
    heartbeat_at: datetime
    is_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pond:
    """Pond."""

    lake: str
    pond: str
    name: str
    created_at: datetime
    buckets: int
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """Previous."""

    size: int
    etag: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the server needs for its work, and whether each of it is there."""

    status: Literal["ok", "unavailable"]
    checks: list[Check]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """0 is for ever; null: none are kept."""

    retention_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleObjectInput:
    """An object that need not exist, and what happens to it."""

    key: str
    size: Given[int] = UNSET
    """Bytes."""
    content_type: Given[str] = UNSET
    metadata: Given[dict[str, str]] = UNSET
    """User metadata."""
    event: Given[Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]] = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeInput:
    """What the key may touch; an empty or missing list limits nothing."""

    lakes: Given[list[str]] = UNSET
    ponds: Given[list[str]] = UNSET
    buckets: Given[list[str]] = UNSET
    prefixes: Given[list[str]] = UNSET
    permissions: Given[list[Literal["read", "write", "delete", "list", "admin"]]] = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Scope."""

    lakes: list[str]
    ponds: list[str]
    buckets: list[str]
    prefixes: list[str]
    permissions: list[Literal["read", "write", "delete", "list", "admin"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the webhook's deliveries have ended so far, each counted once, as it ended at first (a dead one stays
    counted when a redelivery or a replay delivers its event); how many wait for another attempt, and since when
    not one attempt has succeeded, with what the last one failed. `backlog` is how many events lie beyond its
    positions, those that it does not subscribe to included; `oldestUndeliveredAt` is when the first event
    happened that has not arrived.
    """

    delivered: int
    dead: int
    canceled: int
    expired: int
    coalesced: int
    retrying: int
    backlog: int
    oldest_undelivered_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    breaker: Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A webhook's attempts in whole steps of time; `until` is the end of the last."""

    since: datetime
    until: datetime
    step: Literal["5m", "1h", "1d"]
    steps: list[Step]
    totals: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was attempted from `start` on."""

    attempts: int
    delivered: int
    failed: int
    failures: dict[str, int]
    success_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """`backlog` is what the dispatcher of the server that answers measured last; null where it has none."""

    version: str
    role: str
    started_at: datetime
    public_url: str
    engine: Engine
    nodes: list[Node]
    blobs: Blobs
    accounts: int
    buckets: int
    objects: int
    bytes: int
    webhooks: dict[str, int]
    events: Events
    attempts: Retention
    activity: Retention
    backlog: Backlog | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the steps took; null for a step that was not taken (a kept connection needs no address) or not
    ended.
    """

    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token; its text, `token`, is in the answer that made it, and never again. `accounts` null is every
    account.
    """

    id: str
    name: str
    accounts: list[str] | None
    access: Literal["read", "write"]
    created_at: datetime
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unacknowledged:
    """A key's latest event that the webhook wants and has not taken.

    `pending`: not attempted yet; `retrying`: attempted in vain so far; `held`: an earlier event is retrying,
    and this
    one waits for it; `dead`: given up. `event` is null where the log no longer has it.
    """

    bucket: str
    key: str
    sequence: int
    state: Literal["pending", "retrying", "held", "dead"]
    event: str | None
    event_id: str | None
    timestamp: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook; `secret` is in the answer that made it, if it was generated there, and never again."""

    headers: dict[str, str]
    client_certificate: str | None
    client_key: str | None = field(repr=False)
    certificate_authority: str | None
    overlap_ends_at: datetime | None
    """Until when a secret and its successor both sign."""
    filter: Filter | None
    where: str | None
    format: Literal["elasticlake", "cloudevents", "s3"]
    include_metadata: bool
    include_url: int | None
    coalesce: bool
    rate_limit: float | None
    max_concurrency: int | None
    batch: Batch | None
    id: str
    bucket: str | None = None
    pond: str | None = None
    lake: str | None = None
    account: str
    endpoint: str
    events: list[
        Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]
        | Literal["webhook:failing", "webhook:disabled"]
    ]
    retry_schedule: list[int | float]
    timeout_seconds: int | float
    ordering: Literal["key", "bucket", "none"]
    on_dead: Literal["continue", "pause"]
    name: str
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None
    created_at: datetime
    updated_at: datetime
    revision: int
    secret: str | None = field(default=None, repr=False)
    managed_by: ManagedBy | None = None
    where_errors: WhereErrors | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereErrors:
    """For how many events `where` had no answer since the webhook was last changed, so that they did not match;
    and the last of them.
    """

    count: int
    last_error: str | None = None
    bucket: str | None = None
    sequence: int | None = None
