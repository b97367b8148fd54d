"""Accounts, keys' scopes, and tokens."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidInput
from elasticlake.model.accounts import (
    ANONYMOUS,
    PERMISSIONS,
    ROOT_ACCOUNT,
    AccessKey,
    Account,
    Actor,
    Caller,
    Permission,
    Scope,
    Token,
    canonical_id,
    require_access_key_id,
    require_account_id,
    require_secret_access_key,
    token_hash,
)
from elasticlake.model.names import parse_bucket_name

PLACED, SIBLING, PLAIN = (parse_bucket_name(name) for name in ("l--p--b", "l--q--b", "plain"))


def test_an_empty_scope_allows_everything() -> None:
    for permission in PERMISSIONS:
        for bucket in (None, PLACED, PLAIN):
            assert Scope().allows(permission, bucket)
            assert Scope().allows(permission, bucket, b"\xff")
    assert not Scope().is_limited_to_places


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_permissions(permission: Permission) -> None:
    scope = Scope(permissions=(permission,))
    assert [other for other in PERMISSIONS if scope.allows(other, PLACED)] == [permission]


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(lakes=("l",)), {"l--p--b", "l--q--b"}),
        (Scope(ponds=("l--p",)), {"l--p--b"}),
        (Scope(buckets=("l--q--b",)), {"l--q--b"}),
        (Scope(buckets=("plain",)), {"plain"}),
        (Scope(lakes=("default",)), {"plain"}),
        (Scope(ponds=("default--default",)), {"plain"}),
        (Scope(lakes=("other",)), set()),
        # Places add to each other.
        (Scope(ponds=("l--p",), buckets=("plain",)), {"l--p--b", "plain"}),
    ],
)
def test_places(scope: Scope, covered: set[str]) -> None:
    assert {bucket.name for bucket in (PLACED, SIBLING, PLAIN) if scope.allows("read", bucket)} == covered
    assert scope.is_limited_to_places


@pytest.mark.parametrize(
    ("key", "allowed"),
    [(b"in/", True), (b"in/a", True), ("ключ/a".encode(), True), (b"in", False), (b"out/in/", False), (b"", False)],
)
def test_prefixes(key: bytes, allowed: bool) -> None:
    scope = Scope(prefixes=("in/", "ключ/"))
    assert scope.allows("read", PLACED, key) is allowed
    assert scope.allows("list", PLACED) is True
    assert scope.allows("list", PLACED, key) is allowed


@pytest.mark.parametrize("permission", [permission for permission in PERMISSIONS if permission != "list"])
def test_a_key_of_prefixes_does_nothing_to_a_bucket_as_a_whole(permission: Permission) -> None:
    assert not Scope(prefixes=("in/",)).allows(permission, PLACED)
    assert Scope(prefixes=("in/",)).allows(permission, PLACED, b"in/a")


@given(
    st.fixed_dictionaries(
        {
            "lakes": st.lists(st.sampled_from(["a", "b"])),
            "ponds": st.lists(st.sampled_from(["a--b", "c--d"])),
            "buckets": st.lists(st.sampled_from(["a--b--c", "plain"])),
            "prefixes": st.lists(st.text()),
            "permissions": st.lists(st.sampled_from(PERMISSIONS), min_size=1),
        }
    )
)
def test_a_scope_comes_back_from_json(document: dict[str, Any]) -> None:
    assert Scope.from_json(document).to_json() == document


def test_what_is_not_said_is_not_limited() -> None:
    assert Scope.from_json({}) == Scope()
    assert Scope.from_json({"lakes": None, "permissions": []}) == Scope()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"lakes": "l"}, "scope.lakes"),
        ({"lakes": [1]}, "scope.lakes"),
        ({"lakes": ["L"]}, "scope.lakes"),
        ({"lakes": ["a--b"]}, "scope.lakes"),
        ({"ponds": ["p"]}, "scope.ponds"),
        ({"ponds": ["a--b--c"]}, "scope.ponds"),
        ({"ponds": ["a---b"]}, "scope.ponds"),
        ({"buckets": ["X"]}, "bucket"),
        ({"prefixes": {"a": 1}}, "scope.prefixes"),
        ({"permissions": ["fly"]}, "scope.permissions"),
        ({"colour": ["red"]}, "scope.colour"),
    ],
)
def test_a_bad_scope_names_its_member(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Scope.from_json(document)
    assert refused.value.field == field


def test_a_canonical_id_is_shaped_like_amazons_and_says_nothing() -> None:
    account = Account("alice", "Alice", "a@example.com", 0)
    assert re.fullmatch(r"[0-9a-f]{64}", account.canonical_id)
    assert account.canonical_id == canonical_id("alice") != canonical_id("bob")


@pytest.mark.parametrize("text", ["a", "root", "A.b-c_9", "x" * 64])
def test_account_ids(text: str) -> None:
    assert require_account_id(text) == text


@pytest.mark.parametrize("text", ["", "-a", "x" * 65, "a b", "ä", "a\n", "a/b"])
def test_what_is_no_account_id(text: str) -> None:
    with pytest.raises(InvalidInput):
        require_account_id(text)


def test_given_key_pairs() -> None:
    assert require_access_key_id("AKIA.x-y_z") == "AKIA.x-y_z"
    assert require_secret_access_key("p@ss w/rd") == "p@ss w/rd"
    for bad in ("ab", "x" * 129, "a/b", "ключ", "abc\n"):
        with pytest.raises(InvalidInput):
            require_access_key_id(bad)
    for bad in ("short", "x" * 129, "пароль-пароль", "tab\tinside"):
        with pytest.raises(InvalidInput):
            require_secret_access_key(bad)


def test_a_keys_secret_is_not_in_its_representation() -> None:
    assert "hidden" not in repr(AccessKey("AKID", "root", Scope(), 0, "hidden"))


def test_callers() -> None:
    assert ANONYMOUS.is_anonymous
    assert not ANONYMOUS.is_root
    root = Caller(ROOT_ACCOUNT, "AKID", Scope())
    assert root.is_root
    assert not root.is_anonymous


def test_tokens_cover_their_accounts() -> None:
    assert Token("t", "", None, "read", 0).covers("anyone")
    some = Token("t", "", ("a", "b"), "read", 0)
    assert [some.covers(account) for account in "abc"] == [True, True, False]
    assert not Token("t", "", (), "write", 0).covers("a")


def test_a_tokens_hash_is_not_the_token() -> None:
    assert token_hash("elt_x") == token_hash("elt_x") != token_hash("elt_y")
    assert len(token_hash("elt_x")) == 32


SLUGS = st.sampled_from(("l", "m", "default", "p", "q"))


@given(
    st.lists(SLUGS, max_size=2),
    st.lists(st.tuples(SLUGS, SLUGS), max_size=2),
    st.lists(st.sampled_from(("l--p--b", "l--q--b", "m--p--b", "plain")), max_size=2),
    SLUGS,
    SLUGS,
)
def test_what_a_scope_covers_and_touches(
    lakes: list[str], ponds: list[tuple[str, str]], names: list[str], lake: str, pond: str
) -> None:
    scope = Scope(tuple(lakes), tuple(f"{one}--{other}" for one, other in ponds), tuple(names))
    buckets = [parse_bucket_name(name) for name in ("l--p--b", "l--q--b", "m--p--b", "plain")]
    for bucket in buckets:
        assert scope.covers(bucket) == scope.allows("read", bucket)
        if scope.covers(bucket):
            assert scope.touches_pond(bucket.lake, bucket.pond)
            assert scope.touches_lake(bucket.lake)
    if scope.covers_lake(lake):
        assert scope.covers_pond(lake, pond)
    if scope.covers_pond(lake, pond):
        assert scope.touches_pond(lake, pond)
    if scope.touches_pond(lake, pond):
        assert scope.touches_lake(lake)
    if not scope.is_limited_to_places:
        assert scope.covers_lake(lake)
        assert scope.is_whole
    assert not replace(scope, prefixes=("a",)).is_whole


def test_who_acts() -> None:
    token = Token("tok_1", "", None, "write", 0)
    assert token.actor == Actor("token", "tok_1", None)
    signed_in = replace(token, kind="dashboard", request_id="R")
    assert signed_in.actor == Actor("dashboard", "tok_1", "R")
    assert replace(token, request_id="R") == token, "a request makes it no other token"
    assert Caller("root", "AK1", Scope()).actor == Actor("accessKey", "AK1")
    assert Caller("root", None, Scope(), signed_in.actor).actor == signed_in.actor


def test_within_a_bucket_are_the_permissions_of_a_key_that_covers_it() -> None:
    scope = Scope(buckets=("l--p--b",), prefixes=("in/",), permissions=("read", "list"))
    assert scope.within(parse_bucket_name("l--p--b")) == ("read", "list")
    assert scope.within(parse_bucket_name("l--p--c")) == ()
