"""Accounts, access keys and tokens."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.accounts import AccessKey, Account, Scope, Token


class StoredKey(NamedTuple):
    """An access key whose secret is still ciphertext."""

    key: AccessKey
    ciphertext: bytes


_ACCOUNTS = "SELECT id, display_name, email, created_at_ms FROM accounts "
_KEYS = "SELECT id, account_id, scope, created_at_ms, secret FROM access_keys "
_TOKENS = "SELECT id, name, accounts, access, created_at_ms FROM tokens "


def get_account(reader: Reader, account_id: str) -> Account | None:
    row = reader.row(_ACCOUNTS + "WHERE id = ?", (account_id,))
    return Account(*row) if row else None


def list_accounts(reader: Reader, after: str, limit: int) -> list[Account]:
    return [Account(*row) for row in reader.rows(_ACCOUNTS + "WHERE id > ? ORDER BY id LIMIT ?", (after, limit))]


def put_account(tx: Transaction, account: Account) -> None:
    tx.run(
        "INSERT INTO accounts (id, display_name, email, created_at_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, email = excluded.email",
        (account.id, account.display_name, account.email, account.created_at_ms),
    )


def delete_account(tx: Transaction, account_id: str) -> None:
    """Forget the account and its keys."""
    tx.run("DELETE FROM access_keys WHERE account_id = ?", (account_id,))
    for held in [held for held in tx.memo if held[0] == "access key"]:
        del tx.memo[held]
    tx.run("DELETE FROM accounts WHERE id = ?", (account_id,))


def owns_anything(reader: Reader, account_id: str) -> bool:
    """Whether a live bucket, a lake or a webhook belongs to the account."""
    sql = """
    SELECT 1 FROM buckets WHERE account_id = ? AND deleted_at_ms IS NULL
    UNION ALL SELECT 1 FROM lakes WHERE account_id = ? UNION ALL SELECT 1 FROM webhooks WHERE account_id = ? LIMIT 1
    """
    return reader.row(sql, (account_id,) * 3) is not None


@lru_cache(maxsize=4096)
def _scope(text: str) -> Scope:
    """Every signed request reads its key's row; parsing the scope anew would cost more than the read."""
    return Scope.from_json(json.loads(text))


def _stored_key(row: Row) -> StoredKey:
    identity, account_id, scope, created_at_ms, ciphertext = row
    return StoredKey(AccessKey(identity, account_id, _scope(scope), created_at_ms), ciphertext)


def get_key(reader: Reader, access_key_id: str) -> StoredKey | None:
    held: StoredKey | None = reader.memo.get(("access key", access_key_id))
    if held is None and (row := reader.row(_KEYS + "WHERE id = ?", (access_key_id,))):
        held = reader.memo["access key", access_key_id] = _stored_key(row)
    return held


def list_keys(reader: Reader, account_id: str, after: str, limit: int) -> list[AccessKey]:
    sql = _KEYS + "WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?"
    return [_stored_key(row).key for row in reader.rows(sql, (account_id, after, limit))]


def insert_key(tx: Transaction, key: AccessKey, ciphertext: bytes) -> None:
    tx.run(
        "INSERT INTO access_keys (id, account_id, secret, scope, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        (key.id, key.account_id, ciphertext, json.dumps(key.scope.to_json()), key.created_at_ms),
    )


def delete_key(tx: Transaction, account_id: str, access_key_id: str) -> bool:
    """Whether there was such a key."""
    tx.memo.pop(("access key", access_key_id), None)
    sql = "DELETE FROM access_keys WHERE account_id = ? AND id = ? RETURNING id"
    return bool(tx.changing(sql, (account_id, access_key_id)))


def _token(row: Row) -> Token:
    identity, name, accounts, access, created_at_ms = row
    return Token(identity, name, tuple(json.loads(accounts)) if accounts else None, access, created_at_ms)


def insert_token(tx: Transaction, token: Token, hashed: bytes) -> None:
    accounts = json.dumps(token.accounts) if token.accounts is not None else None
    tx.run(
        "INSERT INTO tokens (id, hash, name, accounts, access, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (token.id, hashed, token.name, accounts, token.access, token.created_at_ms),
    )


def get_token_by_hash(reader: Reader, hashed: bytes) -> Token | None:
    row = reader.row(_TOKENS + "WHERE hash = ?", (hashed,))
    return _token(row) if row else None


def list_tokens(reader: Reader, after: str, limit: int) -> list[Token]:
    return [_token(row) for row in reader.rows(_TOKENS + "WHERE id > ? ORDER BY id LIMIT ?", (after, limit))]


def delete_token(tx: Transaction, token_id: str) -> bool:
    """Whether there was such a token."""
    return bool(tx.changing("DELETE FROM tokens WHERE id = ? RETURNING id", (token_id,)))


def remove_account_from_tokens(tx: Transaction, account_id: str) -> None:
    """An account made later under the same id is another: no token of the old one may reach it."""
    for row in tx.rows(_TOKENS + "WHERE accounts IS NOT NULL"):
        token = _token(row)
        left = [other for other in token.accounts or () if other != account_id]
        if not left:
            delete_token(tx, token.id)
        elif len(left) != len(token.accounts or ()):
            tx.run("UPDATE tokens SET accounts = ? WHERE id = ?", (json.dumps(left), token.id))
