"""The page on problems names every type as the server does, and shows what it answers."""

from __future__ import annotations

import json

from tests.docs.documents import Document, blocks, codes, rows

from elasticlake.api.errors import problem
from elasticlake.api.problems import PROBLEMS

PAGE = Document("docs/problems.md")


def test_every_type_is_in_the_table_with_its_status_meaning_and_remedy() -> None:
    table = rows(PAGE.text, "type: `/v1/problems/{name}`", "status", "meaning", "what to do")
    found = [(codes(name)[0], int(status), meaning, remedy) for name, status, meaning, remedy in table]
    assert found == [(kind.name, kind.status, kind.meaning, kind.remedy) for kind in PROBLEMS.values()]


def test_the_document_shown_is_what_is_answered() -> None:
    (shown,) = (json.loads(block.text) for block in blocks(PAGE.text) if block.language == "json")
    answered = problem("invalid-webhook", shown["detail"], errors=shown["errors"])
    assert json.loads(bytes(answered.body)) == shown
