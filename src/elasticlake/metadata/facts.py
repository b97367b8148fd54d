"""Facts about the store itself."""

from __future__ import annotations

from elasticlake.metadata.database import Reader, Transaction

MASTER_KEY_ID = "masterKeyId"
"""Names the fact that holds the id of the master key which the stored secrets were encrypted with."""


INSTALLATION = "installation"
"""Names the fact that names this data among all others."""


BLOB_PLACE = "blobPlace"
"""Names the fact that says where large bodies are."""


def get(reader: Reader, name: str) -> str | None:
    row = reader.row("SELECT value FROM facts WHERE name = ?", (name,))
    return row[0] if row else None


def put(tx: Transaction, name: str, value: str) -> None:
    sql = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    tx.run(sql, (name, value))
