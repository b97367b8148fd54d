"""What callers ask a webhook to be, and the rules that it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from elasticlake import signing
from elasticlake.errors import InvalidWebhook
from elasticlake.model.custom_headers import require_headers
from elasticlake.model.envelopes import require_events_for
from elasticlake.model.rotation import with_secret
from elasticlake.model.rules import require_rules
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS, validate_schedule
from elasticlake.model.webhooks import (
    OnDead,
    Ordering,
    Sealed,
    Webhook,
    WebhookStatus,
    require_events,
    require_timeout,
)
from elasticlake.service.tls_identity import require_tls

MANUAL = "manual"
MAX_NAME_CHARACTERS = 200

T = TypeVar("T")
Resume = Literal["position", "now"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a webhook listens, by name: exactly one of a bucket, a pond (as `lake--pond`) and a lake."""

    bucket: str | None = None
    pond: str | None = None
    lake: str | None = None

    def __bool__(self) -> bool:
        return (self.bucket, self.pond, self.lake) != (None, None, None)


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook to make; what is None takes its default, and a missing secret is generated."""

    place: Place
    endpoint: str
    events: tuple[str, ...]
    account_id: str | None = None
    secret: str | None = None
    retry_schedule_seconds: tuple[float, ...] | None = None
    timeout_seconds: float | None = None
    ordering: Ordering = "key"
    on_dead: OnDead | None = None
    name: str = ""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """The fields of `Rules` that are not to be as they would be anyway."""
    sealed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The fields of `Sealed` to set; `headers` as a mapping."""


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What to change of a webhook; None leaves it as it is. `resume` says where an enabled webhook goes on."""

    endpoint: str | None = None
    events: tuple[str, ...] | None = None
    secret: str | None = None
    retry_schedule_seconds: tuple[float, ...] | None = None
    timeout_seconds: float | None = None
    ordering: Ordering | None = None
    on_dead: OnDead | None = None
    name: str | None = None
    status: WebhookStatus | None = None
    resume: Resume | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    """The fields of `Rules` to replace."""
    sealed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The fields of `Sealed` to replace; `headers`, a mapping, as a whole."""


def require_one_place(place: Place) -> None:
    """Raise `InvalidWebhook` unless exactly one place is named."""
    named = [kind for kind in ("bucket", "pond", "lake") if getattr(place, kind) is not None]
    if len(named) != 1:
        raise InvalidWebhook(named[1] if named else "bucket", "Name exactly one of bucket, pond and lake.")


def apply(webhook: Webhook, change: WebhookChange) -> Webhook:
    schedule = change.retry_schedule_seconds
    if change.secret is not None:
        webhook = with_secret(webhook, require_secret(change.secret))
    changed = replace(
        webhook,
        endpoint=value_or(change.endpoint, webhook.endpoint),
        events=webhook.events if change.events is None else require_events(list(change.events)),
        retry_schedule_seconds=webhook.retry_schedule_seconds if schedule is None else require_schedule(schedule),
        timeout_seconds=require_timeout(value_or(change.timeout_seconds, webhook.timeout_seconds)),
        ordering=change.ordering or webhook.ordering,
        on_dead=change.on_dead or webhook.on_dead,
        name=webhook.name if change.name is None else require_name(change.name),
        revision=webhook.revision + 1,
        rules=require_rules(replace(webhook.rules, **change.rules)),
        sealed=require_sealed(webhook.sealed, change.sealed),
    )
    require_agreement(changed)
    if change.status in (None, webhook.status):
        return changed
    reason = MANUAL if change.status == "disabled" else None
    return replace(changed, status=change.status or webhook.status, disabled_reason=reason)


def require_agreement(webhook: Webhook) -> None:
    """Raise `InvalidWebhook` unless what the webhook asks for goes together."""
    require_events_for(webhook.rules.format, webhook.events)
    if webhook.rules.coalesce and webhook.rules.batch is not None:
        raise InvalidWebhook("batch", "batch and coalesce exclude each other.")
    if webhook.rules.coalesce and webhook.ordering != "key":
        raise InvalidWebhook("coalesce", "Only with ordering key do the events of one key wait for each other.")
    if webhook.rules.batch is not None and webhook.ordering != "bucket":
        raise InvalidWebhook("batch", "A batch is acknowledged as a whole, so it goes with ordering bucket.")


def value_or(value: T | None, default: T) -> T:
    return default if value is None else value


def require_secret(secret: str) -> str:
    try:
        signing.validate_secret(secret)
    except ValueError as error:
        raise InvalidWebhook("secret", str(error)) from None
    return secret


def require_sealed(known: Sealed, given: Mapping[str, Any]) -> Sealed:
    """What is confidential, with what is given instead of what is known; raises `InvalidWebhook` that names the
    field."""
    if "headers" in given:
        given = {**given, "headers": require_headers(given["headers"], known.headers)}
    sealed = replace(known, **given)
    if sealed != known:
        require_tls(sealed)
    return sealed


def require_schedule(schedule: tuple[float, ...] | None) -> tuple[float, ...]:
    if schedule is None:
        return DEFAULT_RETRY_SCHEDULE_SECONDS
    try:
        return validate_schedule(schedule)
    except (ValueError, OverflowError) as error:
        raise InvalidWebhook("retrySchedule", str(error)) from None


def require_name(name: str) -> str:
    if len(name) > MAX_NAME_CHARACTERS or (name and not name.isprintable()):
        raise InvalidWebhook("name", f"A webhook's name has at most {MAX_NAME_CHARACTERS} printable characters.")
    return name
