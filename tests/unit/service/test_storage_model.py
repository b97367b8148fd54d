"""The storage services against plain dictionaries: outcomes, reads and events, whatever the order of requests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.simulation.model import (
    Abort,
    Complete,
    Copy,
    CreateBucket,
    CreateUpload,
    Delete,
    DeleteBucket,
    DeleteMany,
    Model,
    ModelEvent,
    Operation,
    Put,
    PutPart,
    SetAcl,
    SetBucketAcl,
)
from tests.simulation.store import CALLER, Store, open_store, prepare, read_model
from tests.simulation.workload import LARGE_BYTES

from elasticlake.errors import ElasticLakeError, NotModified, PreconditionFailed
from elasticlake.metadata import buckets as bucket_rows
from elasticlake.metadata import events
from elasticlake.metadata.database import Reader
from elasticlake.model.events import Event
from elasticlake.service import multipart
from elasticlake.service.conditions import Conditions

BUCKETS = st.sampled_from(("plain-bucket", "lake1--pond1--nested"))
KEYS = st.sampled_from(
    [
        key.encode()
        for key in ("a", "a/", "a/b", "a/b/c", "a/c", "a0", "b", "b//", "ü/ü", "z\x00", "\U0010ffff", "\U0010ffff/x")
    ]
)
PREFIXES = st.sampled_from([prefix.encode() for prefix in ("", "a", "a/", "a/b", "ü", "\U0010ffff", "nothing")])
BODIES = st.one_of(
    st.binary(max_size=40), st.sampled_from((0, LARGE_BYTES - 1, LARGE_BYTES)).map(lambda size: b"\x07" * size)
)
METADATA = st.dictionaries(st.sampled_from(("colour", "size")), st.sampled_from(("red", "große")), max_size=2)
ACLS = st.sampled_from(("private", "public-read"))
ETAGS = st.sampled_from(("current", "wrong", "any"))
"""Which ETag a condition names: that of the object as it is, another, or `*`."""

Listing = tuple[list[bytes], list[bytes]]


class StorageMachine(RuleBasedStateMachine):
    """Requests in any order. After each, the log holds exactly the events that the model expects."""

    uploads = Bundle("uploads")

    def __init__(self, folder: Path) -> None:
        super().__init__()
        prepare(folder)
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.store: Store = self.run(self.opened.enter_async_context(open_store(folder, durable=False)))
        self.model = Model()
        self.numbers = itertools.count()
        self.seen_events = 0

    def run(self, work):  # type: ignore[no-untyped-def]
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.check_everything()
            self.run(self.store.recover())
            self.run(self.store.collect_everything())
            assert self.run(self.store.findings()) == []
        finally:
            self.run(self.opened.aclose())
            self.runner.close()

    @initialize()
    def begin_with_a_bucket(self) -> None:
        self.do(CreateBucket("plain-bucket"))

    # Requests that change something.

    @rule(bucket=BUCKETS, acl=ACLS)
    def create_bucket(self, bucket: str, acl) -> None:  # type: ignore[no-untyped-def]
        self.do(CreateBucket(bucket, acl))

    @rule(bucket=BUCKETS)
    def delete_bucket(self, bucket: str) -> None:
        self.do(DeleteBucket(bucket))

    @rule(bucket=BUCKETS, acl=ACLS)
    def set_bucket_acl(self, bucket: str, acl) -> None:  # type: ignore[no-untyped-def]
        self.do(SetBucketAcl(bucket, acl))

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES, metadata=METADATA, acl=ACLS)
    def put(self, bucket: str, key: bytes, body: bytes, metadata: dict[str, str], acl) -> None:  # type: ignore[no-untyped-def]
        self.do(Put(bucket, key, body, metadata, acl))

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES, match=ETAGS)
    def put_if_match(self, bucket: str, key: bytes, body: bytes, match: str) -> None:
        self.do(Put(bucket, key, body, if_match=self.etags(bucket, key, match)))

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES, match=ETAGS)
    def put_if_none_match(self, bucket: str, key: bytes, body: bytes, match: str) -> None:
        self.do(Put(bucket, key, body, if_none_match=self.etags(bucket, key, match)))

    @rule(bucket=BUCKETS, key=KEYS)
    def delete(self, bucket: str, key: bytes) -> None:
        self.do(Delete(bucket, key))

    @rule(bucket=BUCKETS, key=KEYS, match=ETAGS)
    def delete_if_match(self, bucket: str, key: bytes, match: str) -> None:
        self.do(Delete(bucket, key, self.etags(bucket, key, match)))

    @rule(bucket=BUCKETS, keys=st.lists(KEYS, max_size=14))
    def delete_many(self, bucket: str, keys: list[bytes]) -> None:
        self.do(DeleteMany(bucket, tuple(keys)))

    @rule(source=BUCKETS, source_key=KEYS, bucket=BUCKETS, key=KEYS, metadata=st.none() | METADATA)
    def copy(self, source: str, source_key: bytes, bucket: str, key: bytes, metadata: dict[str, str] | None) -> None:
        self.do(Copy(source, source_key, bucket, key, metadata))

    @rule(bucket=BUCKETS, key=KEYS, metadata=METADATA)
    def copy_onto_itself(self, bucket: str, key: bytes, metadata: dict[str, str]) -> None:
        self.do(Copy(bucket, key, bucket, key, metadata))

    @rule(bucket=BUCKETS, key=KEYS, acl=ACLS)
    def set_acl(self, bucket: str, key: bytes, acl) -> None:  # type: ignore[no-untyped-def]
        self.do(SetAcl(bucket, key, acl))

    @rule(target=uploads, bucket=BUCKETS, key=KEYS)
    def create_upload(self, bucket: str, key: bytes) -> object:
        label = f"upload-{next(self.numbers)}"
        done = self.do(CreateUpload(bucket, key, label)) is None
        return (bucket, key, label) if done else multiple()

    @rule(upload=uploads, number=st.integers(1, 3), body=BODIES)
    def put_part(self, upload: tuple[str, bytes, str], number: int, body: bytes) -> None:
        self.do(PutPart(*upload, number, body))

    @rule(upload=uploads, numbers=st.sets(st.integers(1, 3), min_size=1))
    def complete(self, upload: tuple[str, bytes, str], numbers: set[int]) -> None:
        self.do(Complete(*upload, tuple(sorted(numbers))))

    @rule(upload=consumes(uploads))
    def abort(self, upload: tuple[str, bytes, str]) -> None:
        self.do(Abort(*upload))

    # Requests that only look.

    @rule(bucket=BUCKETS, key=KEYS, offset=st.integers(0, 50), size_bytes=st.integers(0, 70_000))
    def read_range(self, bucket: str, key: bytes, offset: int, size_bytes: int) -> None:
        held = self.model.objects.get((bucket, key))
        if held is None:
            return
        wanted = held.body[offset : offset + size_bytes]

        async def read() -> bytes:
            found = await self.store.objects.find(CALLER, bucket, key)
            return b"".join([bytes(piece) async for piece in self.store.objects.read(found, offset, len(wanted))])

        assert self.run(read()) == wanted

    @rule(bucket=BUCKETS, key=KEYS, match=ETAGS, none_match=st.booleans())
    def find_under_a_condition(self, bucket: str, key: bytes, match: str, none_match: bool) -> None:
        held = self.model.objects.get((bucket, key))
        if held is None:
            return
        etags = self.etags(bucket, key, match)
        conditions = Conditions(if_none_match=etags) if none_match else Conditions(if_match=etags)
        names_it = match != "wrong"
        expected = (NotModified if names_it else None) if none_match else (None if names_it else PreconditionFailed)
        assert self.error(self.store.objects.find(CALLER, bucket, key, conditions)) is expected

    @rule(
        bucket=BUCKETS,
        prefix=PREFIXES,
        delimiter=st.sampled_from((b"", b"/", b"b/")),
        after=st.just(b"") | KEYS,
        limit=st.integers(1, 7),
    )
    def list_in_pages(self, bucket: str, prefix: bytes, delimiter: bytes, after: bytes, limit: int) -> None:
        if bucket not in self.model.buckets:
            return
        keys, prefixes = list[bytes](), list[bytes]()
        place = after
        while True:
            _, page = self.run(
                self.store.objects.list_page(
                    CALLER, bucket, prefix=prefix, delimiter=delimiter, after=place, limit=limit
                )
            )
            count = len(page.items) + len(page.prefixes)
            assert count <= limit
            assert count == limit or not page.truncated
            keys += [item.key for item in page.items]
            prefixes += page.prefixes
            for item in page.items:
                held = self.model.objects[bucket, item.key]
                assert (item.size_bytes, item.etag) == (len(held.body), held.etag)
            if not page.truncated:
                break
            assert page.last is not None
            place = page.last
        assert (keys, prefixes) == self.listing(bucket, prefix, delimiter, after)

    @rule()
    def check_everything(self) -> None:
        seen = self.run(read_model(self.store))
        assert seen.buckets == self.model.buckets
        assert seen.objects == self.model.objects
        assert seen.uploads == self.model.uploads
        for name in self.model.buckets:
            bucket = self.run(self.store.database.read(lambda reader, name=name: bucket_rows.get(reader, name)))
            bodies = [held.body for (owner, _), held in self.model.objects.items() if owner == name]
            assert (bucket.objects, bucket.size_bytes) == (len(bodies), sum(map(len, bodies)))

    # How.

    def do(self, operation: Operation) -> type[ElasticLakeError] | None:
        """The request ends as the model says, and leaves the events that the model says."""
        request = f"op-{next(self.numbers)}"
        self.store.clock.time_ms += 1
        outcome = self.error(self.store.perform(operation, request))
        assert outcome is self.model.outcome(operation, request), operation
        expected = self.model.events[self.seen_events :]
        self.seen_events = len(self.model.events)
        logged = self.run(self.store.database.read(lambda reader: new_events(reader, request)))
        assert [described(event) for event in logged] == expected
        for event in logged:
            self.check_event(event)
        return outcome

    def check_event(self, event: Event) -> None:
        """What the model's events do not say: the sequence goes on, under one name, whatever became of its buckets."""
        of_bucket = [logged for logged in self.model.events if logged.bucket == event.bucket]
        assert of_bucket[event.sequence - 1] == described(event)
        assert (event.time_ms, event.principal) == (self.store.clock.time_ms, CALLER.access_key_id)
        lake, pond = ("lake1", "pond1") if event.bucket.startswith("lake1--") else ("default", "default")
        assert (event.lake, event.pond) == (lake, pond)
        held = self.model.objects.get((event.bucket, event.key))
        if event.type != "object:deleted" and held is not None:
            assert dict(event.metadata or {}) == dict(held.metadata)

    def error(self, work) -> type[ElasticLakeError] | None:  # type: ignore[no-untyped-def]
        try:
            self.run(work)
        except ElasticLakeError as error:
            return type(error)
        return None

    def etags(self, bucket: str, key: bytes, match: str) -> tuple[str, ...]:
        held = self.model.objects.get((bucket, key))
        current = held.etag if held is not None else "0" * 32
        return {"current": ("f" * 32, current), "wrong": ("f" * 32,), "any": ("*",)}[match]

    def listing(self, bucket: str, prefix: bytes, delimiter: bytes, after: bytes) -> Listing:
        """All keys and common prefixes beyond `after`, the slow way."""
        keys, prefixes = list[bytes](), list[bytes]()
        for key in sorted(key for name, key in self.model.objects if name == bucket):
            if not key.startswith(prefix) or key <= after:
                continue
            found = key.find(delimiter, len(prefix)) if delimiter else -1
            common = key[: found + len(delimiter)]
            if found < 0:
                keys.append(key)
            elif common not in prefixes and common != after:
                prefixes.append(common)
        return keys, prefixes


def new_events(reader: Reader, request: str) -> list[Event]:
    """The events of one request, in the order of their log."""
    rows = reader.rows(
        "SELECT bucket_id, sequence FROM events WHERE request_id = ? ORDER BY bucket_id, sequence", (request,)
    )
    found = [events.get(reader, bucket_id, sequence) for bucket_id, sequence in rows]
    return [event for event in found if event is not None]


def described(event: Event) -> ModelEvent:
    previous = (event.previous.size_bytes, event.previous.etag) if event.previous else None
    return ModelEvent(
        event.request_id or "",
        event.bucket,
        event.type,
        event.key,
        event.size_bytes,
        event.etag,
        event.reason,
        previous,
    )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], StorageMachine]:
    """Makes machines, each over a store of its own; parts may be of any size."""
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", 0)
    numbers = itertools.count()
    return lambda: StorageMachine(tmp_path / str(next(numbers)))


def test_the_services_do_what_the_model_does(machine: Callable[[], StorageMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40))


@pytest.mark.soak
def test_the_services_do_what_the_model_does_at_length(machine: Callable[[], StorageMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=2_000, stateful_step_count=60))
