"""What every history promises: attempts by delivery and by webhook, the newest first, forgotten by the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from tests.unit.world import attempt

from elasticlake.metadata.history import Attempt, History, HistoryLog, HistoryReader, HistoryWriter
from elasticlake.metadata.postgres.history import PostgresHistoryReader, PostgresHistoryWriter
from elasticlake.metadata.postgres.migrations import migrate_postgres

DAY_MS = 86_400_000
MIDNIGHT_MS = 20_000 * DAY_MS


@dataclass
class Kept:
    """A history, and another process's view of it."""

    log: HistoryLog
    history: History
    other_log: HistoryLog

    def pages(self, webhook_id: str, status: str | None, limit: int) -> list[list[Attempt]]:
        """All pages, each begun where the one before it ended."""
        found, place = list[list[Attempt]](), None
        while page := self.history.latest(webhook_id, status, place, limit):
            found.append([row[2] for row in page])
            place = page[-1][0], page[-1][1]
        return found


def sqlite_makers(request: pytest.FixtureRequest) -> tuple[Callable[[], HistoryLog], Callable[[], History]]:
    folder: Path = request.getfixturevalue("tmp_path") / "history"
    return lambda: HistoryWriter(folder), lambda: HistoryReader(folder)


def postgres_makers(request: pytest.FixtureRequest) -> tuple[Callable[[], HistoryLog], Callable[[], History]]:
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate_postgres(connection)
    return lambda: PostgresHistoryWriter(url), lambda: PostgresHistoryReader(url)


