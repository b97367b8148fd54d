"""The record of activity: a row for each change of the installation itself."""

from __future__ import annotations

import json
from typing import NamedTuple

from elasticlake.metadata.database import Reader, Row, Transaction, Value
from elasticlake.model.accounts import Actor
from elasticlake.model.activity import Activity, Done

_INSERT = """
INSERT INTO activity (time_ms, actor_kind, actor_id, account_id, action, subject_kind, subject, bucket, detail,
                      request_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COLUMNS = """
SELECT id, time_ms, actor_kind, actor_id, account_id, action, subject, bucket, detail, request_id FROM activity
"""
_OLDEST = "SELECT id FROM activity WHERE time_ms < ? ORDER BY time_ms, id LIMIT ?"
_TRIM = f"DELETE FROM activity WHERE id IN ({_OLDEST}) RETURNING id"
# Sorts behind every character that an action has.
_BEHIND = "\U0010ffff"


class Place(NamedTuple):
    """Where an entry stands in the order of time."""

    time_ms: int
    id: int


class Sought(NamedTuple):
    """Which entries: None asks for nothing in particular. `since_ms` is within, `until_ms` beyond."""

    accounts: tuple[str, ...] | None = None
    actor_kind: str | None = None
    actor_id: str | None = None
    action_prefix: str | None = None
    subject_kind: str | None = None
    subject: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def insert(tx: Transaction, actor: Actor, time_ms: int, done: Done) -> None:
    detail = json.dumps(done.detail) if done.detail else None
    tx.run(
        _INSERT,
        (
            time_ms,
            actor.kind,
            actor.id,
            done.account_id,
            done.action,
            done.subject_kind,
            done.subject,
            done.bucket,
            detail,
            actor.request_id,
        ),
    )


def page(reader: Reader, sought: Sought, before: Place | None, limit: int) -> list[Activity]:
    """Entries before that place, the newest first."""
    conditions, parameters = _conditions(sought)
    if before is not None:
        conditions.append("(time_ms, id) < (?, ?)")
        parameters += before
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"{_COLUMNS}{where} ORDER BY time_ms DESC, id DESC LIMIT ?"
    return [_activity(row) for row in reader.rows(sql, (*parameters, limit))]


def disown(tx: Transaction, account_id: str) -> None:
    """The account is no more: one made later under the same id is another, and none of this is its own."""
    tx.run("UPDATE activity SET account_id = NULL WHERE account_id = ?", (account_id,))


def trim(tx: Transaction, before_ms: int, limit: int) -> int:
    """Delete the oldest entries of before that time, at most `limit`; returns how many."""
    return len(tx.changing(_TRIM, (before_ms, limit)))


def _conditions(sought: Sought) -> tuple[list[str], list[Value]]:
    """The clauses of what is sought, and their parameters."""
    given: list[tuple[str, Value]] = [
        ("actor_kind = ?", sought.actor_kind),
        ("actor_id = ?", sought.actor_id),
        ("action >= ?", sought.action_prefix),
        ("action < ?", sought.action_prefix + _BEHIND if sought.action_prefix is not None else None),
        ("subject_kind = ?", sought.subject_kind),
        ("subject = ?", sought.subject),
        ("time_ms >= ?", sought.since_ms),
        ("time_ms < ?", sought.until_ms),
    ]
    wanted = [(condition, value) for condition, value in given if value is not None]
    conditions = [condition for condition, _ in wanted]
    parameters: list[Value] = [value for _, value in wanted]
    if sought.accounts is not None:
        conditions.append(f"account_id IN ({', '.join('?' * len(sought.accounts))})")
        parameters += sought.accounts
    return conditions, parameters


def _activity(row: Row) -> Activity:
    identity, time_ms, kind, actor_id, account_id, action, subject, bucket, detail, request_id = row
    done = Done(action, subject, account_id, bucket, json.loads(detail) if detail else None)
    return Activity(identity, time_ms, Actor(kind, actor_id, request_id), done)
