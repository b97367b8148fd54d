"""What every history promises: attempts by delivery and by webhook, the newest first, forgotten by the day."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from tests.unit.world import attempt

from elasticlake.metadata import attempt_search
from elasticlake.metadata.attempt_search import Day, Found, Hit, Place, Wanted
from elasticlake.metadata.attempt_statistics import SLOT_MS, SLOTS_A_DAY, Step
from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.history import Attempt, History, HistoryLog, HistoryReader, HistoryWriter
from elasticlake.metadata.postgres.history import PostgresHistoryReader, PostgresHistoryWriter
from elasticlake.metadata.postgres.migrations import migrate_postgres
from elasticlake.model.attempt_counts import AttemptCounts, total
from elasticlake.model.timings import Timings
from elasticlake.model.webhooks import LISTED_STATUSES

DAY_MS = 86_400_000
MIDNIGHT_MS = 20_000 * DAY_MS
Makers = tuple[Callable[[], HistoryLog], Callable[[], History], Callable[[], None]]


class Spotted(NamedTuple):
    """An attempt's time and delivery."""

    started_at_ms: int
    bucket_id: int
    sequence: int
    generation: int


@dataclass
class Kept:
    """A history, and another process's view of it."""

    log: HistoryLog
    history: History
    other_log: HistoryLog
    analyze: Callable[[], None]
    """Lets the engine learn how much there is."""

    def pages(self, webhook_id: str, wanted: Wanted, limit: int) -> list[list[Spotted]]:
        """All pages, each begun where the one before it ended."""
        found, place = list[list[Spotted]](), None
        while True:
            page = self.history.search(webhook_id, wanted, place, limit)
            assert len(page.hits) <= limit
            found.append([spotted(hit) for hit in page.hits])
            if page.next_place is None:
                return found
            place = page.next_place

    def newest(self, webhook_id: str, limit: int, before: Place | None = None) -> list[Spotted]:
        """The first page of everything."""
        return [spotted(hit) for hit in self.history.search(webhook_id, Wanted(), before, limit).hits]


def spotted(found: Hit | Attempt) -> Spotted:
    """What tells attempts apart here."""
    time_ms = found.started_at_ms if isinstance(found, Attempt) else found.place.started_at_ms
    return Spotted(time_ms, found.bucket_id, found.sequence, found.generation)


def sqlite_makers(request: pytest.FixtureRequest) -> Makers:
    folder: Path = request.getfixturevalue("tmp_path") / "history"
    return lambda: HistoryWriter(folder), lambda: HistoryReader(folder), lambda: None


def postgres_makers(request: pytest.FixtureRequest) -> Makers:
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate_postgres(connection)

    def analyze() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE attempts")

    return lambda: PostgresHistoryWriter(url), lambda: PostgresHistoryReader(url), analyze


