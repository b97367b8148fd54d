"""Calls as data: paths, queries, bodies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.client.call import UNSET, make_call, to_json
from elasticlake.client.models import FilterInput

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_what_is_unset_is_not_sent_and_none_is() -> None:
    call = make_call("PATCH", "/v1/x", None, body={"name": "n", "where": None, "filter": UNSET})
    assert call.body == {"name": "n", "where": None}


def test_a_query_is_text() -> None:
    query = {"limit": 5, "deep": True, "since": MOMENT, "cursor": UNSET, "wait": 2.5}
    call = make_call("GET", "/v1/x", None, query=query)
    assert call.query == {"limit": "5", "deep": "true", "since": "2026-01-02T03:04:05Z", "wait": "2.5"}
    assert call.wait_seconds == 2.5


def test_a_time_is_sent_as_utc() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert to_json({"since": elsewhere}) == {"since": "2026-01-02T03:04:05Z"}


def test_a_model_is_sent_in_camel_case_without_what_it_has_not() -> None:
    body = to_json({"filter": FilterInput(content_type=["image/*"], min_size=5)})
    assert body == {"filter": {"contentType": ["image/*"], "minSize": 5}}


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_a_name_that_would_change_the_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        make_call("GET", "/v1/lakes/{lake}", None, path={"lake": name})


@given(st.text(min_size=1).filter(lambda text: text.strip() not in ("", ".", "..") and text.isprintable()))
def test_any_other_name_is_one_segment(name: str) -> None:
    call = make_call("GET", "/v1/lakes/{lake}/ponds", None, path={"lake": name})
    assert call.path.count("/") == 4
    assert not set("?# ") & set(call.path)
