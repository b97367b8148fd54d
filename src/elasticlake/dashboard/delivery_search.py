"""What a list of deliveries is narrowed by, as a page's query says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from elasticlake.errors import InvalidInput
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.status_codes import parse_status_codes
from elasticlake.model.webhooks import LISTED_STATUSES, ListedStatus
from elasticlake.record import record

FIELDS = ("status", "event", "key", "match", "code", "since", "until")
PREFIX = "prefix"

T = TypeVar("T")


@record
class Search:
    """What is looked for, as the service takes it; and what in the query cannot be understood, by field."""

    status: ListedStatus | None
    wanted: Wanted
    faults: dict[str, str]

    @property
    def is_narrow(self) -> bool:
        return self.status is not None or self.wanted != Wanted()


def read_search(query: Mapping[str, str]) -> Search:
    """The search that a query asks for; what is wrong with it is left out, and said."""
    given = {name: query.get(name, "").strip() for name in FIELDS if name != "key"}
    faults: dict[str, str] = {}
    key = query.get("key", "").encode(errors="replace")
    is_prefix = given["match"] == PREFIX
    wanted = Wanted(
        event=given["event"] if given["event"] in EVENT_TYPES else None,
        key=key if key and not is_prefix else None,
        key_prefix=key if key and is_prefix else None,
        status_codes=_read(faults, "code", given["code"], parse_status_codes),
        since_ms=_read(faults, "since", given["since"], parse_time),
        until_ms=_read(faults, "until", given["until"], parse_time),
    )
    status = next((known for known in LISTED_STATUSES if known == given["status"]), None)
    return Search(status, wanted, faults)


def parse_time(text: str) -> int:
    """Milliseconds of a time as browsers send it, `2026-01-02T03:04`, in UTC; raises `InvalidInput`."""
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InvalidInput("time", "Write it as 2026-01-02T03:04, in UTC.") from None


def time_text(time_ms: int) -> str:
    """The minute in which a time lies, as browsers send it and `parse_time` reads it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def _read(faults: dict[str, str], field: str, text: str, parse: Callable[[str], T]) -> T | None:
    if not text:
        return None
    try:
        return parse(text)
    except InvalidInput as error:
        faults[field] = str(error)
        return None
