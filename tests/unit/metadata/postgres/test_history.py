"""History through connections that break: an attempt is there once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest
from tests.unit.world import attempt

from elasticlake.errors import Unavailable
from elasticlake.metadata.postgres.history import REST, STRETCH_SECONDS, PostgresHistoryReader, PostgresHistoryWriter


def counts(url: str) -> tuple[int, int]:
    """How many attempts there are, and how many were counted."""
    with closing(PostgresHistoryReader(url)) as reader:
        steps = reader.statistics(["wh_a"], 0, 2**32, 1)
        return len(reader.of_delivery("wh_a", 1, 1, 0)), sum(step.counts.delivered for step in steps)


def lose(monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """The next transaction's connection is lost, after its commit or before it."""
    transaction = psycopg.Connection.transaction
    to_lose = [psycopg.OperationalError("the connection is lost")]

    @contextmanager
    def losing(connection: Any, *given: Any, **named: Any) -> Iterator[Any]:
        with transaction(connection, *given, **named) as begun:
            if to_lose and not committed:
                raise to_lose.pop()
            yield begun
        if to_lose:
            raise to_lose.pop()

    monkeypatch.setattr(psycopg.Connection, "transaction", losing)


def test_what_may_be_committed_is_not_added_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(PostgresHistoryWriter(url)) as writer:
        lose(monkeypatch, committed=True)
        with pytest.raises(Unavailable):
            writer.append([attempt("wh_a", 1, 1)])
        assert counts(url) == (1, 1)
        writer.append([attempt("wh_a", 1, 1)])
        assert counts(url) == (2, 2)


def test_what_was_lost_before_its_commit_is_added_after_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(PostgresHistoryWriter(url)) as writer:
        lose(monkeypatch, committed=False)
        writer.append([attempt("wh_a", 1, 1)])
        assert counts(url) == (1, 1)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the thread does in turns: a row is None, a rest its seconds. Each look at the clock is a third of a stretch
    later."""
    done: list[float | None] = []
    clock = count(step=STRETCH_SECONDS * 0.34)
    write_row = psycopg.Copy.write_row
    monkeypatch.setattr("elasticlake.processor.time.thread_time", lambda: next(clock))
    monkeypatch.setattr("elasticlake.processor.time.sleep", done.append)
    monkeypatch.setattr(psycopg.Copy, "write_row", lambda copy, row: (done.append(None), write_row(copy, row)))
    return done


def test_a_batch_is_added_in_stretches_with_rests_between_them(url: str, done: list[float | None]) -> None:
    with closing(PostgresHistoryWriter(url)) as writer:
        writer.append([attempt("wh_a", 1, sequence) for sequence in range(1, 8)])
        # Nobody else gets at the history while there is a new partition in the transaction.
        assert done == [None] * 7
        done.clear()
        writer.append([attempt("wh_a", 1, sequence) for sequence in range(8, 15)])
        rest = pytest.approx(REST * STRETCH_SECONDS * 1.02)
        assert done == [None, None, None, rest, None, None, None, rest, None]
        done.clear()
        writer.append([attempt("wh_a", 1, sequence) for sequence in range(15, 22)], lambda: True)
        assert done == [None] * 7
    with closing(PostgresHistoryReader(url)) as reader:
        assert all(len(reader.of_delivery("wh_a", 1, sequence, 0)) == 1 for sequence in range(1, 22))
