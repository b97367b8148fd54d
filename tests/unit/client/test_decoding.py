"""Documents become models, and what is none is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from elasticlake.client import UnexpectedAnswer, models
from elasticlake.client.decoding import decode

LAKE: dict[str, Any] = {
    "lake": "lake1", "name": "Production", "account": "root", "createdAt": "2026-01-02T03:04:05.678Z", "buckets": 1,
    "objects": 2, "bytes": 3,
}  # fmt: skip


def test_a_document_becomes_its_model() -> None:
    lake = decode(models.Lake, LAKE)
    assert lake.name == "Production"
    assert lake.created_at == datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


def test_what_a_newer_server_says_more_is_passed_over() -> None:
    assert decode(models.Lake, LAKE | {"colour": "blue"}).lake == "lake1"


def test_a_word_that_a_newer_server_made_is_shown_as_it_is() -> None:
    health = decode(models.Health, {"status": "splendid", "version": "9", "role": "all"})
    assert health.status == "splendid"


@pytest.mark.parametrize("document", [None, [], "text", {}, {"lake": "lake1"}, LAKE | {"lake": 5}])
def test_what_is_no_such_document_is_told(document: Any) -> None:
    with pytest.raises(UnexpectedAnswer, match="no Lake"):
        decode(models.Lake, document)


def test_nothing_is_an_answer_only_where_there_may_be_none() -> None:
    assert decode(models.Lake | None, None) is None
    with pytest.raises(UnexpectedAnswer, match="no Feed"):
        decode(models.Feed, {"items": None, "lastSequence": 1, "firstSequence": 1})


def test_of_several_models_the_one_whose_members_are_there_is_taken() -> None:
    kinds = models.Job | models.Count
    counted = decode(kinds, {"matched": 3, "atLeast": False})
    assert isinstance(counted, models.Count)


def test_secrets_are_not_shown() -> None:
    scope = {name: [] for name in ("lakes", "ponds", "buckets", "prefixes", "permissions")}
    key = decode(
        models.Key,
        {
            "accessKeyId": "AK", "secretAccessKey": "very secret", "account": "root", "scope": scope,
            "createdAt": "2026-01-02T03:04:05Z",
        },
    )  # fmt: skip
    assert key.secret_access_key == "very secret"
    assert "very secret" not in repr(key)
