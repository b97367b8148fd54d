"""The audit log in words."""

from __future__ import annotations

import pytest

from elasticlake.dashboard import deeds
from elasticlake.model.accounts import SYSTEM, Actor
from elasticlake.model.activity import ACTIONS, Done


def test_every_action_has_words_and_a_kind() -> None:
    assert set(deeds.WORDS) == set(ACTIONS)
    assert {action.partition(":")[0] + ":" for action in ACTIONS} == set(deeds.KINDS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_but_a_deletion_leads_to_its_subject(action: str) -> None:
    link = deeds.where(Done(action, "its name", "acme", detail={"webhook": "wh_1"}))  # type: ignore[arg-type]
    assert (link is None) == action.endswith(":deleted")
    assert link is None or (link.startswith("/ui/") and " " not in link)


def test_who() -> None:
    assert deeds.who(SYSTEM) == "the server"
    assert deeds.who(Actor("dashboard", "dashboard")) == "the dashboard"
    assert deeds.who(Actor("accessKey", "AKEY")) == "access key AKEY"
    assert deeds.who(Actor("token", "root")) == "token root"


def test_detail() -> None:
    known = {"limitedTo": ["buckets", "prefixes"], "isLimited": True, "name": None, "fields": []}
    done = Done("key:created", "AKEY", "acme", detail=known)
    assert deeds.detail(done) == "limited to: buckets, prefixes · is limited: yes · name: none · fields: none"
    assert deeds.detail(Done("key:deleted", "AKEY", "acme")) == ""
