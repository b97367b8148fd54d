from dataclasses import replace
from typing import Any

import pytest

from elasticlake.metadata import events
from elasticlake.metadata.database import Row
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.model.events import Event, Previous
from elasticlake.model.objects import Bucket


@pytest.fixture
def event(bucket: Bucket) -> Event:
    return Event(
        "evt_1",
        bucket.id,
        "my-bucket",
        1,
        "object:updated",
        1234,
        b"key\x00",
        5,
        "etag",
        "text/plain",
        "lake",
        "pond",
        "PutObject",
        metadata={"colour": "größer"},
        previous=Previous(4, "before"),
        principal="AKID",
        request_id="REQUEST",
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def test_an_event_comes_back_as_it_was_written(tx: SqliteTransaction, event: Event) -> None:
    events.append(tx, event)
    assert events.get(tx, event.bucket_id, 1) == event
    bare = replace(event, sequence=2, metadata={}, previous=None, principal=None, request_id=None, trace=None)
    events.append(tx, bare)
    assert events.after(tx, event.bucket_id, 0, 10) == [event, bare]


def test_a_sequence_is_taken_once(tx: SqliteTransaction, event: Event) -> None:
    events.append(tx, event)
    with pytest.raises(Exception, match="UNIQUE"):
        events.append(tx, replace(event, id="evt_2"))


def test_the_log_is_read_beyond_a_sequence_in_order(tx: SqliteTransaction, event: Event) -> None:
    for sequence in (1, 2, 3, 4):
        events.append(tx, replace(event, sequence=sequence))
    assert [found.sequence for found in events.after(tx, event.bucket_id, 1, 2)] == [2, 3]
    assert events.after(tx, event.bucket_id, 4, 2) == []
    assert events.get(tx, event.bucket_id, 5) is None


def test_the_time_is_that_of_the_first_event_which_is_still_there(tx: SqliteTransaction, event: Event) -> None:
    for sequence in (3, 5):
        events.append(tx, replace(event, sequence=sequence, time_ms=sequence * 100))
    found = [events.time_from(tx, event.bucket_id, sequence) for sequence in (1, 3, 4, 5, 6)]
    assert found == [300, 300, 500, 500, None]


def test_a_keys_events_are_found_among_all(tx: SqliteTransaction, event: Event) -> None:
    for sequence in range(1, 9):
        events.append(tx, replace(event, sequence=sequence, key=b"odd" if sequence % 2 else b"even"))
    found = events.of_key(tx, event.bucket_id, b"odd", 1, 7, 10)
    assert [one.sequence for one in found] == [3, 5, 7]
    assert [one.sequence for one in events.of_key(tx, event.bucket_id, b"odd", 1, 6, 1)] == [3]
    back = events.of_key_backwards(tx, event.bucket_id, b"odd", 1, 5, 10)
    assert [one.sequence for one in back] == [5, 3]
    assert [one.sequence for one in events.of_key_backwards(tx, event.bucket_id, b"odd", 1, 9, 1)] == [7]
    last = events.last_of_key(tx, event.bucket_id, b"even")
    assert last is not None
    assert last.sequence == 8
    assert events.last_of_key(tx, event.bucket_id, b"none") is None


class Explaining:
    """Answers with how the statement would be run."""

    def __init__(self, tx: SqliteTransaction) -> None:
        self._tx = tx
        self.memo = tx.memo
        self.plan: list[str] = []

    def rows(self, sql: str, parameters: Any = ()) -> list[Row]:
        self.plan += [row[3] for row in self._tx.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        return []


@pytest.mark.parametrize("ask", [events.of_key, events.of_key_backwards])
def test_a_keys_events_are_found_without_reading_the_others(tx: SqliteTransaction, ask: Any) -> None:
    explaining = Explaining(tx)
    ask(explaining, 1, b"key", 0, 9, 10)
    by_key = "SEARCH events USING COVERING INDEX events_by_key (bucket_id=? AND key=? AND sequence>? AND sequence<?)"
    assert by_key in explaining.plan
    assert "SEARCH e USING PRIMARY KEY (bucket_id=? AND sequence=?)" in explaining.plan
    assert not [step for step in explaining.plan if step.startswith("SCAN") and step != "SCAN chosen"]
