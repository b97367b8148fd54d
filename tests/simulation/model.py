"""What the store should hold: the same operations on plain dictionaries, and the events that they should leave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace

from elasticlake.errors import (
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    ElasticLakeError,
    InvalidPart,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    PreconditionFailed,
)
from elasticlake.model.objects import Acl
from elasticlake.service.conditions import ANY

# The operations. `label` names an upload, whatever id the store gave it.


@dataclass(frozen=True)
class CreateBucket:
    bucket: str
    acl: Acl = "private"


@dataclass(frozen=True)
class DeleteBucket:
    bucket: str


@dataclass(frozen=True)
class SetBucketAcl:
    bucket: str
    acl: Acl


@dataclass(frozen=True)
class Put:
    bucket: str
    key: bytes
    body: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    acl: Acl = "private"
    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delete:
    bucket: str
    key: bytes
    if_match: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeleteMany:
    bucket: str
    keys: tuple[bytes, ...]


@dataclass(frozen=True)
class Copy:
    source_bucket: str
    source_key: bytes
    bucket: str
    key: bytes
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True)
class SetAcl:
    bucket: str
    key: bytes
    acl: Acl


@dataclass(frozen=True)
class CreateUpload:
    bucket: str
    key: bytes
    label: str


@dataclass(frozen=True)
class PutPart:
    bucket: str
    key: bytes
    label: str
    number: int
    body: bytes


@dataclass(frozen=True)
class Complete:
    bucket: str
    key: bytes
    label: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Abort:
    bucket: str
    key: bytes
    label: str


Operation = (
    CreateBucket
    | DeleteBucket
    | SetBucketAcl
    | Put
    | Delete
    | DeleteMany
    | Copy
    | SetAcl
    | CreateUpload
    | PutPart
    | Complete
    | Abort
)


@dataclass(frozen=True)
class ModelObject:
    body: bytes
    etag: str
    metadata: tuple[tuple[str, str], ...]
    acl: Acl


@dataclass(frozen=True)
class ModelUpload:
    bucket: str
    key: bytes
    parts: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True)
class ModelEvent:
    """An event as far as the operation decides it; `request` is the operation's own id."""

    request: str
    bucket: str
    type: str
    key: bytes
    size_bytes: int
    etag: str
    reason: str
    previous: tuple[int, str] | None = None


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def multipart_etag(bodies: list[bytes]) -> str:
    joined = b"".join(bytes.fromhex(md5(body)) for body in bodies)
    return f"{md5(joined)}-{len(bodies)}"


def _frozen(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(metadata.items()))


