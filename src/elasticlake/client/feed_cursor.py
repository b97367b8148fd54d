"""Reading a bucket's log without missing an event: where the reader is, and what to ask for next. No I/O."""

from __future__ import annotations

from elasticlake.client import models
from elasticlake.client.call import Call, make_call
from elasticlake.client.errors import UnexpectedAnswer

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
        """The events that came. Each is to be `passed` when it has been handed on. Raises `UnexpectedAnswer` where the
        log does not go on from here, as that of a server that was restored from a backup."""
        if feed.last_sequence < self.after:
            raise UnexpectedAnswer(f"The log of {self._bucket} ends at {feed.last_sequence}, before {self.after}.")
        for expected, event in enumerate(feed.items, self.after + 1):
            if event.sequence != expected:
                raise UnexpectedAnswer(
                    f"The log of {self._bucket} does not go on after {self.after}: {expected} is not there."
                )
        self.has_ended = not feed.items and not self._follow
        return feed.items

    def passed(self, event: models.Event) -> None:
        self.after = event.sequence
