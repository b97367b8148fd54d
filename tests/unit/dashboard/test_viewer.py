"""What a signed-in browser may, by the key behind it."""

from __future__ import annotations

import pytest

from elasticlake.dashboard.sessions import Session
from elasticlake.dashboard.viewer import Viewer, token_of
from elasticlake.model.accounts import AccessKey, Scope

SESSION = Session("id", "AKEY", "bound", 0, 0)


def viewer(scope: Scope, account: str = "acme") -> Viewer:
    key = AccessKey("AKEY", account, scope, 0, "secret")
    return Viewer(SESSION, token_of(key), key, "csrf")


def test_a_key_without_limits_is_its_accounts() -> None:
    token = token_of(AccessKey("AKEY", "acme", Scope(), 0))
    assert (token.kind, token.accounts, token.scope) == ("accessKey", ("acme",), None)
    assert token_of(AccessKey("AKEY", "root", Scope(), 0)).accounts is None


def test_a_limited_key_hands_its_scope_to_the_token() -> None:
    scope = Scope(buckets=("a--b--c",), permissions=("read", "list"))
    assert token_of(AccessKey("AKEY", "acme", scope, 0)).scope == scope


@pytest.mark.parametrize(
    ("scope", "account", "manages", "sees_all"),
    [
        (Scope(), "root", True, True),
        (Scope(), "acme", True, False),
        (Scope(permissions=("read", "list")), "root", False, False),
        (Scope(lakes=("a",)), "root", False, False),
        (Scope(prefixes=("in/",)), "root", False, False),
    ],
)
def test_who_manages_accounts(scope: Scope, account: str, manages: bool, sees_all: bool) -> None:
    assert viewer(scope, account).manages_accounts == manages
    assert viewer(scope, account).sees_everything == sees_all


def test_permissions_hold_within_the_scopes_places() -> None:
    limited = viewer(Scope(ponds=("a--b",)))
    assert limited.may("admin")
    assert limited.may_in("admin", "pond", "a--b")
    assert limited.may_in("admin", "bucket", "a--b--c")
    assert not limited.may_in("admin", "lake", "a")
    assert not limited.may_in("admin", "bucket", "a--x--c")
    assert not viewer(Scope(permissions=("read",))).may_in("admin", "lake", "a")
    assert not viewer(Scope(prefixes=("in/",))).may("admin")


def test_what_they_do_by_s3_is_written_down_as_theirs() -> None:
    actor = viewer(Scope()).caller.actor
    assert (actor.kind, actor.id) == ("accessKey", "AKEY")
