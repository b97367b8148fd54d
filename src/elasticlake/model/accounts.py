"""Who calls: accounts, their access keys, API tokens, and what each may do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from elasticlake.errors import InvalidInput
from elasticlake.model.names import BucketName, is_slug, parse_bucket_name
from elasticlake.record import record

ROOT_ACCOUNT = "root"

Permission = Literal["read", "write", "delete", "list", "admin"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
TokenAccess = Literal["read", "write"]

_ACCOUNT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9._-]{3,128}")


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of buckets, lakes and keys."""

    id: str
    display_name: str
    email: str
    created_at_ms: int

    @property
    def canonical_id(self) -> str:
        """The owner id that S3 shows: 64 hex digits, as AWS's canonical user ids are."""
        return canonical_id(self.id)


def canonical_id(account_id: str) -> str:
    """The S3 canonical user id of an account."""
    return hashlib.sha256(b"elasticlake-account:" + account_id.encode()).hexdigest()


def require_account_id(text: str) -> str:
    """`text`, if it can be an account's id; raises `InvalidInput`."""
    if _ACCOUNT_ID.fullmatch(text) is None:
        raise InvalidInput("id", "An account's id has 1 to 64 letters, digits, dots, hyphens and underscores.")
    return text


@dataclass(frozen=True, slots=True)
class Scope:
    """What an access key may touch. An empty list of places means every place of its account."""

    lakes: tuple[str, ...] = ()
    ponds: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = PERMISSIONS

    def allows(self, permission: Permission, bucket: BucketName | None, key: bytes | None = None) -> bool:
        """Whether `permission` holds on the bucket (None: on no bucket in particular), and on the key if one is
        named.

        A key of some prefixes does only what names a key within them, but for `list`: it may see that a bucket exists.
        """
        if permission not in self.permissions:
            return False
        if bucket is not None and not self.covers(bucket):
            return False
        if not self.prefixes:
            return True
        if key is None:
            return permission == "list"
        return key.startswith(tuple(prefix.encode() for prefix in self.prefixes))

    def within(self, bucket: BucketName) -> tuple[Permission, ...]:
        """What it may do in the bucket, be it with some of its keys alone."""
        return self.permissions if self.covers(bucket) else ()

    @property
    def is_limited_to_places(self) -> bool:
        return bool(self.lakes or self.ponds or self.buckets)

    @property
    def is_whole(self) -> bool:
        """Whether it leaves out no place and no key of its account."""
        return not self.is_limited_to_places and not self.prefixes

    def covers(self, bucket: BucketName) -> bool:
        """Whether the bucket lies within the scope's places."""
        return not self.is_limited_to_places or (
            self.covers_pond(bucket.lake, bucket.pond) or bucket.name in self.buckets
        )

    def covers_pond(self, lake: str, pond: str) -> bool:
        """Whether all of the pond lies within them, whatever buckets it is to have."""
        return self.covers_lake(lake) or f"{lake}--{pond}" in self.ponds

    def covers_lake(self, lake: str) -> bool:
        """Whether all of the lake lies within them."""
        return not self.is_limited_to_places or lake in self.lakes

    def touches_pond(self, lake: str, pond: str) -> bool:
        """Whether something of the pond lies within them."""
        return self.covers_pond(lake, pond) or any(
            (bucket.lake, bucket.pond) == (lake, pond) for bucket in self.named_buckets
        )

    def touches_lake(self, lake: str) -> bool:
        """Whether something of the lake lies within them."""
        return (
            self.covers_lake(lake)
            or any(pond.startswith(f"{lake}--") for pond in self.ponds)
            or any(bucket.lake == lake for bucket in self.named_buckets)
        )

    @property
    def named_buckets(self) -> list[BucketName]:
        return [parse_bucket_name(name) for name in self.buckets]

    def to_json(self) -> dict[str, list[str]]:
        return {name: list(getattr(self, name)) for name in ("lakes", "ponds", "buckets", "prefixes", "permissions")}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Scope:
        """The scope that `document` describes; raises `InvalidInput` that names the member at fault."""
        unknown = set(document) - {"lakes", "ponds", "buckets", "prefixes", "permissions"}
        if unknown:
            raise InvalidInput(f"scope.{min(unknown)}", "A scope has lakes, ponds, buckets, prefixes and permissions.")
        lists = {name: _strings(f"scope.{name}", document.get(name)) for name in document}
        for lake in lists.get("lakes", ()):
            if not is_slug(lake):
                raise InvalidInput("scope.lakes", f"{lake!r} is not a lake's slug.")
        for pond in lists.get("ponds", ()):
            if pond.count("--") != 1 or not all(is_slug(part) for part in pond.split("--")):
                raise InvalidInput("scope.ponds", f"{pond!r} is not a pond: write it as lake--pond.")
        for bucket in lists.get("buckets", ()):
            parse_bucket_name(bucket)
        permissions = lists.get("permissions", PERMISSIONS) or PERMISSIONS
        for permission in permissions:
            if permission not in PERMISSIONS:
                raise InvalidInput("scope.permissions", f"{permission!r} is none of {', '.join(PERMISSIONS)}.")
        return cls(
            lists.get("lakes", ()),
            lists.get("ponds", ()),
            lists.get("buckets", ()),
            lists.get("prefixes", ()),
            permissions,  # type: ignore[arg-type]
        )


