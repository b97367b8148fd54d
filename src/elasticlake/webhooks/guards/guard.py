"""What a guard promises.

An event is claimed, handled, and then either completed or released. A process that dies in between leaves a claim,
which ends by itself: the event is handled again when it is sent again, never forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

CLAIM_SECONDS = 120.0
"""Longer than a handler takes: what it has not completed by then, another process may begin again."""
KEEP_SECONDS = 30 * 86_400.0
"""As long as ElasticLake keeps events, unless it is told otherwise: until then one can be sent again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to handle an event, until it ends; `token` tells it from an earlier one of the same event."""

    id: str
    token: str


class Guard(Protocol):
    """Safe for threads, and where it says so for processes."""

    def begin(self, event_id: str) -> Claim | None:
        """The event's claim; None if it was handled already. Raises `BeingHandled` while another claim holds."""
        ...

    def complete(self, claim: Claim) -> None:
        """It is handled. This counts even if the claim ended meanwhile."""
        ...

    def release(self, claim: Claim) -> None:
        """It was not handled, and may be claimed at once; nothing if the claim ended meanwhile."""
        ...
