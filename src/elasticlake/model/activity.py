"""Activity: what was done to the installation itself, and by whom. Changes of objects are events, and not here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from elasticlake.model.accounts import Actor

Action = Literal[
    "account:created", "account:changed", "account:deleted",
    "key:created", "key:deleted", "token:created", "token:deleted",
    "lake:created", "lake:renamed", "lake:deleted", "pond:created", "pond:renamed", "pond:deleted",
    "bucket:created", "bucket:deleted", "bucket:aclChanged", "bucket:notificationsChanged",
    "webhook:created", "webhook:changed", "webhook:enabled", "webhook:disabled", "webhook:rotated",
    "webhook:promoted", "webhook:tested", "webhook:deleted",
    "delivery:redelivered", "job:started", "job:canceled",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done. `subject` is the id or the name of what it was done to; the action says of which kind
    that is."""

    action: Action
    subject: str
    account_id: str | None
    """Whose the subject is; None where it is nobody's in particular, as a token."""
    bucket: str | None = None
    """The name of the bucket that it is about, if it is one."""
    detail: Mapping[str, Any] | None = None
    """What else is worth knowing: harmless, and small."""

    @property
    def subject_kind(self) -> str:
        return self.action.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Activity:
    """An entry: what was done, when (Unix time in milliseconds) and by whom. A later one has a greater id."""

    id: int
    time_ms: int
    actor: Actor
    done: Done
