"""Rows of chosen webhooks: of many in one statement, where one after the other would cost a round trip for each."""

from __future__ import annotations

from collections.abc import Sequence

from elasticlake.metadata.database import Reader, Row

AT_ONCE = 50
_PLACE = "{webhooks}"
_MARKS = ", ".join("?" * AT_ONCE)


def rows_of(reader: Reader, sql: str, webhook_ids: Sequence[str]) -> list[Row]:
    """The rows that `sql` yields for the webhooks, which stand wherever it says `IN ({webhooks})`.

    Always with as many marks, so that it is one statement to the engine, whatever the number of webhooks.
    """
    statement, places = sql.replace(_PLACE, _MARKS), sql.count(_PLACE)
    found: list[Row] = []
    for start in range(0, len(webhook_ids), AT_ONCE):
        some = webhook_ids[start : start + AT_ONCE]
        found += reader.rows(statement, (*some, *[""] * (AT_ONCE - len(some))) * places)
    return found
