"""Each cloud's store from its URL; none is dialled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from obstore.store import AzureStore, GCSStore, S3Store

from elasticlake.blobs.remote import open_remote_blobs
from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.blobs.remote_store import DEFAULT_PATIENCE, Patience, open_store
from elasticlake.errors import InvalidInput


def test_s3() -> None:
    url = "s3://bucket/a/b?endpoint=http://s3.test:9000&region=eu-west-1&virtual_hosted=true"
    store = open_store(RemoteLocation.parse(url), DEFAULT_PATIENCE)
    assert isinstance(store, S3Store)
    assert store.prefix == "a/b"
    assert store.config["endpoint"] == "http://bucket.s3.test:9000"
    assert store.config["region"] == "eu-west-1"
    assert store.client_options is not None
    assert store.client_options["allow_http"]


def test_google(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    store = open_store(RemoteLocation.parse("gs://bucket/p?endpoint=http://127.0.0.1:1"), DEFAULT_PATIENCE)
    assert isinstance(store, GCSStore)
    assert (store.prefix, store.config["base_url"]) == ("p", "http://127.0.0.1:1")


def test_azure() -> None:
    store = open_store(RemoteLocation.parse("az://container/p?account=mine"), DEFAULT_PATIENCE)
    assert isinstance(store, AzureStore)
    assert (store.prefix, store.config["account_name"]) == ("p", "mine")


def test_what_the_library_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(InvalidInput) as refused:
        open_remote_blobs("az://container")
    assert "\n" not in str(refused.value)
    assert "account" in str(refused.value).lower()


def test_patience_is_what_the_client_has() -> None:
    patience = Patience(1, 2, 3, 4, 0.5, 0.75)
    store = open_store(RemoteLocation.parse("s3://bucket"), patience)
    assert isinstance(store, S3Store)
    assert store.retry_config == {
        "max_retries": 4,
        "retry_timeout": timedelta(seconds=3),
        "backoff": {
            "init_backoff": timedelta(seconds=0.5),
            "max_backoff": timedelta(seconds=0.75),
            "base": 2,
        },
    }
