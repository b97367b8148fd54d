"""Every kind of blob store: files, an object store in memory, and one behind S3's protocol: a second ElasticLake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.blobs.remote import RemoteBlobs, open_remote_blobs
from elasticlake.blobs.store import BlobStore

PREFIX = "some/prefix"


@pytest.fixture
def s3_url(server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place on the S3-speaking server, as an operator would name it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return f"s3://{bucket}/{PREFIX}?endpoint={server.url}&region=eu-central-1"


@pytest.fixture
def s3_blobs(s3_url: str) -> Iterator[RemoteBlobs]:
    store = open_remote_blobs(s3_url)
    yield store
    store.close()


@pytest.fixture(params=["files", "memory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    makers: dict[str, Callable[[], Any]] = {
        "files": lambda: FileBlobs(tmp_path / "blobs", LocalDisk(), threads=3),
        "memory": lambda: RemoteBlobs(MemoryStore()),
        "s3": lambda: request.getfixturevalue("s3_blobs"),
    }
    store: BlobStore = makers[request.param]()
    yield store
    store.close()