def _strings(field_name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(field_name, "It must be a list of strings.")
    return tuple(value)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An S3 key pair of an account; the secret is here only while it is needed to check a signature."""

    id: str
    account_id: str
    scope: Scope
    created_at_ms: int
    secret: str = field(repr=False, default="")


def require_access_key_id(text: str) -> str:
    if _ACCESS_KEY_ID.fullmatch(text) is None:
        raise InvalidInput(
            "accessKeyId", "An access key id has 3 to 128 letters, digits, dots, hyphens and underscores."
        )
    return text


def require_secret_access_key(text: str) -> str:
    if not 8 <= len(text) <= 128 or not text.isprintable() or not text.isascii():
        raise InvalidInput("secretAccessKey", "A secret access key has 8 to 128 printable ASCII characters.")
    return text


ActorKind = Literal["token", "accessKey", "dashboard", "system"]
ACTOR_KINDS: tuple[ActorKind, ...] = get_args(ActorKind)


@record
class Actor:
    """Who did something, for those who ask later: by a token or a key with that id, and in which request."""

    kind: ActorKind
    id: str
    request_id: str | None = None


SYSTEM = Actor("system", "system")
"""The server itself: nobody asked for it."""


@record
class Caller:
    """Who makes an S3 request: an access key, or nobody in particular (anonymous)."""

    account_id: str | None
    access_key_id: str | None
    scope: Scope
    acting: Actor | None = None
    """Who acts where that is no access key: a call of the REST API on behalf of the account."""

    @property
    def actor(self) -> Actor:
        return self.acting or Actor("accessKey", self.access_key_id or "")

    @property
    def is_root(self) -> bool:
        return self.account_id == ROOT_ACCOUNT

    @property
    def is_anonymous(self) -> bool:
        return self.account_id is None


ANONYMOUS = Caller(None, None, Scope())


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token for the REST API: for all accounts (`None`) or for some, to read or to write.

    Whoever signed in by other means presents one too, of another `kind`. `scope` is what it may touch of its accounts'
    places: that of the access key behind it; None for everything.
    """

    id: str
    name: str
    accounts: tuple[str, ...] | None
    access: TokenAccess
    created_at_ms: int
    kind: Literal["token", "accessKey", "dashboard"] = "token"
    scope: Scope | None = None
    request_id: str | None = field(default=None, compare=False)
    """The request that presents it now; None as it is stored."""

    @property
    def actor(self) -> Actor:
        return Actor(self.kind, self.id, self.request_id)

    def covers(self, account_id: str) -> bool:
        return self.accounts is None or account_id in self.accounts


def token_hash(token: str) -> bytes:
    """What is stored of a token. Tokens have 160 bits of chance, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).digest()
