"""What a webhook's rules come to, as a choice of events."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.model.test_filters import EVENT

from elasticlake.model.events import Event
from elasticlake.model.filters import Filter, Refusal
from elasticlake.model.rules import Rules
from elasticlake.service.selection import explain, select

CREATED = frozenset({"object:created"})


def test_types_alone_cost_no_question() -> None:
    selection = select(CREATED, Rules())
    assert (selection.types, selection.refuses, selection.is_slow) == (CREATED, None, False)
    assert selection.selects(EVENT)
    assert not selection.selects(replace(EVENT, type="object:deleted"))


def test_only_an_expression_is_slow() -> None:
    assert not select(CREATED, Rules(filter=Filter(min_size=1))).is_slow
    assert select(CREATED, Rules(where="true")).is_slow


@pytest.mark.parametrize(
    ("rules", "refusal"),
    [
        (Rules(), None),
        (Rules(filter=Filter(min_size=101), where="false"), Refusal("filter.minSize", 100)),
        (Rules(where="object.size > 100"), Refusal("where", {"object.size": 100})),
        (
            Rules(where="object.metadata.state == 'final' && object.metadata.size == '1'"),
            Refusal("where", {"object.metadata.state": "draft"}),
        ),
        (
            Rules(where="object.metadata.size == '1'"),
            Refusal("where", {}, "there is no size"),
        ),
        (Rules(filter=Filter(min_size=100), where="object.size == 100"), None),
    ],
)
def test_the_first_clause_that_refuses_is_named(rules: Rules, refusal: Refusal | None) -> None:
    assert explain(CREATED, rules, EVENT) == refusal
    assert select(CREATED, rules).selects(EVENT) == (refusal is None)


def test_a_type_is_asked_for_first() -> None:
    event = replace(EVENT, type="object:deleted")
    assert explain(CREATED, Rules(where="false"), event) == Refusal("events", "object:deleted")


def test_who_has_no_answer_is_told() -> None:
    told: list[tuple[Event, str]] = []
    selection = select(CREATED, Rules(where="object.metadata.size == '1'"), lambda *failure: told.append(failure))
    assert not selection.selects(EVENT)
    assert told == [(EVENT, "there is no size")]


def test_what_an_older_version_took_refuses_everything_and_says_so() -> None:
    told: list[str] = []
    rules = Rules(where="object.nothing == 1")
    selection = select(CREATED, rules, lambda _, reason: told.append(reason))
    assert not selection.selects(EVENT)
    assert told[0].startswith("At character 8: object has no field nothing")
    refused = explain(CREATED, rules, EVENT)
    assert refused is not None
    assert (refused.clause, refused.error) == ("where", told[0])
