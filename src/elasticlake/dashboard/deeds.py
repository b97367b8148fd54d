"""What the audit log says, in words; and where what it speaks of is to be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticlake.dashboard.show import in_url
from elasticlake.dashboard.visit import PREFIX
from elasticlake.model.accounts import Actor
from elasticlake.model.activity import Action, Done

WORDS: dict[Action, str] = {
    "account:created": "made account",
    "account:changed": "changed account",
    "account:deleted": "deleted account",
    "key:created": "made access key",
    "key:deleted": "deleted access key",
    "token:created": "made token",
    "token:deleted": "deleted token",
    "lake:created": "made lake",
    "lake:renamed": "renamed lake",
    "lake:deleted": "deleted lake",
    "pond:created": "made pond",
    "pond:renamed": "renamed pond",
    "pond:deleted": "deleted pond",
    "bucket:created": "made bucket",
    "bucket:deleted": "deleted bucket",
    "bucket:aclChanged": "changed the access of bucket",
    "bucket:notificationsChanged": "changed the notifications of bucket",
    "webhook:created": "made webhook",
    "webhook:changed": "changed webhook",
    "webhook:enabled": "enabled webhook",
    "webhook:disabled": "disabled webhook",
    "webhook:rotated": "rotated the secret of webhook",
    "webhook:promoted": "promoted the new secret of webhook",
    "webhook:tested": "tested webhook",
    "webhook:deleted": "deleted webhook",
    "delivery:redelivered": "sent again delivery",
    "job:started": "started job",
    "job:canceled": "canceled job",
}
KINDS = {
    "account:": "Accounts",
    "key:": "Access keys",
    "token:": "Tokens",
    "lake:": "Lakes",
    "pond:": "Ponds",
    "bucket:": "Buckets",
    "webhook:": "Webhooks",
    "delivery:": "Deliveries",
    "job:": "Jobs",
}
"""How the actions of each kind of subject begin, and what these are together."""


def who(actor: Actor) -> str:
    """`the dashboard`, `access key EL7…`."""
    if actor.kind == "dashboard":
        return "the dashboard"
    if actor.kind == "system":
        return "the server"
    return f"access key {actor.id}" if actor.kind == "accessKey" else f"token {actor.id}"


def where(done: Done) -> str | None:
    """The page of what it was done to; None if it has none, or is no more."""
    kind, name = done.subject_kind, in_url(done.subject)
    if done.action.endswith(":deleted"):
        return None
    if kind == "key":
        return f"{PREFIX}/keys?account={in_url(done.account_id or '')}"
    if kind == "job":
        return f"{PREFIX}/webhooks/{in_url(str((done.detail or {}).get('webhook', '')))}"
    paths = {
        "account": f"accounts/{name}",
        "token": "tokens",
        "lake": f"lakes/{name}",
        "pond": f"buckets?pond={name}",
        "bucket": f"buckets/{name}/settings",
        "webhook": f"webhooks/{name}",
        "delivery": f"deliveries/{name}",
    }
    return f"{PREFIX}/{paths[kind]}" if kind in paths else None


def detail(done: Done) -> str:
    """What else is known: `limited to: buckets, prefixes · access: read`."""
    return " · ".join(f"{_in_words(name)}: {_plain(value)}" for name, value in (done.detail or {}).items())


def _in_words(name: str) -> str:
    """`limitedTo` is `limited to`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items()) or "none"
    return {"True": "yes", "False": "no", "None": "none"}.get(str(value), str(value))
