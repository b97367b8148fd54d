"""One real server for the protocol's tests, and a look at what it has stored."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.conformance.s3.wire import Wire
from tests.engines import NewMetadata
from tests.integration.conftest import s3_client
from tests.integration.server import CREDENTIALS, Server

from elasticlake.metadata.database import Reader
from elasticlake.metadata.postgres.blocking import BlockingReader
from elasticlake.metadata.postgres.blocking import connect as connect_postgres
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.server.checking import check
from elasticlake.server.folder import DataFolder
from elasticlake.server.place import Place

DOMAIN = "s3.test"
SETTLE_SECONDS = 10
# Whatever an S3 request can leave behind, one way or another.
_TABLES = (
    "objects", "inline_bodies", "manifests", "events", "uploads", "parts", "completed_uploads", "blob_intents",
    "blob_deletions",
)  # fmt: skip
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Store:
    """A running server's data, read beside it."""

    server: Server

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The metadata as it is now."""
        if self.server.metadata is not None:
            with closing(connect_postgres(self.server.metadata)) as postgres:
                yield BlockingReader(postgres)
        else:
            with closing(connect(self.server.data / "metadata.db", readonly=True)) as sqlite:
                yield SqliteReader(sqlite)

    def due_blobs(self) -> frozenset[str]:
        """What earlier tests let go of, and the collector deletes at any moment."""
        with self.reader() as reader:
            due = reader.rows("SELECT blob_id FROM blob_deletions WHERE delete_at_ms <= ?", (time.time() * 1000,))
        return frozenset(blob_id for (blob_id,) in due)

    def state(self, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """How much there is of everything, each bucket's counters, and the names of the blobs' files; `without` these
        blobs."""
        with self.reader() as reader:
            found: dict[str, Any] = {name: reader.rows(f"SELECT count(*) FROM {name}") for name in _TABLES}
            found["buckets"] = reader.rows("SELECT name, sequence, objects, size_bytes, deleted_at_ms FROM buckets")
            queued = reader.rows("SELECT blob_id FROM blob_deletions")
        found["blob_deletions"] = [(sum(blob_id not in without for (blob_id,) in queued),)]
        files = (path for path in (self.server.data / "blobs").rglob("*") if path.is_file())
        found["files"] = sorted(str(path) for path in files if path.name not in without)
        return found

    def findings(self) -> list[str]:
        """What the integrity check says."""
        place = Place(DataFolder(self.server.data), self.server.metadata, None)
        return check(place, lambda what, done, total: None, read_bodies=False).findings

    def settled(self, wanted: dict[str, Any], without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The state as soon as it is `wanted`: a broken connection is noticed a little later."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while (found := self.state(without)) != wanted and time.monotonic() < give_up_at:
            time.sleep(0.02)
        return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    """A server of its own process tree, its data checked in the end."""
    environment = {**CREDENTIALS, "ELASTICLAKE_ACCESS_LOG": "true"}
    data = tmp_path_factory.mktemp("conformance") / "data"
    running = Server(data, "--domain", DOMAIN, env=environment, metadata=new_metadata()).start()
    yield running
    running.close()


@pytest.fixture
def store(server: Server) -> Store:
    return Store(server)


@pytest.fixture
def wire(server: Server) -> Wire:
    return Wire(server.port)


@pytest.fixture
def s3(server: Server) -> Iterator[Any]:
    """boto3 as the root account."""
    client = s3_client(server)
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    """An empty bucket of the test's own."""
    name = f"conformance-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def nothing_changes(server: Server, store: Store, bucket: str) -> Iterator[None]:
    """The test leaves the store as it found it, sound, and the server without an internal error."""
    due = store.due_blobs()
    before, logged = store.state(due), len(server.log)
    yield
    assert store.settled(before, due) == before
    assert store.findings() == []
    assert "internal error" not in server.log[logged:]
