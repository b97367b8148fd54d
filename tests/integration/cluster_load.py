"""Load on a cluster whose every operation is remembered, with what the client was told and when."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.integration.cluster import Cluster
from tests.integration.conftest import s3_client
from tests.integration.kill_load import ABSENT, KeyHistory

Place = tuple[str, str]
"""A bucket and a key."""

# Longer than any request may take: an operation without an answer is then one whose gateway died.
READ_SECONDS = 60
SMALL_BYTES = (10, 4096, 60_000)
SIZES_BYTES = (*SMALL_BYTES, 70_000, 300_000)
PART_BYTES = 5 * 1024 * 1024
_BUSY = {"SlowDown", "ServiceUnavailable"}


@dataclass(slots=True)
class Operation:
    """One change of one key that a client asked for. `etag` is what the object gets, ABSENT for a deletion."""

    place: Place
    etag: str
    digest: str
    began: float
    ended: float = float("inf")
    """When it was acknowledged (by `time.monotonic`); infinity if it never was: then it happened or not."""

    @property
    def is_acknowledged(self) -> bool:
        return self.ended != float("inf")


@dataclass(slots=True)
class Record:
    """What all clients did and saw."""

    operations: list[Operation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What no client may ever see: a status such as 500, a body that is not the object's."""
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def acknowledged(self) -> int:
        return sum(operation.is_acknowledged for operation in self.operations)


class Client:
    """A client of the whole cluster, for many threads. Its methods say whether the operation was acknowledged."""

    def __init__(self, cluster: Cluster, record: Record) -> None:
        self.record = record
        self._gateways = [
            s3_client(node.server, connect_timeout=5, read_timeout=READ_SECONDS, max_pool_connections=40)
            for node in cluster.gateways
        ]

    def put(self, place: Place, body: bytes, gateway: int) -> bool:
        digest = md5(body)
        operation = self._begin(place, digest, digest)
        return self._end([operation], lambda s3: s3.put_object(**_named(place), Body=body), gateway)

    def delete(self, place: Place, gateway: int) -> bool:
        operation = self._begin(place, ABSENT, ABSENT)
        return self._end([operation], lambda s3: s3.delete_object(**_named(place)), gateway)

    def delete_many(self, bucket: str, keys: Sequence[str], gateway: int) -> bool:
        """Delete keys of one bucket in one request; acknowledged means all of them."""
        operations = [self._begin((bucket, key), ABSENT, ABSENT) for key in keys]
        named = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        return self._end(operations, lambda s3: self._delete_objects(s3, bucket, named), gateway)

    def copy(self, source: Place, target: Place, digest: str, gateway: int) -> bool:
        """Copy an object that nobody else changes and whose content's digest is known."""
        operation = self._begin(target, digest, digest)
        wanted = {"Bucket": source[0], "Key": source[1]}
        return self._end([operation], lambda s3: s3.copy_object(**_named(target), CopySource=wanted), gateway)

    def put_in_parts(self, place: Place, parts: Sequence[bytes], gateway: int) -> bool:
        """A multipart upload; what is acknowledged is its completion."""
        hashes = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
        etag = f"{md5(hashes)}-{len(parts)}"
        operation = self._begin(place, etag, md5(b"".join(parts)))
        return self._end([operation], lambda s3: _upload(s3, place, parts), gateway)

    def digest(self, place: Place, gateway: int) -> str | None:
        """The digest of what the key holds, ABSENT for nothing, None if no answer came or it broke off."""
        try:
            body = self._gateways[gateway].get_object(**_named(place))["Body"].read()
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return ABSENT
            self._refused("GET", error)
            return None
        except BotoCoreError as error:
            self.record.refusals[type(error).__name__] += 1
            return None
        return md5(body)

    def close(self) -> None:
        for gateway in self._gateways:
            gateway.close()

    def _begin(self, place: Place, etag: str, digest: str) -> Operation:
        operation = Operation(place, etag, digest, time.monotonic())
        self.record.operations.append(operation)
        return operation

    def _end(self, operations: Iterable[Operation], ask: Callable[[Any], object], gateway: int) -> bool:
        try:
            ask(self._gateways[gateway])
        except ClientError as error:
            self._refused("change", error)
            return False
        except BotoCoreError as error:
            self.record.refusals[type(error).__name__] += 1
            return False
        ended = time.monotonic()
        for operation in operations:
            operation.ended = ended
        return True

    def _delete_objects(self, s3: Any, bucket: str, named: dict[str, Any]) -> None:
        for error in s3.delete_objects(Bucket=bucket, Delete=named).get("Errors", []):
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 200}}, "DeleteObjects")

    def _refused(self, what: str, error: ClientError) -> None:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        self.record.refusals[f"{status} {_code(error)}"] += 1
        if status != 503 or _code(error) not in _BUSY:
            self.record.faults.append(f"{what}: {error}")


