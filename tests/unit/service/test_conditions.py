"""Conditional requests: RFC 9110 (section 13) and S3's own."""

from __future__ import annotations

import pytest

from elasticlake.errors import NoSuchKey, NotModified, PreconditionFailed
from elasticlake.model.objects import Attributes, Content, ObjectVersion
from elasticlake.service.conditions import NONE, Conditions, check_delete, check_read, check_source, check_write

ETAG = "0123456789abcdef"
NOW = 1_700_000_000
VERSION = ObjectVersion(b"key", 1, 5, ETAG, NOW * 1000 + 999, Attributes(), "private", None, Content())

GOOD, BAD, ANY = (ETAG,), ("other",), ("*",)
OLDER, NEWER = NOW - 1, NOW + 1


@pytest.mark.parametrize(
    "conditions",
    [
        NONE,
        Conditions(if_match=GOOD),
        Conditions(if_match=("other", ETAG)),
        Conditions(if_match=ANY),
        Conditions(if_none_match=BAD),
        Conditions(if_modified_since=OLDER),
        Conditions(if_unmodified_since=NOW),
        Conditions(if_unmodified_since=NEWER),
        # An ETag that holds outweighs a date that does not.
        Conditions(if_match=GOOD, if_unmodified_since=OLDER),
        Conditions(if_none_match=BAD, if_modified_since=NEWER),
    ],
)
def test_conditions_that_hold(conditions: Conditions) -> None:
    check_read(conditions, VERSION)
    check_source(conditions, VERSION)


@pytest.mark.parametrize(
    ("conditions", "header"),
    [
        (Conditions(if_match=BAD), "If-Match"),
        (Conditions(if_match=BAD, if_none_match=GOOD), "If-Match"),
        (Conditions(if_unmodified_since=OLDER), "If-Unmodified-Since"),
    ],
)
def test_failed_preconditions(conditions: Conditions, header: str) -> None:
    for check in (check_read, check_source, check_write):
        with pytest.raises(PreconditionFailed) as caught:
            check(conditions, VERSION)
        assert caught.value.condition == header


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(if_none_match=GOOD),
        Conditions(if_none_match=ANY),
        Conditions(if_modified_since=NOW),
        Conditions(if_modified_since=NEWER),
        Conditions(if_none_match=GOOD, if_modified_since=OLDER),
    ],
)
def test_not_modified(conditions: Conditions) -> None:
    with pytest.raises(NotModified):
        check_read(conditions, VERSION)
    with pytest.raises(PreconditionFailed):
        check_source(conditions, VERSION)


def test_writes_of_a_new_key() -> None:
    for conditions in (NONE, Conditions(if_none_match=ANY), Conditions(if_unmodified_since=OLDER)):
        check_write(conditions, None)
    for conditions in (Conditions(if_match=GOOD), Conditions(if_match=ANY)):
        with pytest.raises(NoSuchKey):
            check_write(conditions, None)


def test_writes_of_a_key_that_is_there() -> None:
    for conditions in (Conditions(if_match=GOOD), Conditions(if_match=ANY), Conditions(if_none_match=BAD)):
        check_write(conditions, VERSION)
    for conditions in (Conditions(if_none_match=ANY), Conditions(if_none_match=GOOD)):
        with pytest.raises(PreconditionFailed):
            check_write(conditions, VERSION)


def test_deletes() -> None:
    for conditions in (Conditions(if_match=GOOD), Conditions(if_match_size=5), Conditions(if_match_modified=NOW)):
        check_delete(conditions, VERSION)
    for conditions in (Conditions(if_match=BAD), Conditions(if_match_size=0), Conditions(if_match_modified=OLDER)):
        with pytest.raises(PreconditionFailed):
            check_delete(conditions, VERSION)
    check_delete(Conditions(if_match=ANY, if_match_size=1), None)
    with pytest.raises(NoSuchKey):
        check_delete(Conditions(if_match=GOOD), None)


def test_conditions_are_true_where_there_are_any() -> None:
    assert not NONE
    assert Conditions(if_match_size=0)
