from elasticlake.metadata import facts
from elasticlake.metadata.sqlite import SqliteTransaction


def test_a_fact_is_what_was_last_said(tx: SqliteTransaction) -> None:
    assert facts.get(tx, "masterKeyId") is None
    facts.put(tx, "masterKeyId", "first")
    assert facts.get(tx, "masterKeyId") == "first"
