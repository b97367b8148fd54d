"""Reading a bucket's log without missing an event: where the reader is, and what to ask for next. No I/O."""

from __future__ import annotations

from elasticlake.client import models
from elasticlake.client.call import Call, make_call

PAGE_EVENTS = 1000
WAIT_SECONDS = 20.0


class FeedCursor:
    """A place in a bucket's log. Sequences have no gaps, so whoever goes on from the last one misses nothing."""

    def __init__(self, bucket: str, after: int, *, follow: bool) -> None:
        self._bucket = bucket
        self.after = after
        self._follow = follow
        self.has_ended = False

    @property
    def call(self) -> Call[models.Feed]:
        """Ask for what follows; the server holds back its answer until there is something."""
        query = {"after": self.after, "limit": PAGE_EVENTS, "wait": WAIT_SECONDS if self._follow else 0}
        path = {"bucket": self._bucket}
        return make_call("GET", "/v1/buckets/{bucket}/events", models.Feed, path=path, query=query)

    def take(self, feed: models.Feed) -> list[models.Event]:
        """The events that came. Each is to be `passed` when it has been handed on."""
        self.has_ended = not feed.items and not self._follow
        return feed.items

    def passed(self, event: models.Event) -> None:
        self.after = event.sequence
