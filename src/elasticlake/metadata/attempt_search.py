"""Searching attempts: by status, key, event type, status code and time, day after day, the newest first.

Key, status and time are looked up in an index; event type, prefix and status code are compared on the way, over a
bounded number of rows. So a search costs its page, however many attempts there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, Protocol

from elasticlake.metadata.database import Row, Value
from elasticlake.model.webhooks import LISTED_STATUSES
from elasticlake.record import record

SCANNED_AT_ONCE = 2000
"""After so many rows that were compared a search ends, with a place to go on from."""
_COMPARED_AT_ONCE = 500
_SUCCESSES = (200, 299)
_DAY_MS = 86_400_000
_ENDLESS = 2**62

_HITS = "SELECT started_at_ms, id, bucket_id, sequence, generation, event, key, status_code FROM {attempts} "
_NEWEST = "started_at_ms >= ? AND (started_at_ms, id) < (?, ?) ORDER BY started_at_ms DESC, id DESC LIMIT ?"
# By the indexes attempts_by_key and attempts_by_time.
_BY_KEY = _HITS + "WHERE webhook_id = ? AND key = ? AND " + _NEWEST
_BY_KEY_OF_STATUS = _HITS + "WHERE webhook_id = ? AND key = ? AND status = ? AND " + _NEWEST
_BY_TIME = _HITS + "WHERE webhook_id = ? AND status = ? AND " + _NEWEST


class Place(NamedTuple):
    """Where an attempt is among all, in the order of time."""

    started_at_ms: int
    row: int


@record
class Wanted:
    """Which attempts are looked for; what is None does not matter. `status` is the delivery's after the attempt."""

    status: str | None = None
    event: str | None = None
    key: bytes | None = None
    key_prefix: bytes | None = None
    status_codes: tuple[int, int] | None = None
    """The least and the greatest."""
    since_ms: int | None = None
    until_ms: int | None = None
    """Before this time."""

    @property
    def is_of_attempts(self) -> bool:
        """Whether only what was attempted can be meant."""
        return (self.status_codes, self.since_ms, self.until_ms) != (None, None, None)

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the status matters."""
        return self.is_of_attempts or (self.event, self.key, self.key_prefix) != (None, None, None)

    def takes_event(self, event: str, key: bytes | None) -> bool:
        """Whether an event of that type and key is meant."""
        return (
            self.event in (None, event)
            and self.key in (None, key)
            and (self.key_prefix is None or (key is not None and key.startswith(self.key_prefix)))
        )

    def takes_attempt(self, started_at_ms: int | None, status_code: int | None) -> bool:
        """Whether an attempt of that time and outcome is meant."""
        if self.status_codes is not None:
            least, greatest = self.status_codes
            if status_code is None or not least <= status_code <= greatest:
                return False
        if self.since_ms is None and self.until_ms is None:
            return True
        return started_at_ms is not None and self.earliest_ms <= started_at_ms < self.end_ms

    @property
    def earliest_ms(self) -> int:
        """When the first attempt may have begun."""
        return self.since_ms if self.since_ms is not None else -_ENDLESS

    @property
    def end_ms(self) -> int:
        """Before when the last one has to."""
        return self.until_ms if self.until_ms is not None else _ENDLESS


class Day(Protocol):
    """One day's attempts."""

    @property
    def number(self) -> int:
        """Days since the Unix epoch, UTC."""
        ...

    @property
    def attempts(self) -> str:
        """What to select from."""
        ...

    def rows(self, sql: str, parameters: tuple[Value, ...]) -> list[Row]: ...


class Hit(NamedTuple):
    """An attempt that was found: where it is, and of which delivery."""

    place: Place
    bucket_id: int
    sequence: int
    generation: int


class Found(NamedTuple):
    """What a search found, and where to go on; None at the end."""

    hits: list[Hit]
    next_place: Place | None


def search(days: Iterable[Day], webhook_id: str, wanted: Wanted, before: Place | None, limit: int) -> Found:
    """At most `limit` of the webhook's attempts before that place, the newest first. `days` are the newest first.

    It may find fewer, or none, and still have a place to go on from.
    """
    found: list[Hit] = []
    place = _start(wanted, before)
    unread = SCANNED_AT_ONCE
    for day in days:
        if not wanted.earliest_ms // _DAY_MS <= day.number <= place.started_at_ms // _DAY_MS:
            continue
        while rows := _scan(day, webhook_id, wanted, place, asked := _at_once(wanted, limit - len(found))):
            for started_at_ms, row, bucket_id, sequence, generation, event, key, status_code in rows:
                place = Place(started_at_ms, row)
                if wanted.takes_event(event, key) and wanted.takes_attempt(started_at_ms, status_code):
                    found.append(Hit(place, bucket_id, sequence, generation))
                    if len(found) == limit:
                        return Found(found, place)
            unread -= len(rows)
            if len(rows) < asked:
                break
            if unread <= 0:
                return Found(found, place)
    return Found(found, None)


def _start(wanted: Wanted, before: Place | None) -> Place:
    end = Place(wanted.end_ms, -1)
    return end if before is None else min(before, end)


def _at_once(wanted: Wanted, room: int) -> int:
    """How many rows to read: where each is one that is wanted, no more than there is room for."""
    compares = (wanted.event, wanted.key_prefix, wanted.status_codes) != (None, None, None)
    return max(room, _COMPARED_AT_ONCE) if compares else room


def _scan(day: Day, webhook_id: str, wanted: Wanted, before: Place, limit: int) -> list[Row]:
    """The newest rows before that place which an index leads to."""
    bounds = (wanted.earliest_ms, *before, limit)
    if wanted.key is not None and wanted.status is not None:
        sql = _BY_KEY_OF_STATUS.format(attempts=day.attempts)
        return day.rows(sql, (webhook_id, wanted.key, wanted.status, *bounds))
    if wanted.key is not None:
        return day.rows(_BY_KEY.format(attempts=day.attempts), (webhook_id, wanted.key, *bounds))
    statuses = _statuses(wanted)
    parameters = [value for status in statuses for value in (webhook_id, status, *bounds)]
    return day.rows(_by_statuses(len(statuses)).format(attempts=day.attempts), (*parameters, limit))


def _statuses(wanted: Wanted) -> tuple[str, ...]:
    """After which statuses an attempt may be what is wanted: one that did not succeed is not delivered."""
    if wanted.status is not None:
        return (wanted.status,)
    codes = wanted.status_codes
    if codes is not None and (codes[1] < _SUCCESSES[0] or codes[0] > _SUCCESSES[1]):
        return tuple(status for status in LISTED_STATUSES if status != "delivered")
    return LISTED_STATUSES


@lru_cache
def _by_statuses(count: int) -> str:
    """The newest of each status, and of all these the newest."""
    each = (f"SELECT * FROM ({_BY_TIME}) AS of_status_{number}" for number in range(count))
    return " UNION ALL ".join(each) + " ORDER BY 1 DESC, 2 DESC LIMIT ?"
