"""Links to objects: presigned URLs that a delivery's receiver may fetch the object with, made by an account's
authority."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, urlsplit

from elasticlake.config.master_key import MasterKey
from elasticlake.metadata import accounts
from elasticlake.metadata.accounts import StoredKey
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.accounts import ROOT_ACCOUNT, AccessKey, Scope
from elasticlake.model.events import Event
from elasticlake.model.names import BucketName, parse_bucket_name
from elasticlake.model.s3_records import REGION
from elasticlake.service.accounts import RootCredentials

LINKED_TYPES = frozenset({"object:created", "object:updated", "multipart:completed"})
"""After these there is something to fetch."""
PAGE = 100
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Presign(Protocol):
    """Signs a request's URL; returns its query."""

    def __call__(
        self,
        method: str,
        host: str,
        raw_path: bytes,
        query: Iterable[tuple[str, str]],
        access_key_id: str,
        secret: str,
        region: str,
        expires_seconds: int,
        now_ms: int,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class ObjectLinks:
    """Makes links to objects on the server that clients reach at `base_url`."""

    database: Database
    master_key: MasterKey
    root: RootCredentials
    base_url: str
    presign: Presign

    async def url(self, event: Event, account_id: str, seconds: int, now_ms: int) -> str | None:
        """A GET URL for the object as the event left it, good for `seconds`; None if no key of the account may read
        it."""
        key = await self._key(account_id, parse_bucket_name(event.bucket), event.key)
        if key is None:
            return None
        base = urlsplit(self.base_url.rstrip("/"))
        path = f"/{event.bucket}/{quote(event.key, safe='/~')}"
        version = [("versionId", event.version_id)] if event.version_id is not None else []
        host = base.netloc.removesuffix(_DEFAULT_PORTS.get(base.scheme, ""))
        query = self.presign("GET", host, path.encode(), version, key.id, key.secret, REGION, seconds, now_ms)
        return f"{base.scheme}://{host}{base.path}{path}?{query}"

    async def _key(self, account_id: str, bucket: BucketName, key: bytes) -> AccessKey | None:
        if account_id == ROOT_ACCOUNT:
            return AccessKey(self.root.access_key_id, ROOT_ACCOUNT, Scope(), 0, self.root.secret)
        stored = await self.database.read(lambda reader: _reading_key(reader, account_id, bucket, key), loose=True)
        return replace(stored.key, secret=self.master_key.decrypt(stored.ciphertext)) if stored is not None else None


def may_link(reader: Reader, account_id: str, bucket: str | None) -> bool:
    """Whether the account has a key that may read some key of that bucket, or of any."""
    name = parse_bucket_name(bucket) if bucket is not None else None
    return account_id == ROOT_ACCOUNT or _reading_key(reader, account_id, name, None) is not None


def _reading_key(reader: Reader, account_id: str, bucket: BucketName | None, key: bytes | None) -> StoredKey | None:
    after = ""
    while page := accounts.list_keys(reader, account_id, after, PAGE):
        for found in page:
            # Without a key in question, prefixes say only that it may read some.
            scope = found.scope if key is not None else replace(found.scope, prefixes=())
            if scope.allows("read", bucket, key):
                return accounts.get_key(reader, found.id)
        after = page[-1].id
    return None
