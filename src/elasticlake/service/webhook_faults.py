"""Everything that is wrong with a webhook's definition at once, where the rules themselves stop at the first fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from elasticlake.errors import InvalidInput
from elasticlake.model.events import EventType
from elasticlake.model.filters import Filter
from elasticlake.model.rules import Rules, require_rules
from elasticlake.model.webhooks import (
    DEFAULT_TIMEOUT_SECONDS,
    Sealed,
    Webhook,
    WebhookScope,
    require_events,
    require_timeout,
)
from elasticlake.service.webhook_definitions import (
    NewWebhook,
    require_agreement,
    require_name,
    require_schedule,
    require_sealed,
    require_secret,
    value_or,
)
from elasticlake.service.where import require_where

Check = Callable[[], Any]
# What is confidential, in parts that say nothing of each other.
_APART = (("headers",), ("client_certificate", "client_key"), ("certificate_authority",))


def faults_of(new: NewWebhook, require_endpoint: Callable[[str], Any], known: Sealed) -> dict[str, str]:
    """What is wrong, by field; nothing but the store's own refusals is missing. `known` is what the webhook, if there
    is one already, has of what is confidential."""
    found: dict[str, str] = {}
    for check in _checks(new, require_endpoint, known):
        try:
            check()
        except InvalidInput as fault:
            found.setdefault(fault.field, str(fault))
    return found


def _checks(new: NewWebhook, require_endpoint: Callable[[str], Any], known: Sealed) -> Iterator[Check]:
    yield partial(require_endpoint, new.endpoint)
    yield partial(require_events, list(new.events))
    yield partial(require_name, new.name)
    if new.secret is not None:
        yield partial(require_secret, new.secret)
    yield partial(require_schedule, new.retry_schedule_seconds)
    yield partial(require_timeout, value_or(new.timeout_seconds, DEFAULT_TIMEOUT_SECONDS))
    yield partial(require_where, new.rules.get("where"))
    for rules in _one_by_one(Rules(**new.rules)):
        yield partial(require_rules, rules)
    yield partial(_require_together, new)
    for names in _APART:
        yield partial(require_sealed, known, {name: new.sealed[name] for name in names if name in new.sealed})


def _one_by_one(rules: Rules) -> Iterator[Rules]:
    """Rules of which each holds one of the things that are asked for; the two sizes are one."""
    for name in ("rate_limit", "max_concurrency", "include_url_seconds", "batch"):
        yield Rules(**{name: getattr(rules, name)})
    wanted = rules.filter
    for name in ("prefix", "suffix", "content_type", "metadata", "tags"):
        yield Rules(filter=Filter(**{name: getattr(wanted, name)}))
    yield Rules(filter=Filter(min_size=wanted.min_size, max_size=wanted.max_size))


def _require_together(new: NewWebhook) -> None:
    events = cast("tuple[EventType, ...]", new.events)  # whether they are some is asked elsewhere
    scope = WebhookScope("bucket", 0, "")
    require_agreement(Webhook("", "", scope, "", events, ordering=new.ordering, rules=Rules(**new.rules)))
