"""Lakes and ponds."""

from __future__ import annotations

from dataclasses import dataclass

from elasticlake.metadata import buckets
from elasticlake.metadata.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake and the sums over its live buckets."""

    id: int
    slug: str
    account_id: str
    name: str
    created_at_ms: int
    buckets: int
    objects: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pond:
    """A pond and the sums over its live buckets."""

    id: int
    lake_id: int
    lake: str
    slug: str
    name: str
    created_at_ms: int
    buckets: int
    objects: int
    size_bytes: int


_LAKES = """
SELECT l.id, l.slug, l.account_id, l.name, l.created_at_ms,
       count(b.id), CAST(coalesce(sum(b.objects), 0) AS BIGINT), CAST(coalesce(sum(b.size_bytes), 0) AS BIGINT)
FROM lakes l LEFT JOIN buckets b ON b.lake_id = l.id AND b.deleted_at_ms IS NULL
"""
_LAKE_BY_SLUG = _LAKES + "WHERE l.slug = ? GROUP BY l.id"
_LAKE_PAGE = _LAKES + "WHERE l.slug > ? GROUP BY l.id ORDER BY l.slug LIMIT ?"

_PONDS = """
SELECT p.id, p.lake_id, l.slug, p.slug, p.name, p.created_at_ms,
       count(b.id), CAST(coalesce(sum(b.objects), 0) AS BIGINT), CAST(coalesce(sum(b.size_bytes), 0) AS BIGINT)
FROM ponds p JOIN lakes l ON l.id = p.lake_id
LEFT JOIN buckets b ON b.pond_id = p.id AND b.deleted_at_ms IS NULL
"""
_POND_BY_SLUG = _PONDS + "WHERE l.slug = ? AND p.slug = ? GROUP BY p.id, l.slug"
_POND_PAGE = _PONDS + "WHERE p.lake_id = ? AND p.slug > ? GROUP BY p.id, l.slug ORDER BY p.slug LIMIT ?"


_LAKE_IS_USED = """
SELECT 1 FROM ponds WHERE lake_id = ? UNION ALL SELECT 1 FROM webhooks WHERE lake_id = ? LIMIT 1
"""
_POND_IS_USED = """
SELECT 1 FROM buckets WHERE pond_id = ? AND deleted_at_ms IS NULL
UNION ALL SELECT 1 FROM webhooks WHERE pond_id = ? LIMIT 1
"""


def get_lake(reader: Reader, slug: str) -> Lake | None:
    row = reader.row(_LAKE_BY_SLUG, (slug,))
    return Lake(*row) if row else None


def list_lakes(reader: Reader, after: str, limit: int) -> list[Lake]:
    return [Lake(*row) for row in reader.rows(_LAKE_PAGE, (after, limit))]


def insert_lake(tx: Transaction, slug: str, account_id: str, name: str, now_ms: int) -> None:
    tx.run(
        "INSERT INTO lakes (slug, account_id, name, created_at_ms) VALUES (?, ?, ?, ?)",
        (slug, account_id, name, now_ms),
    )


def rename_lake(tx: Transaction, slug: str, name: str) -> None:
    # Whoever is about to log an event in one of its buckets is waited for, and then reads the new name.
    tx.hold("SELECT b.id FROM buckets b JOIN lakes l ON l.id = b.lake_id WHERE l.slug = ? ORDER BY b.id", (slug,))
    buckets.forget(tx)
    tx.run("UPDATE lakes SET name = ? WHERE slug = ?", (name, slug))


def delete_lake(tx: Transaction, lake_id: int) -> None:
    tx.run("DELETE FROM lakes WHERE id = ?", (lake_id,))


def get_pond(reader: Reader, lake: str, slug: str) -> Pond | None:
    row = reader.row(_POND_BY_SLUG, (lake, slug))
    return Pond(*row) if row else None


def list_ponds(reader: Reader, lake_id: int, after: str, limit: int) -> list[Pond]:
    return [Pond(*row) for row in reader.rows(_POND_PAGE, (lake_id, after, limit))]


def insert_pond(tx: Transaction, lake_id: int, slug: str, name: str, now_ms: int) -> None:
    tx.run("INSERT INTO ponds (lake_id, slug, name, created_at_ms) VALUES (?, ?, ?, ?)", (lake_id, slug, name, now_ms))


def rename_pond(tx: Transaction, pond_id: int, name: str) -> None:
    tx.hold("SELECT id FROM buckets WHERE pond_id = ? ORDER BY id", (pond_id,))
    buckets.forget(tx)
    tx.run("UPDATE ponds SET name = ? WHERE id = ?", (name, pond_id))


def delete_pond(tx: Transaction, pond_id: int) -> None:
    tx.run("DELETE FROM ponds WHERE id = ?", (pond_id,))


def is_used(reader: Reader, *, lake_id: int | None = None, pond_id: int | None = None) -> bool:
    """Whether a live bucket (for a lake: a pond) or a webhook refers to it. The log of a deleted bucket needs
    neither."""
    if pond_id is not None:
        sql, place = _POND_IS_USED, pond_id
    else:
        assert lake_id is not None
        sql, place = _LAKE_IS_USED, lake_id
    return reader.row(sql, (place, place)) is not None


def sums_of_accounts(
    reader: Reader, accounts: tuple[str, ...], *, lake_id: int | None = None, pond_id: int | None = None
) -> tuple[int, int, int]:
    """How many live buckets, objects and bytes these accounts have in a lake, or in a pond."""
    column, place = ("lake_id", lake_id) if pond_id is None else ("pond_id", pond_id)
    sql = (
        "SELECT count(*), CAST(coalesce(sum(objects), 0) AS BIGINT),"
        " CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM buckets"
        f" WHERE account_id = ? AND {column} = ? AND deleted_at_ms IS NULL"
    )
    rows = [row for account_id in accounts if (row := reader.row(sql, (account_id, place)))]
    return sum(row[0] for row in rows), sum(row[1] for row in rows), sum(row[2] for row in rows)
