"""The comparison is about the same systems in each of its tables, and each has its sources."""

from __future__ import annotations

import re

from tests.docs.documents import Document, rows

from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS

PAGE = Document("docs/comparison.md")
STORAGE, SENDERS = PAGE.section("Storage with events"), PAGE.section("Senders of webhooks")
TABLES = {
    "storage": [
        rows(STORAGE, "system", "pushed to a webhook", "signed", "filters"),
        rows(STORAGE, "system", "promise", "attempts", "then"),
        rows(STORAGE, "system", "order", "record of attempts", "past events again"),
    ],
    "senders": [
        rows(SENDERS, "sender", "runs on", "signature", "order"),
        rows(SENDERS, "sender", "attempts", "when all fail", "by hand"),
    ],
}


def test_each_table_has_the_same_systems() -> None:
    for tables in TABLES.values():
        named = [[name for name, *_ in table] for table in tables]
        assert named[0][0] == "ElasticLake"
        assert all(names == named[0] for names in named)


def test_each_system_has_sources_and_nothing_else_has() -> None:
    sourced = dict(rows(PAGE.section("Sources"), "about", "where"))
    compared = {name for tables in TABLES.values() for name, *_ in tables[0]} - {"ElasticLake"}
    assert compared == set(sourced) - {"S3 Orchestrator"}
    assert all(re.findall(r"\]\(https://[^)]+\)", where) for where in sourced.values())


def test_our_own_figures_are_those_of_the_default_schedule() -> None:
    attempts, days = 1 + len(DEFAULT_RETRY_SCHEDULE_SECONDS), sum(DEFAULT_RETRY_SCHEDULE_SECONDS) / 86_400
    assert (attempts, round(days)) == (10, 3)
    for tables in TABLES.values():
        assert any("10 in 3 days" in cell for table in tables for cell in table[0])
