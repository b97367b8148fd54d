"""Who may do what: owners, scopes and canned ACLs."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from tests.unit.world import World

from elasticlake.errors import AccessDenied, NoSuchBucket
from elasticlake.model.accounts import ANONYMOUS, Caller, Permission, Scope
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.objects import Attributes, Bucket, Content, ObjectVersion
from elasticlake.service.access import bucket_for, may, may_read

BUCKET = Bucket(1, parse_bucket_name("l1--p1--b1"), "owner", "private", 0, 0, 0, 0, "l1", "p1")
PUBLIC = replace(BUCKET, acl="public-read")
VERSION = ObjectVersion(b"in/key", 1, 0, "", 0, Attributes(), "private", None, Content())
PERMISSIONS = get_args(Permission)


def caller(account_id: str = "owner", **scope: tuple[str, ...]) -> Caller:
    return Caller(account_id, "AKID", Scope(**scope))  # type: ignore[arg-type]


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_owner_and_root_may_everything_and_others_nothing(permission: Permission) -> None:
    assert may(caller(), BUCKET, permission, b"key")
    assert may(caller("root"), BUCKET, permission, b"key")
    assert not may(caller("other"), BUCKET, permission, b"key")
    assert not may(ANONYMOUS, BUCKET, permission, b"key")


@pytest.mark.parametrize("who", [ANONYMOUS, caller("other")])
def test_a_public_bucket_is_listed_by_anyone_and_no_more(who: Caller) -> None:
    assert {permission for permission in PERMISSIONS if may(who, PUBLIC, permission)} == {"list"}
    assert not may_read(who, PUBLIC, VERSION)


@pytest.mark.parametrize("who", [ANONYMOUS, caller("other"), caller(permissions=("write",))])
def test_a_public_object_is_read_by_anyone(who: Caller) -> None:
    assert may_read(who, BUCKET, replace(VERSION, acl="public-read"))
    assert not may_read(who, BUCKET, VERSION)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ({"lakes": ("l1",)}, True),
        ({"lakes": ("l2",)}, False),
        ({"ponds": ("l1--p1",)}, True),
        ({"ponds": ("l1--p2",)}, False),
        ({"buckets": ("l1--p1--b1",)}, True),
        ({"buckets": ("l1--p1--b2",)}, False),
        ({"prefixes": ("in/",)}, True),
        ({"prefixes": ("out/",)}, False),
        ({"permissions": ("read",)}, True),
        ({"permissions": ("write", "list", "delete", "admin")}, False),
    ],
)
def test_scopes(scope: dict[str, tuple[str, ...]], allowed: bool) -> None:
    assert may_read(caller(**scope), BUCKET, VERSION) is allowed


async def test_bucket_for(world: World) -> None:
    await world.bucket("l1--p1--b1")
    bucket = await bucket_for(world.core, caller("root"), "l1--p1--b1", "write")
    assert bucket.name.slug == "b1"
    with pytest.raises(AccessDenied):
        await bucket_for(world.core, caller("other"), "l1--p1--b1", "write")
    with pytest.raises(NoSuchBucket):
        await bucket_for(world.core, caller("other"), "l1--p1--b2", "write")
