"""Operations on buckets."""

from __future__ import annotations

from elasticlake.errors import (
    AccessDenied,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    NoSuchBucket,
)
from elasticlake.metadata import blob_records, buckets, hierarchy, objects, uploads
from elasticlake.metadata.database import Transaction
from elasticlake.model.accounts import ROOT_ACCOUNT, Actor, Caller, Permission
from elasticlake.model.activity import Action, Done
from elasticlake.model.names import DEFAULT_SLUG, BucketName, parse_bucket_name
from elasticlake.model.objects import Acl, Bucket
from elasticlake.service.access import bucket_for
from elasticlake.service.activity import note
from elasticlake.service.context import Request, Stores
from elasticlake.service.reach import require_account


class Buckets:
    """The bucket operations over the stores."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def create(
        self, request: Request, name: str, *, acl: Acl = "private", account_id: str | None = None
    ) -> Bucket:
        """Make a bucket, and its lake and pond if they are missing (with their slugs as display names).

        Raises `InvalidBucketName`, `BucketAlreadyOwnedByYou`, `BucketAlreadyExists`, and `AccessDenied` in another
        account's lake.
        """
        parsed = parse_bucket_name(name)
        caller = request.caller
        owner = account_id or caller.account_id
        if owner is None or not caller.scope.allows("admin", parsed):
            raise AccessDenied
        self._stores.space.require()
        now_ms = self._stores.clock.now_ms()
        return await self._stores.database.write(lambda tx: _create(tx, request.actor, parsed, owner, acl, now_ms))

    async def get(self, request: Request, name: str, permission: Permission, key: bytes | None = None) -> Bucket:
        """The bucket, if the caller may do that in it, or to the key; raises `NoSuchBucket` or `AccessDenied`."""
        return await bucket_for(self._stores.database, request.caller, name, permission, key)

    async def owner_of(self, name: str) -> str:
        """The id of the account whose bucket it is; raises `NoSuchBucket`."""
        bucket = await self._stores.database.read(lambda reader: buckets.get(reader, name), loose=True)
        return bucket.account_id

    async def list_page(self, caller: Caller, after: str = "", limit: int = 10_000, prefix: str = "") -> list[Bucket]:
        """The account's buckets by name that the caller's key covers, from beyond `after` on."""
        if caller.account_id is None:
            raise AccessDenied
        account_id = caller.account_id
        if "\x00" in prefix or "\x00" in after:
            # No name has it, and not every engine can look for it.
            return []
        found: list[Bucket] = []
        start = max(after, prefix)
        if after < prefix:
            # Pages begin beyond a name; the prefix may be a whole one.
            named = await self._stores.database.read(lambda reader: buckets.find(reader, prefix))
            if named is not None and named.account_id == account_id and caller.scope.allows("list", named.name):
                found.append(named)
        while len(found) < limit:
            page = await self._stores.database.read(
                lambda reader, start=start: buckets.page(reader, start, 1000, account_id=account_id)  # type: ignore[misc]
            )
            for bucket in page:
                if bucket.name.name.startswith(prefix) and caller.scope.allows("list", bucket.name):
                    found.append(bucket)
            if len(page) < 1000 or not page[-1].name.name[: len(prefix)] <= prefix:
                break
            start = page[-1].name.name
        return found[:limit]

    async def delete(self, request: Request, name: str) -> None:
        """Remove an empty bucket and the uploads that were never completed; its log stays. Raises `BucketNotEmpty`."""
        bucket = await bucket_for(self._stores.database, request.caller, name, "admin")
        now_ms, grace_ms = self._stores.clock.now_ms(), self._stores.blob_grace_ms
        long = await self._stores.database.read(lambda reader: uploads.any_in_bucket(reader, bucket.id))
        await self._stores.database.write(lambda tx: _delete(tx, request.actor, bucket, now_ms, grace_ms), long=long)

    async def set_acl(self, request: Request, name: str, acl: Acl) -> None:
        """Change who may list the bucket; raises `NoSuchBucket` if it went meanwhile, even if another has its name."""
        bucket = await bucket_for(self._stores.database, request.caller, name, "admin")
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            buckets.set_acl(tx, _current(tx, bucket), acl)
            note(tx, request.actor, now_ms, _done("bucket:aclChanged", bucket, acl=acl))

        await self._stores.database.write(mutation)


def _create(tx: Transaction, actor: Actor, name: BucketName, owner: str, acl: Acl, now_ms: int) -> Bucket:
    existing = buckets.find(tx, name.name)
    if existing is not None:
        raise BucketAlreadyOwnedByYou if existing.account_id == owner else BucketAlreadyExists
    require_account(tx, owner)
    lake = hierarchy.get_lake(tx, name.lake)
    if lake is None:
        lake_owner = ROOT_ACCOUNT if name.lake == DEFAULT_SLUG else owner
        hierarchy.insert_lake(tx, name.lake, lake_owner, name.lake, now_ms)
        if name.lake != DEFAULT_SLUG:
            # That one always exists, though its row comes late: nobody makes it.
            note(tx, actor, now_ms, Done("lake:created", name.lake, lake_owner, name.name))
        lake = hierarchy.get_lake(tx, name.lake)
    assert lake is not None
    if name.lake != DEFAULT_SLUG and owner not in (lake.account_id, ROOT_ACCOUNT):
        raise AccessDenied(f"Lake {name.lake} belongs to another account.")
    pond = hierarchy.get_pond(tx, name.lake, name.pond)
    if pond is None:
        hierarchy.insert_pond(tx, lake.id, name.pond, name.pond, now_ms)
        if not name.is_plain:
            note(tx, actor, now_ms, Done("pond:created", f"{name.lake}--{name.pond}", lake.account_id, name.name))
        pond = hierarchy.get_pond(tx, name.lake, name.pond)
    assert pond is not None
    made = buckets.insert(tx, name.name, lake.id, pond.id, owner, acl, now_ms)
    note(tx, actor, now_ms, _done("bucket:created", made, acl=acl))
    return made


def _done(action: Action, bucket: Bucket, **detail: str) -> Done:
    return Done(action, bucket.name.name, bucket.account_id, bucket.name.name, detail)


def _current(tx: Transaction, bucket: Bucket) -> Bucket:
    """The bucket as it is now; raises `NoSuchBucket` if it is gone, even if another has its name."""
    current = buckets.get(tx, bucket.name.name)
    if current.id != bucket.id:
        raise NoSuchBucket
    return current


def _delete(tx: Transaction, actor: Actor, bucket: Bucket, now_ms: int, grace_ms: int) -> None:
    current = _current(tx, bucket)
    if not objects.is_empty(tx, bucket.id):
        raise BucketNotEmpty
    if uploads.hold_of_bucket(tx, bucket.id):
        blob_records.delete_uploads_later(tx, bucket.id, now_ms + grace_ms)
        uploads.delete_of_bucket(tx, bucket.id)
    buckets.mark_deleted(tx, current, now_ms)
    note(tx, actor, now_ms, _done("bucket:deleted", current))