class Writer:
    """A thread that changes keys of its own through any gateway, and reads back what it wrote."""

    def __init__(self, client: Client, name: str, buckets: Sequence[str], sizes: Sequence[int], seed: int) -> None:
        self.histories: dict[Place, KeyHistory] = {}
        self._client = client
        self._name = name
        self._buckets = buckets
        self._sizes = sizes
        self._chance = random.Random(f"{seed}/{name}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                acknowledged = self._turn()
            except Exception as error:  # the test's own fault must not pass for silence
                self._client.record.faults.append(f"{self._name}: {error!r}")
                return
            if not acknowledged:
                self._stop.wait(0.1)

    def _turn(self) -> bool:
        chance, gateway = self._chance, self._chance.randrange(3)
        place = self._place()
        match chance.random():
            case share if share < 0.55:
                body = chance.randbytes(chance.choice(self._sizes))
                return self._change([place], md5(body), lambda: self._client.put(place, body, gateway))
            case share if share < 0.65:
                return self._change([place], ABSENT, lambda: self._client.delete(place, gateway))
            case share if share < 0.70:
                return self._delete_many(place[0], gateway)
            case share if share < 0.77:
                return self._copy(place, gateway)
            case share if share < 0.82:
                return self._put_in_parts(place, gateway)
            case _:
                return self._read(place, gateway)

    def _place(self) -> Place:
        return self._chance.choice(self._buckets), f"{self._name}/{self._chance.randrange(25)}"

    def _change(self, places: Sequence[Place], digest: str, ask: Callable[[], bool]) -> bool:
        histories = [self.histories.setdefault(place, KeyHistory()) for place in places]
        for history in histories:
            history.unanswered.add(digest)
        acknowledged = ask()
        if acknowledged:
            for history in histories:
                history.acknowledged, history.unanswered = digest, set()
        return acknowledged

    def _delete_many(self, bucket: str, gateway: int) -> bool:
        # More than ten keys is a long mutation, which takes another way.
        keys = [f"{self._name}/{number}" for number in self._chance.sample(range(25), self._chance.choice((3, 14)))]
        places = [(bucket, key) for key in keys]
        return self._change(places, ABSENT, lambda: self._client.delete_many(bucket, keys, gateway))

    def _copy(self, target: Place, gateway: int) -> bool:
        certain = [
            place
            for place, history in self.histories.items()
            if place != target and history.acknowledged != ABSENT and not history.unanswered
        ]
        if not certain:
            return True
        source = self._chance.choice(certain)
        digest = self.histories[source].acknowledged
        return self._change([target], digest, lambda: self._client.copy(source, target, digest, gateway))

    def _put_in_parts(self, place: Place, gateway: int) -> bool:
        parts = [self._chance.randbytes(self._chance.choice(SIZES_BYTES))]
        if max(self._sizes) > max(SMALL_BYTES) and self._chance.random() < 0.1:
            parts.insert(0, self._chance.randbytes(PART_BYTES))
        return self._change([place], md5(b"".join(parts)), lambda: self._client.put_in_parts(place, parts, gateway))

    def _read(self, place: Place, gateway: int) -> bool:
        history = self.histories.setdefault(place, KeyHistory())
        digest = self._client.digest(place, gateway)
        if digest is not None and not history.allows(digest):
            self._client.record.faults.append(f"{place} held {digest or 'nothing'} instead of {history.acknowledged}")
        return digest is not None


class Rival(Writer):
    """A thread that puts and deletes keys which others change at the same time, through one gateway."""

    def __init__(self, client: Client, number: int, bucket: str, seed: int) -> None:
        super().__init__(client, f"rival{number}", [bucket], SIZES_BYTES, seed)
        self._gateway = number % 3

    def _turn(self) -> bool:
        place = (self._buckets[0], f"shared/{self._chance.randrange(4)}")
        if self._chance.random() < 0.2:
            return self._client.delete(place, self._gateway)
        return self._client.put(place, self._chance.randbytes(self._chance.choice(self._sizes)), self._gateway)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _named(place: Place) -> dict[str, str]:
    return {"Bucket": place[0], "Key": place[1]}


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _upload(s3: Any, place: Place, parts: Sequence[bytes]) -> None:
    upload = s3.create_multipart_upload(**_named(place))["UploadId"]
    made = []
    for number, part in enumerate(parts, 1):
        etag = s3.upload_part(**_named(place), UploadId=upload, PartNumber=number, Body=part)["ETag"]
        made.append({"ETag": etag, "PartNumber": number})
    s3.complete_multipart_upload(**_named(place), UploadId=upload, MultipartUpload={"Parts": made})
