"""obstore: conditional puts are how table formats commit."""

from __future__ import annotations

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server


@pytest.fixture
def store(server: Server, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.url,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region="us-east-1",
        client_options={"allow_http": True},
    )


def test_create_only_once(store: S3Store) -> None:
    obstore.put(store, "log/0001.json", b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "log/0001.json", b"second", mode="create")
    assert bytes(obstore.get(store, "log/0001.json").bytes()) == b"first"


def test_update_only_what_was_read(store: S3Store) -> None:
    first = obstore.put(store, "head", b"1")
    second = obstore.put(store, "head", b"2", mode={"e_tag": first["e_tag"]})
    with pytest.raises(PreconditionError):
        obstore.put(store, "head", b"3", mode={"e_tag": first["e_tag"]})
    assert bytes(obstore.get(store, "head").bytes()) == b"2"
    assert obstore.head(store, "head")["e_tag"] == second["e_tag"]


def test_multipart_ranges_listing_and_bulk_delete(store: S3Store) -> None:
    body = bytes(range(256)) * 4096 * 12
    obstore.put(store, "large", body, chunk_size=5 * 1024 * 1024)
    assert bytes(obstore.get_range(store, "large", start=1000, end=2000)) == body[1000:2000]
    obstore.copy(store, "large", "copy")
    obstore.rename(store, "copy", "renamed")
    assert sorted(entry["path"] for entry in obstore.list(store).collect()) == ["large", "renamed"]
    obstore.delete(store, ["large", "renamed"])
    assert obstore.list(store).collect() == []