@pytest.fixture(params=[postgres_makers, sqlite_makers], ids=["postgres", "sqlite"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    make_log, make_history = request.param(request)
    with ExitStack() as opened:
        parts = [make_log(), make_history(), make_log()]
        for part in parts:
            opened.callback(part.close)
        yield Kept(*parts)


def at(time_ms: int, sequence: int = 1, number: int = 1, **how: object) -> Attempt:
    """An attempt of that moment."""
    return replace(attempt("wh_1", 1, sequence, number), started_at_ms=time_ms, **how)  # type: ignore[arg-type]


def test_attempts_come_back_as_they_went_in(kept: Kept) -> None:
    full = at(
        MIDNIGHT_MS,
        key=b"\x00\xff",
        duration_ms=0.125,
        status_code=None,
        error_class="timeout",
        error="ü 漢 🙂\nsecond line",
        request_headers=(("A", "1"), ("A", "2"), ("Empty", "")),
        request_body=b"",
        response_headers=(),
        response_body=bytes(range(256)) * 100,
        status="retrying",
        next_attempt_at_ms=2**53,
    )
    kept.log.append([full, at(MIDNIGHT_MS, 2)])
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == [full]
    assert kept.history.of_delivery("wh_1", 1, 3, 0) == []


def test_nothing_is_kept_of_nothing(kept: Kept) -> None:
    kept.log.append([])
    kept.log.drop_before(MIDNIGHT_MS)
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == []
    assert kept.history.last_attempt("wh_1", 1, 1, 0) is None
    assert kept.history.latest("wh_1", None, None, 10) == []


def test_a_nul_in_what_a_receiver_sent_loses_nothing_else(kept: Kept) -> None:
    """PostgreSQL's text has no NUL: there it is shown as what cannot be shown."""
    told = at(MIDNIGHT_MS, error="before\x00after", response_headers=(("X", "a\x00b"),), response_body=b"\x00")
    kept.log.append([told, at(MIDNIGHT_MS, 2)])
    (found,) = kept.history.of_delivery("wh_1", 1, 1, 0)
    assert found.error in ("before\x00after", "before\ufffdafter")
    assert replace(found, error=told.error) == told
    assert len(kept.history.of_delivery("wh_1", 1, 2, 0)) == 1


def test_a_delivery_has_its_own_attempts_in_order_across_days(kept: Kept) -> None:
    own = [at(MIDNIGHT_MS - 5, 1, 1), at(MIDNIGHT_MS + 5, 1, 2), at(MIDNIGHT_MS + DAY_MS, 1, 3)]
    others = [
        at(MIDNIGHT_MS, 2),
        at(MIDNIGHT_MS, 1, bucket_id=2),
        at(MIDNIGHT_MS, 1, webhook_id="wh_2"),
        at(MIDNIGHT_MS, 1, generation=1),
    ]
    kept.log.append([own[0], *others[:2]])
    kept.log.append([*others[2:], *own[1:]])
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == own
    assert kept.history.of_delivery("wh_1", 1, 1, 1) == [others[3]]


def test_the_last_attempt_has_its_place_in_the_pages(kept: Kept) -> None:
    attempts = [
        at(MIDNIGHT_MS - 5, 1, 1),
        at(MIDNIGHT_MS + 5, 1, 2),
        at(MIDNIGHT_MS + 6, 2, 1),
        at(MIDNIGHT_MS + 7, 1, 3),
    ]
    kept.log.append(attempts)
    found = kept.history.last_attempt("wh_1", 1, 1, 0)
    assert found is not None
    assert found[2] == attempts[3]
    beyond = kept.history.latest("wh_1", None, (found[0], found[1]), 10)
    assert [row[2] for row in beyond] == [attempts[2], attempts[1], attempts[0]]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_go_back_through_the_days(kept: Kept, limit: int) -> None:
    attempts = [at(MIDNIGHT_MS + number * DAY_MS // 3, number) for number in range(10)]
    kept.log.append([*attempts, at(MIDNIGHT_MS, webhook_id="wh_2")])
    pages = kept.pages("wh_1", None, limit)
    assert [row for page in pages for row in page] == attempts[::-1]
    assert all(len(page) == limit for page in pages[:-1])


def test_pages_of_one_status(kept: Kept) -> None:
    statuses = ["delivered", "retrying", "dead"] * 4
    attempts = [at(MIDNIGHT_MS + number * DAY_MS // 4, number, status=status) for number, status in enumerate(statuses)]
    kept.log.append(attempts)
    for status in ("delivered", "retrying", "dead"):
        wanted = [row for row in attempts if row.status == status][::-1]
        assert [row for page in kept.pages("wh_1", status, 3) for row in page] == wanted
    assert kept.pages("wh_1", "canceled", 3) == []


def test_a_place_that_is_none_is_answered_with_nothing(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS)])
    assert kept.history.latest("wh_1", None, ("", 5), 10) == []
    assert kept.history.latest("wh_1", None, ("0000-00-00", 5), 10) == []


def test_days_are_forgotten_whole(kept: Kept) -> None:
    days = [at(MIDNIGHT_MS + number * DAY_MS + 17, number) for number in range(5)]
    kept.log.append(days)
    kept.log.drop_before(MIDNIGHT_MS + 2 * DAY_MS + 5)
    assert [row[2] for row in kept.history.latest("wh_1", None, None, 10)] == days[:1:-1]
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == []
    assert kept.history.of_delivery("wh_1", 1, 2, 0) == [days[2]]


@pytest.mark.parametrize("other_process", [False, True])
def test_a_day_that_was_forgotten_begins_anew(kept: Kept, other_process: bool) -> None:
    """An attempt may come late; at least what came along with it is kept."""
    kept.log.append([at(MIDNIGHT_MS)])
    dropping = kept.other_log if other_process else kept.log
    dropping.drop_before(MIDNIGHT_MS + DAY_MS)
    late, timely = at(MIDNIGHT_MS + 1, 2), at(MIDNIGHT_MS + DAY_MS, 3)
    kept.log.append([late, timely])
    found = [row[2] for row in kept.history.latest("wh_1", None, None, 10)]
    assert found == [timely, late] or (other_process and found == [timely])


def test_two_processes_write_to_one_day(kept: Kept) -> None:
    for number in range(0, 10, 2):
        kept.log.append([at(MIDNIGHT_MS + number, number)])
        kept.other_log.append([at(MIDNIGHT_MS + number + 1, number + 1)])
    found = [row[2].sequence for row in kept.history.latest("wh_1", None, None, 100)]
    assert found == list(range(9, -1, -1))
