"""Processes that live, and which webhooks each dispatcher among them delivers for. Times are the database's clock.

An epoch never comes again. A node that fell silent is reaped: its row goes, and with it the right to what it owned.
Until then nobody takes anything from it, so a node whose row is still there has lost nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from elasticlake.metadata.database import Reader, Transaction, Value

Role = Literal["gateway", "dispatcher"]
LEASE_MS = 5000
"""A node that has not been heard of for so long may be reaped."""
_IDS_PER_STATEMENT = 200
_EPOCH_BITS = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A process that said it lives."""

    epoch: int
    role: Role
    name: str
    started_at_ms: int
    heartbeat_at_ms: int


def register(tx: Transaction, role: Role, name: str) -> int:
    """Join; returns the node's epoch. Whoever had the name before is known to be dead."""
    now_ms = tx.now_ms()
    # No counter: one would give the same epoch again after a crash that took back what was not flushed yet.
    # Beyond everybody's, whatever the clock says: who joins is never the eldest.
    epoch = max(now_ms << _EPOCH_BITS, *(node.epoch for node in all_nodes(tx)), 0) + 1 + secrets.randbits(_EPOCH_BITS)
    tx.run("DELETE FROM nodes WHERE name = ?", (name,))
    sql = "INSERT INTO nodes (epoch, role, name, started_at_ms, heartbeat_at_ms) VALUES (?, ?, ?, ?, ?)"
    tx.run(sql, (epoch, role, name, now_ms, now_ms))
    return epoch


def beat(tx: Transaction, epoch: int) -> bool:
    """Say that the node lives; False if it was reaped meanwhile."""
    sql = "UPDATE nodes SET heartbeat_at_ms = ? WHERE epoch = ? RETURNING epoch"
    return bool(tx.changing(sql, (tx.now_ms(), epoch)))


def leave(tx: Transaction, epoch: int) -> None:
    """End in order: what the node owned is free at once."""
    tx.run("DELETE FROM assignments WHERE epoch = ?", (epoch,))
    tx.run("DELETE FROM nodes WHERE epoch = ?", (epoch,))


def reap(tx: Transaction) -> list[str]:
    """Remove the nodes that fell silent; returns their names. A beat under way is waited for, and then counts."""
    sql = "DELETE FROM nodes WHERE heartbeat_at_ms < ? RETURNING name"
    return [row[0] for row in tx.changing(sql, (tx.now_ms() - LEASE_MS,))]


def all_nodes(reader: Reader) -> list[Node]:
    """Every node that was not reaped, the eldest first."""
    sql = "SELECT epoch, role, name, started_at_ms, heartbeat_at_ms FROM nodes ORDER BY epoch"
    return [Node(*row) for row in reader.rows(sql)]


def owners(reader: Reader) -> dict[str, int]:
    """The epoch that each assigned webhook belongs to, living or not."""
    return {row[0]: row[1] for row in reader.rows("SELECT webhook_id, epoch FROM assignments")}


def claim(tx: Transaction, webhook_ids: Iterable[str], epoch: int) -> None:
    """Take webhooks whose owners are no more. It waits for outcomes that such an owner is just writing."""
    for webhook_id in webhook_ids:
        tx.run(
            "INSERT INTO assignments (webhook_id, epoch) VALUES (?, ?)"
            " ON CONFLICT (webhook_id) DO UPDATE SET epoch = excluded.epoch",
            (webhook_id, epoch),
        )


def release(tx: Transaction, webhook_ids: Iterable[str], epoch: int) -> None:
    """Give webhooks back; nothing of theirs is under way any more."""
    for webhook_id in webhook_ids:
        tx.run("DELETE FROM assignments WHERE webhook_id = ? AND epoch = ?", (webhook_id, epoch))


def hold_owned(tx: Transaction, webhook_ids: Sequence[str], epoch: int) -> set[str]:
    """Those of the webhooks that the epoch still owns; nobody can take them before the commit. This is the fence."""
    owned: set[str] = set()
    for start in range(0, len(webhook_ids), _IDS_PER_STATEMENT):
        some = webhook_ids[start : start + _IDS_PER_STATEMENT]
        marks = ", ".join("?" * _IDS_PER_STATEMENT)
        # Always as many marks, so that it is one statement to the engine, whatever the number of webhooks.
        sql = f"SELECT webhook_id FROM assignments WHERE webhook_id IN ({marks}) AND epoch = ? ORDER BY webhook_id"
        parameters: tuple[Value, ...] = (*some, *([""] * (_IDS_PER_STATEMENT - len(some))), epoch)
        rows = tx.hold(sql, parameters)
        owned.update(row[0] for row in (tx.rows(sql, parameters) if rows is None else rows))
    return owned
