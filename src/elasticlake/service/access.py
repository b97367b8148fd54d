"""Who may do what: ownership, an access key's scope, and canned ACLs."""

from __future__ import annotations

from elasticlake.errors import AccessDenied
from elasticlake.metadata import buckets
from elasticlake.metadata.database import Database
from elasticlake.model.accounts import Caller, Permission
from elasticlake.model.objects import Bucket, ObjectVersion

PUBLIC_READ = "public-read"


async def bucket_for(
    database: Database, caller: Caller, name: str, permission: Permission, key: bytes | None = None
) -> Bucket:
    """The bucket, if the caller may do that in it; raises `NoSuchBucket` or `AccessDenied`."""
    bucket = await database.read(lambda reader: buckets.get(reader, name), loose=True)
    if not may(caller, bucket, permission, key):
        raise AccessDenied
    return bucket


def may(caller: Caller, bucket: Bucket, permission: Permission, key: bytes | None = None) -> bool:
    """Whether the caller's account owns the bucket (root owns all) and its key's scope allows this; or the ACL lets
    anyone list."""
    if permission == "list" and bucket.acl == PUBLIC_READ:
        return True
    return owns(caller, bucket) and caller.scope.allows(permission, bucket.name, key)


def may_read(caller: Caller, bucket: Bucket, version: ObjectVersion) -> bool:
    """Whether the caller may read this object: its own ACL counts beside the bucket's owner."""
    return version.acl == PUBLIC_READ or may(caller, bucket, "read", version.key)


def owns(caller: Caller, bucket: Bucket) -> bool:
    return caller.is_root or (caller.account_id is not None and caller.account_id == bucket.account_id)
