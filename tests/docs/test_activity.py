"""The audit log is as the documents say."""

from __future__ import annotations

from tests.docs.documents import Document, codes, rows

from elasticlake.model.activity import ACTIONS
from elasticlake.service import permissions

SECTION = Document("docs/operations.md").section("Activity")


def test_every_action_is_in_the_table_once_and_nothing_else() -> None:
    named = [action for _, actions in rows(SECTION, "of", "actions") for action in codes(actions)]
    assert sorted(named) == sorted(ACTIONS)


def test_the_rules_of_permissions_are_those_of_the_code() -> None:
    written = rows(Document("docs/permissions.md").text, "what", "needs")
    assert len(written) > 5
    assert written == rows(permissions.__doc__ or "", "what", "needs")