@dataclass
class Model:
    """The whole store. Sequences are not in it: they follow from the order of the events."""

    buckets: dict[str, Acl] = field(default_factory=dict)
    objects: dict[tuple[str, bytes], ModelObject] = field(default_factory=dict)
    uploads: dict[str, ModelUpload] = field(default_factory=dict)
    completed: dict[str, ModelUpload] = field(default_factory=dict)
    events: list[ModelEvent] = field(default_factory=list)

    def copy(self) -> Model:
        return Model(*(copy(part) for part in (self.buckets, self.objects, self.uploads, self.completed, self.events)))

    def outcome(self, operation: Operation, request: str) -> type[ElasticLakeError] | None:
        """Do the operation; the error that it must end with, None for success."""
        try:
            self.apply(operation, request)
        except ElasticLakeError as error:
            return type(error)
        return None

    def apply(self, operation: Operation, request: str) -> None:
        match operation:
            case CreateBucket(bucket, acl):
                if bucket in self.buckets:
                    raise BucketAlreadyOwnedByYou
                self.buckets[bucket] = acl
            case DeleteBucket(bucket):
                self._delete_bucket(bucket)
            case SetBucketAcl(bucket, acl):
                self._require(bucket)
                self.buckets[bucket] = acl
            case Put():
                self._put(operation, request)
            case Delete(bucket, key, if_match):
                self._require(bucket)
                self._delete(bucket, key, if_match, request, "DeleteObject")
            case DeleteMany(bucket, keys):
                self._require(bucket)
                for key in keys:
                    self._delete(bucket, key, (), request, "DeleteObjects")
            case Copy():
                self._copy(operation, request)
            case SetAcl(bucket, key, acl):
                current = self._find(bucket, key)
                self._replace(bucket, key, replace(current, acl=acl), request, "PutObjectAcl")
            case CreateUpload(bucket, key, label):
                self._require(bucket)
                self.uploads[label] = ModelUpload(bucket, key)
            case PutPart(bucket, key, label, number, body):
                upload = self._upload(bucket, key, label)
                parts = tuple(sorted({**dict(upload.parts), number: body}.items()))
                self.uploads[label] = replace(upload, parts=parts)
            case Complete():
                self._complete(operation, request)
            case Abort(bucket, key, label):
                self._upload(bucket, key, label)
                del self.uploads[label]

    def _require(self, bucket: str) -> None:
        if bucket not in self.buckets:
            raise NoSuchBucket

    def _find(self, bucket: str, key: bytes) -> ModelObject:
        self._require(bucket)
        if (bucket, key) not in self.objects:
            raise NoSuchKey
        return self.objects[bucket, key]

    def _upload(self, bucket: str, key: bytes, label: str) -> ModelUpload:
        self._require(bucket)
        upload = self.uploads.get(label)
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise NoSuchUpload
        return upload

    def _delete_bucket(self, bucket: str) -> None:
        self._require(bucket)
        if any(name == bucket for name, _ in self.objects):
            raise BucketNotEmpty
        del self.buckets[bucket]
        self.uploads = {label: upload for label, upload in self.uploads.items() if upload.bucket != bucket}
        self.completed = {label: upload for label, upload in self.completed.items() if upload.bucket != bucket}

    def _put(self, operation: Put, request: str) -> None:
        self._require(operation.bucket)
        current = self.objects.get((operation.bucket, operation.key))
        if operation.if_match:
            if current is None:
                raise NoSuchKey
            if ANY not in operation.if_match and current.etag not in operation.if_match:
                raise PreconditionFailed("If-Match")
        unwanted = operation.if_none_match
        if current is not None and unwanted and (ANY in unwanted or current.etag in unwanted):
            raise PreconditionFailed("If-None-Match")
        new = ModelObject(operation.body, md5(operation.body), _frozen(operation.metadata), operation.acl)
        self._replace(operation.bucket, operation.key, new, request, "PutObject")

    def _delete(self, bucket: str, key: bytes, if_match: tuple[str, ...], request: str, reason: str) -> None:
        current = self.objects.get((bucket, key))
        if current is None:
            if if_match and ANY not in if_match:
                raise NoSuchKey
            return
        if if_match and ANY not in if_match and current.etag not in if_match:
            raise PreconditionFailed("If-Match")
        del self.objects[bucket, key]
        self._log(request, bucket, "object:deleted", key, current, reason)

    def _copy(self, operation: Copy, request: str) -> None:
        # The service is handed the bucket that it copies to, so that one is looked up first.
        self._require(operation.bucket)
        source = self._find(operation.source_bucket, operation.source_key)
        metadata = source.metadata if operation.metadata is None else _frozen(operation.metadata)
        onto_itself = (operation.source_bucket, operation.source_key) == (operation.bucket, operation.key)
        # Bytes that stay keep their ETag; bytes that are copied are one part from then on.
        etag = source.etag if onto_itself else md5(source.body)
        new = ModelObject(source.body, etag, metadata, "private")
        self._replace(operation.bucket, operation.key, new, request, "CopyObject")

    def _complete(self, operation: Complete, request: str) -> None:
        bucket, key, label = operation.bucket, operation.key, operation.label
        self._require(bucket)
        if self.completed.get(label) == ModelUpload(bucket, key):
            return
        upload = self._upload(bucket, key, label)
        parts = dict(upload.parts)
        if any(number not in parts for number in operation.numbers):
            raise InvalidPart
        bodies = [parts[number] for number in operation.numbers]
        new = ModelObject(b"".join(bodies), multipart_etag(bodies), (("label", label),), "private")
        self._replace(bucket, key, new, request, "CompleteMultipartUpload")
        self._log(request, bucket, "multipart:completed", key, new, "CompleteMultipartUpload")
        del self.uploads[label]
        self.completed[label] = ModelUpload(bucket, key)

    def _replace(self, bucket: str, key: bytes, new: ModelObject, request: str, reason: str) -> None:
        current = self.objects.get((bucket, key))
        self.objects[bucket, key] = new
        if current is None:
            self._log(request, bucket, "object:created", key, new, reason)
        else:
            self._log(request, bucket, "object:updated", key, new, reason, (len(current.body), current.etag))

    def _log(
        self,
        request: str,
        bucket: str,
        kind: str,
        key: bytes,
        described: ModelObject,
        reason: str,
        previous: tuple[int, str] | None = None,
    ) -> None:
        self.events.append(
            ModelEvent(request, bucket, kind, key, len(described.body), described.etag, reason, previous)
        )
