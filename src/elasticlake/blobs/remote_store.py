"""A `RemoteLocation` as obstore's store: its configuration, time-outs and retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import AzureStore, GCSStore, S3Store

from elasticlake.blobs.remote_location import RemoteLocation

if TYPE_CHECKING:  # these have no counterpart at run time
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, RetryConfig, S3Config


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store may take, in seconds. A request that fails is repeated, with growing pauses in between."""

    connect_seconds: float = 5
    silence_seconds: float = 20
    """For an answer to begin (a part has to be sent by then), and between its pieces."""
    retry_seconds: float = 12
    """After so long a request that fails is not repeated any more."""
    retries: int = 40
    """So many that time ends them first."""
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 3


DEFAULT_PATIENCE = Patience()


def open_store(location: RemoteLocation, patience: Patience) -> ObjectStore:
    """Nothing is dialled yet, and credentials are looked for when they are needed."""
    prefix = location.prefix or None
    client, retry = _client(location, patience), _retry(patience)
    match location.scheme:
        case "gs":
            gcs: GCSConfig = {"base_url": location.endpoint} if location.endpoint else {}
            return GCSStore(location.bucket, prefix=prefix, config=gcs, client_options=client, retry_config=retry)
        case "az":
            azure = _azure(location)
            return AzureStore(location.bucket, prefix=prefix, config=azure, client_options=client, retry_config=retry)
        case _:
            s3 = _s3(location)
            return S3Store(location.bucket, prefix=prefix, config=s3, client_options=client, retry_config=retry)


def _s3(location: RemoteLocation) -> S3Config:
    config: S3Config = {"virtual_hosted_style_request": location.virtual_hosted}
    if location.request_endpoint:
        config["endpoint"] = location.request_endpoint
    if location.region:
        config["region"] = location.region
    return config


def _azure(location: RemoteLocation) -> AzureConfig:
    config: AzureConfig = {}
    if location.endpoint:
        config["endpoint"] = location.endpoint
    if location.account:
        config["account_name"] = location.account
    return config


def _client(location: RemoteLocation, patience: Patience) -> ClientConfig:
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=patience.connect_seconds),
        "read_timeout": timedelta(seconds=patience.silence_seconds),
        # Of a whole answer, which a slow reader may draw out: silence is what is not waited for.
        "timeout": timedelta(days=1),
    }
    if location.is_plain_http:
        options["allow_http"] = True
    return options


def _retry(patience: Patience) -> RetryConfig:
    return {
        "max_retries": patience.retries,
        "retry_timeout": timedelta(seconds=patience.retry_seconds),
        "backoff": {
            "init_backoff": timedelta(seconds=patience.first_pause_seconds),
            "max_backoff": timedelta(seconds=patience.longest_pause_seconds),
            "base": 2,
        },
    }