@pytest.fixture(params=[postgres_makers, sqlite_makers], ids=["postgres", "sqlite"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    make_log, make_history, analyze = request.param(request)
    with ExitStack() as opened:
        parts = [make_log(), make_history(), make_log()]
        for part in parts:
            opened.callback(part.close)
        yield Kept(*parts, analyze)


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
        address="2001:db8::1",
        timings=Timings(None, 0.0, 1.5, 2**20 + 0.25),
    )
    bare = at(MIDNIGHT_MS, 2)
    kept.log.append([full, bare])
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == [full]
    assert kept.history.of_delivery("wh_1", 1, 2, 0) == [bare]
    assert (bare.address, bare.timings) == (None, None)
    assert kept.history.of_delivery("wh_1", 1, 3, 0) == []


@pytest.mark.parametrize("count", [1, 19, 20, 21, 40, 59])
def test_a_batch_of_any_size_is_kept_whole_and_in_order(kept: Kept, count: int) -> None:
    batch = [attempt("wh_1", 1, sequence) for sequence in range(1, count + 1)]
    kept.log.append(batch)
    assert [kept.history.of_delivery("wh_1", 1, one.sequence, 0) for one in batch] == [[one] for one in batch]
    assert [spot.sequence for spot in kept.newest("wh_1", count + 1)] == list(range(count, 0, -1))


def test_nothing_is_kept_of_nothing(kept: Kept) -> None:
    kept.log.append([])
    kept.log.drop_before(MIDNIGHT_MS)
    assert kept.history.of_delivery("wh_1", 1, 1, 0) == []
    assert kept.history.last_attempt("wh_1", 1, 1, 0) is None
    assert kept.newest("wh_1", 10) == []


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
    assert found[1] == attempts[3]
    assert kept.history.search("wh_1", Wanted(), None, 1).hits[0].place == found[0]
    assert kept.newest("wh_1", 10, found[0]) == [spotted(row) for row in (attempts[2], attempts[1], attempts[0])]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_go_back_through_the_days(kept: Kept, limit: int) -> None:
    attempts = [at(MIDNIGHT_MS + number * DAY_MS // 3, number) for number in range(10)]
    kept.log.append([*attempts, at(MIDNIGHT_MS, webhook_id="wh_2")])
    pages = kept.pages("wh_1", Wanted(), limit)
    assert [row for page in pages for row in page] == [spotted(row) for row in attempts[::-1]]
    assert all(len(page) == limit for page in pages[:-1])


def test_attempts_of_one_moment_come_once_each(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS, number) for number in range(5)])
    for limit in (1, 2, 10):
        pages = kept.pages("wh_1", Wanted(), limit)
        assert [row.sequence for page in pages for row in page] == [4, 3, 2, 1, 0]


def test_pages_of_one_status(kept: Kept) -> None:
    statuses = ["delivered", "retrying", "dead"] * 4
    attempts = [at(MIDNIGHT_MS + number * DAY_MS // 4, number, status=status) for number, status in enumerate(statuses)]
    kept.log.append(attempts)
    for status in ("delivered", "retrying", "dead"):
        wanted = [spotted(row) for row in attempts if row.status == status][::-1]
        assert [row for page in kept.pages("wh_1", Wanted(status), 3) for row in page] == wanted
    assert kept.pages("wh_1", Wanted("canceled"), 3) == [[]]


SEARCHES = {
    "status": Wanted("dead"),
    "event": Wanted(event="object:deleted"),
    "key": Wanted(key=b"a/2"),
    "key and status": Wanted("delivered", key=b"a/2"),
    "prefix": Wanted(key_prefix=b"a/"),
    "no prefix": Wanted(key_prefix=b""),
    "one code": Wanted(status_codes=(404, 404)),
    "codes": Wanted(status_codes=(400, 499)),
    "successes": Wanted(status_codes=(200, 299)),
    "since": Wanted(since_ms=MIDNIGHT_MS + DAY_MS // 2),
    "until": Wanted(until_ms=MIDNIGHT_MS + DAY_MS // 2),
    "between": Wanted(since_ms=MIDNIGHT_MS, until_ms=MIDNIGHT_MS + DAY_MS),
    "before all": Wanted(until_ms=MIDNIGHT_MS - 10 * DAY_MS),
    "after all": Wanted(since_ms=MIDNIGHT_MS + 10 * DAY_MS),
    "everything": Wanted("dead", "object:created", b"a/2", b"a", (500, 599), MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS),
}


def various() -> list[Attempt]:
    """A hundred attempts over three days; each combination of what can be searched comes up."""
    outcomes = [("delivered", 200), ("retrying", 200), ("retrying", 404), ("dead", 500), ("dead", None)]
    return [
        at(
            MIDNIGHT_MS + (number - 40) * DAY_MS // 40,
            number,
            status=outcomes[number % 5][0],
            status_code=outcomes[number % 5][1],
            event=("object:created", "object:deleted")[number % 2],
            key=(b"a/1", b"a/2", b"b\x00\xff")[number % 3],
        )
        for number in range(100)
    ]


def is_meant(wanted: Wanted, attempt: Attempt) -> bool:
    least, greatest = wanted.status_codes or (0, 0)
    return (
        wanted.status in (None, attempt.status)
        and wanted.event in (None, attempt.event)
        and wanted.key in (None, attempt.key)
        and attempt.key.startswith(wanted.key_prefix or b"")
        and (wanted.status_codes is None or least <= (attempt.status_code or 0) <= greatest)
        and (wanted.since_ms is None or attempt.started_at_ms >= wanted.since_ms)
        and (wanted.until_ms is None or attempt.started_at_ms < wanted.until_ms)
    )


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_what_is_meant_and_nothing_else(kept: Kept, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, wanted = various(), SEARCHES[name]
    kept.log.append([*attempts, replace(attempts[7], webhook_id="wh_2")])
    expected = [spotted(attempt) for attempt in attempts[::-1] if is_meant(wanted, attempt)]
    assert bool(expected) != name.endswith(" all")
    for limit in (1, 3, 1000):
        assert [row for page in kept.pages("wh_1", wanted, limit) for row in page] == expected
    monkeypatch.setattr(attempt_search, "SCANNED_AT_ONCE", 4)
    monkeypatch.setattr(attempt_search, "_COMPARED_AT_ONCE", 2)
    assert [row for page in kept.pages("wh_1", wanted, 3) for row in page] == expected


def test_a_search_for_what_is_rare_ends_now_and_then(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the history is, no page compares more than a bounded number of rows."""
    monkeypatch.setattr(attempt_search, "SCANNED_AT_ONCE", 4)
    monkeypatch.setattr(attempt_search, "_COMPARED_AT_ONCE", 2)
    kept.log.append([at(MIDNIGHT_MS + number, number, key=b"%d" % number) for number in range(20)])
    pages = kept.pages("wh_1", Wanted(key_prefix=b"0"), 1)
    assert [len(page) for page in pages] == [0, 0, 0, 0, 1, 0]


@dataclass
class Explained:
    """A day that tells how it would be searched, and finds nothing."""

    day: Day
    explain: str
    plan: list[str]

    @property
    def number(self) -> int:
        return self.day.number

    @property
    def attempts(self) -> str:
        return self.day.attempts

    def rows(self, sql: str, parameters: tuple[Value, ...]) -> list[Row]:
        self.plan += [str(row[-1]).strip() for row in self.day.rows(f"{self.explain} {sql}", parameters)]
        return []


@pytest.mark.parametrize("name", [name for name in SEARCHES if not name.endswith(" all")])
def test_a_search_goes_by_an_index(kept: Kept, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """I10: of a table only what an index leads to is read, and only a page of each status is put in order."""
    others = [replace(one, key=b"other/%d" % number) for number in range(200) for one in various()[40:80]]
    kept.log.append([*others, *various()[40:80]])
    kept.analyze()
    plan, wanted = list[str](), SEARCHES[name]
    explain = "EXPLAIN QUERY PLAN" if isinstance(kept.history, HistoryReader) else "EXPLAIN"

    def explaining(days: Iterable[Day], *arguments: Any) -> Found:
        return attempt_search.search([Explained(day, explain, plan) for day in days], *arguments)

    monkeypatch.setattr(sys.modules[type(kept.history).__module__], "search", explaining)
    kept.history.search("wh_1", wanted, None, 10)
    assert not re.search(r"SCAN attempts|Seq Scan|Bitmap", "\n".join(plan)), plan
    used = [line for line in plan if "SEARCH" in line or ("Scan" in line and "Subquery" not in line)]
    statuses = [wanted.status] if wanted.status else LISTED_STATUSES
    assert used
    assert len(used) <= (1 if wanted.key else len(statuses))
    assert all(("key=?" if wanted.key else "status=?") in line or "Index Scan Backward" in line for line in used), plan


def test_a_place_that_is_none_is_answered_with_nothing(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS)])
    assert kept.newest("wh_1", 10, Place(0, 5)) == []
    assert kept.newest("wh_1", 10, Place(-1, -1)) == []


def test_days_are_forgotten_whole(kept: Kept) -> None:
    days = [at(MIDNIGHT_MS + number * DAY_MS + 17, number) for number in range(5)]
    kept.log.append(days)
    kept.log.drop_before(MIDNIGHT_MS + 2 * DAY_MS + 5)
    assert kept.newest("wh_1", 10) == [spotted(day) for day in days[:1:-1]]
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
    found = kept.newest("wh_1", 10)
    assert found == [spotted(timely), spotted(late)] or (other_process and found == [spotted(timely)])


def test_two_processes_write_to_one_day(kept: Kept) -> None:
    for number in range(0, 10, 2):
        kept.log.append([at(MIDNIGHT_MS + number, number)])
        kept.other_log.append([at(MIDNIGHT_MS + number + 1, number + 1)])
    found = [row.sequence for row in kept.newest("wh_1", 100)]
    assert found == list(range(9, -1, -1))


MIDNIGHT_SLOT = MIDNIGHT_MS // SLOT_MS
HOUR = 12


def failing(time_ms: int, error_class: str | None, status_code: int | None, **how: object) -> Attempt:
    """An attempt of that moment that did not succeed."""
    return at(time_ms, status="retrying", error_class=error_class, status_code=status_code, **how)


def counted(
    kept: Kept, webhook_ids: Sequence[str], step: int = 1, days: int = 2
) -> dict[tuple[str, int], AttemptCounts]:
    """What the statistics say of these webhooks from a day before midnight on, by slots from midnight."""
    around = (MIDNIGHT_SLOT - SLOTS_A_DAY, MIDNIGHT_SLOT + 2 * SLOTS_A_DAY)
    steps = kept.history.statistics(webhook_ids, *around, step)
    assert len({found[:2] for found in steps}) == len(steps)
    return {(found.webhook_id, found.first_slot - MIDNIGHT_SLOT): found.counts for found in steps}


def test_statistics_count_by_webhook_and_slot(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS), at(MIDNIGHT_MS + SLOT_MS - 1), failing(MIDNIGHT_MS + 5, "timeout", None)])
    kept.log.append([at(MIDNIGHT_MS + 7), at(MIDNIGHT_MS + SLOT_MS), at(MIDNIGHT_MS, webhook_id="wh_2")])
    found = counted(kept, ["wh_1"])
    assert set(found) == {("wh_1", 0), ("wh_1", 1)}
    assert (found["wh_1", 0].delivered, found["wh_1", 0].failures_by_kind) == (3, {"timeout": 1})
    assert (found["wh_1", 1].delivered, found["wh_1", 1].failed) == (1, 0)
    assert set(counted(kept, ["wh_2", "wh_1", "wh_3"])) == {("wh_1", 0), ("wh_1", 1), ("wh_2", 0)}
    assert counted(kept, []) == {}


def test_statistics_say_why_attempts_failed_and_how_long_all_took(kept: Kept) -> None:
    kept.log.append(
        [
            failing(MIDNIGHT_MS, "status", 404, duration_ms=0.5),
            failing(MIDNIGHT_MS, "status", 503, duration_ms=31_000.0),
            failing(MIDNIGHT_MS, "timeout", 200, duration_ms=30_000.0),
            failing(MIDNIGHT_MS, "no class of ours", None, duration_ms=11.0),
            at(MIDNIGHT_MS, duration_ms=12.0),
        ]
    )
    (found,) = counted(kept, ["wh_1"]).values()
    assert found.failures_by_kind == {"4xx": 1, "5xx": 1, "timeout": 1, "other": 1}
    assert [number for number, count in enumerate(found.latencies) for _ in range(count)] == [0, 6, 6, 23, 24]


@pytest.mark.parametrize("step", [1, HOUR, SLOTS_A_DAY])
def test_steps_add_up_whatever_their_length(kept: Kept, step: int) -> None:
    moments = [MIDNIGHT_MS + number * SLOT_MS * 5 for number in range(-30, 60)]
    for number in range(0, len(moments), 7):
        kept.log.append([at(time_ms, duration_ms=number + 0.5) for time_ms in moments[number : number + 7]])
    found = counted(kept, ["wh_1"], step)
    assert total(found.values()).delivered == len(moments)
    slots = [(time_ms - MIDNIGHT_MS) // SLOT_MS for time_ms in moments]
    assert {slot for _, slot in found} == {slot // step * step for slot in slots}
    assert total(found.values()) == total(counted(kept, ["wh_1"]).values())


def test_statistics_are_asked_of_a_stretch_of_time(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS + number * SLOT_MS) for number in range(-3, 4)])
    steps = kept.history.statistics(["wh_1"], MIDNIGHT_SLOT - 1, MIDNIGHT_SLOT + 2, 1)
    assert [step.first_slot - MIDNIGHT_SLOT for step in steps] == [-1, 0, 1]
    steps = kept.history.statistics(["wh_1"], MIDNIGHT_SLOT - 3, MIDNIGHT_SLOT, 1)
    assert [step.first_slot - MIDNIGHT_SLOT for step in steps] == [-3, -2, -1]


def test_statistics_are_forgotten_with_their_day(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS - 1), at(MIDNIGHT_MS)])
    kept.log.drop_before(MIDNIGHT_MS)
    kept.log.append([at(MIDNIGHT_MS)])
    (step,) = kept.history.statistics(["wh_1"], 0, 2**32, 1)
    assert (step.first_slot, step.counts.delivered) == (MIDNIGHT_SLOT, 2)


def test_statistics_of_two_writers_add_up(kept: Kept) -> None:
    for _ in range(5):
        kept.log.append([at(MIDNIGHT_MS)])
        kept.other_log.append([at(MIDNIGHT_MS), failing(MIDNIGHT_MS, "dns", None)])
    steps: list[Step] = kept.history.statistics(["wh_1"], MIDNIGHT_SLOT, MIDNIGHT_SLOT + 1, 1)
    assert [(step.counts.delivered, step.counts.failures_by_kind) for step in steps] == [(10, {"dns": 5})]


def test_attempts_that_cannot_be_kept_do_not_stop_those_that_follow(kept: Kept) -> None:
    kept.log.append([at(MIDNIGHT_MS)])
    with pytest.raises((OverflowError, psycopg.DataError)):
        kept.log.append([at(MIDNIGHT_MS, 2), at(MIDNIGHT_MS, 2, status_code=2**80)])
    kept.log.append([at(MIDNIGHT_MS, 3)])
    assert [len(kept.history.of_delivery("wh_1", 1, sequence, 0)) for sequence in (1, 2, 3)] == [1, 0, 1]
    (step,) = kept.history.statistics(["wh_1"], 0, 2**32, 1)
    assert step.counts.delivered == 2
