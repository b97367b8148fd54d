"""What the form of a webhook shows: a new one's, one that was sent, or that of a webhook to be edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from elasticlake.dashboard.amounts import number_text, wait_text
from elasticlake.dashboard.forms import Form, Texts
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS, Webhook

# By field, what `Filter` calls it: lines, pairs, sizes.
TEXT_FIELDS = {"filter.prefix": "prefix", "filter.suffix": "suffix", "filter.contentType": "content_type"}
PAIR_FIELDS = {"filter.metadata": "metadata", "filter.tags": "tags"}
SIZE_FIELDS = {"filter.minSize": "min_size", "filter.maxSize": "max_size"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form holds: texts by field, and the events that are ticked."""

    values: Texts
    events: frozenset[str]


def blank(kind: str, place: str) -> Shown:
    """A new webhook's form, for the place that it was asked for in."""
    values = {
        "kind": kind,
        "place": place,
        "secretFrom": "generate",
        "ordering": "key",
        "format": "elasticlake",
        "timeoutSeconds": number_text(DEFAULT_TIMEOUT_SECONDS),
        "retrySchedule": _schedule_text(DEFAULT_RETRY_SCHEDULE_SECONDS),
    }
    return Shown(Texts(values), frozenset(EVENT_TYPES[:3]))


def again(form: Form) -> Shown:
    """The form as it was sent."""
    return Shown(Texts(form.values()), frozenset(form.all("events")))


def shown(webhook: Webhook) -> Shown:
    """What there is to be edited of a webhook, without anything secret."""
    rules, wanted, sealed = webhook.rules, webhook.rules.filter, webhook.sealed
    values = {
        "kind": webhook.scope.kind,
        "place": webhook.scope.name,
        "endpoint": webhook.endpoint,
        "name": webhook.name,
        "ordering": webhook.ordering,
        "onDead": webhook.on_dead,
        "timeoutSeconds": number_text(webhook.timeout_seconds),
        "retrySchedule": _schedule_text(webhook.retry_schedule_seconds),
        "where": rules.where or "",
        "format": rules.format,
        "coalesce": "on" if rules.coalesce else "",
        "includeMetadata": "on" if rules.include_metadata else "",
        "includeUrl": wait_text(rules.include_url_seconds),
        "rateLimit": number_text(rules.rate_limit),
        "maxConcurrency": number_text(rules.max_concurrency),
        "batch.maxEvents": number_text(rules.batch.max_events if rules.batch else None),
        "batch.maxWaitMs": number_text(rules.batch.max_wait_ms if rules.batch else None),
        "headers": "\n".join(f"{name}: {value}" for name, value in sealed.headers),
        "clientCertificate": sealed.client_certificate or "",
        "certificateAuthority": sealed.certificate_authority or "",
    }
    values |= {name: "\n".join(getattr(wanted, attribute)) for name, attribute in TEXT_FIELDS.items()}
    values |= {name: _pairs_text(getattr(wanted, attribute)) for name, attribute in PAIR_FIELDS.items()}
    values |= {name: number_text(getattr(wanted, attribute)) for name, attribute in SIZE_FIELDS.items()}
    return Shown(Texts(values), frozenset(webhook.events))


def _schedule_text(seconds: tuple[float, ...]) -> str:
    return ", ".join(wait_text(one) for one in seconds)


def _pairs_text(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs.items())
