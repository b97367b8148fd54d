"""History through connections that break: an attempt is there once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from tests.unit.world import attempt

from elasticlake.errors import Unavailable
from elasticlake.metadata.postgres.history import PostgresHistoryReader, PostgresHistoryWriter


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
