"""Real servers for real clients. Every server that a test used is stopped and its data checked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.engines import NewMetadata
from tests.integration.receiver import Receiver
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

_numbers = itertools.count(1)

Spawn = Callable[..., Server]


def s3_client(
    server: Server,
    access_key: str = ACCESS_KEY,
    secret: str = SECRET_KEY,
    *,
    region: str = "eu-central-1",
    verify: str | bool = True,
    **options: Any,
) -> Any:
    """boto3's client for the server; `options` go to botocore's Config."""
    config = Config(proxies={}, retries={"total_max_attempts": 1, "mode": "standard"}, **options)
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        region_name=region,
        verify=verify,
        config=config,
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    """The server that tests share, each in buckets of its own."""
    running = Server(tmp_path_factory.mktemp("shared") / "data", metadata=new_metadata()).start()
    yield running
    running.close()


@pytest.fixture
def spawn(tmp_path: Path, new_metadata: NewMetadata) -> Iterator[Spawn]:
    """Makes servers of the test's own: `spawn(*options, env=…)`, not yet started."""
    made: list[Server] = []

    def make(*options: str, data: Path | None = None, **how: Any) -> Server:
        known = [server.metadata for server in made if data is not None and server.data == data]
        how.setdefault("metadata", known[0] if known else new_metadata())
        made.append(Server(data or tmp_path / f"data{len(made)}", *options, **how))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def s3(server: Server) -> Iterator[Any]:
    """boto3 as the root account."""
    client = s3_client(server)
    yield client
    client.close()


@pytest.fixture
def bucket_name() -> str:
    """A bucket's name that no other test has; the bucket does not exist yet."""
    return f"it--tests--b{next(_numbers)}"


@pytest.fixture
def bucket(s3: Any, bucket_name: str) -> str:
    """An empty bucket of the test's own."""
    s3.create_bucket(Bucket=bucket_name)
    return bucket_name


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that answers 200."""
    listening = Receiver()
    yield listening
    listening.close()
