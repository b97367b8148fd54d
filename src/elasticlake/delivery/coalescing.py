"""Coalescing: of a key's waiting events, the latest state alone is sent."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import NamedTuple

from elasticlake.model.events import Event


class Following(NamedTuple):
    """A lane's next event: `stands_for` earlier ones that it says more than; `passed` were passed over altogether."""

    event: Event | None = None
    stands_for: int = 0
    passed: int = 0
    end_sequence: int = 0
    """The last event of the batch that it begins; 0 where it goes alone."""
    expired: int = 0
    """How many before it are known to be gone from the log."""


def is_upload(event: Event) -> bool:
    """Whether it says that an upload completed, which no other kind of event says."""
    return event.type == "multipart:completed"


def supersedes(later: Event, earlier: Event) -> bool:
    """Whether who gets the later one needs the earlier one no more."""
    return is_upload(later) == is_upload(earlier)


async def coalesced(events: AsyncIterable[Event]) -> Following:
    """What is to be sent next of a key's events that wait, in sequence: the latest of their kind, of whichever kind
    comes first."""
    latest: dict[bool, Event] = {}
    seen = {True: 0, False: 0}
    others_before = {True: 0, False: 0}
    async for event in events:
        kind = is_upload(event)
        latest[kind] = event
        seen[kind] += 1
        others_before[kind] = seen[not kind]
    if not latest:
        return Following()
    kind = min(latest, key=lambda one: latest[one].sequence)
    earlier = seen[kind] - 1
    return Following(latest[kind], earlier, earlier + others_before[kind])
