"""The adapters behind the services: the one place that chooses concrete ones."""

from __future__ import annotations

import asyncio
import secrets
import socket
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing import get_context

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.blobs.store import BlobStore
from elasticlake.clock import SystemClock
from elasticlake.config.credentials import RootCredentials
from elasticlake.config.master_key import MasterKey, MasterKeyError
from elasticlake.config.settings import Settings
from elasticlake.errors import ElasticLakeError, Unavailable
from elasticlake.metadata.database import Database
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.engine import Engine
from elasticlake.server.folder import DataFolder
from elasticlake.service.context import SpaceGuard, Stores


@dataclass(frozen=True, slots=True)
class Installation:
    """What the processes of one server share."""

    settings: Settings
    folder: DataFolder
    engine: Engine
    credentials: RootCredentials
    master_key: MasterKey
    port: int
    node: str = field(default_factory=lambda: f"{socket.gethostname()}-{secrets.token_hex(4)}")
    """Names this server among the nodes; no two ever have the same name."""

    def process_name(self, process: str) -> str:
        """Names a process of this server among those that share its metadata. Its successor has the same name."""
        return f"{self.node}/{process}" if self.engine.is_shared else process


def load_master_key(settings: Settings, folder: DataFolder, engine: Engine) -> MasterKey:
    """The operator's master key, or the folder's own."""
    if settings.master_key is not None:
        return MasterKey.parse(settings.master_key.get_secret_value())
    if settings.master_key_file is not None:
        try:
            return MasterKey.parse(settings.master_key_file.read_text())
        except OSError as error:
            raise MasterKeyError(f"the master key file cannot be read: {error}") from None
    if not folder.master_key.exists() and engine.holds_data():
        raise MasterKeyError(f"{folder.master_key} is missing: without it the stored secrets cannot be read")
    return MasterKey.load_or_create(folder.master_key)


def choose_engine(metadata: str | None, folder: DataFolder) -> Engine:
    """PostgreSQL where there is a URL; its libraries are an extra, and imported only then."""
    if metadata is None:
        return EmbeddedEngine(folder)
    from elasticlake.server.scaled import ScaledEngine

    return ScaledEngine(metadata, folder)


class MissingExtra(ElasticLakeError):
    """What was asked for needs libraries that are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs more libraries: pip install 'elasticlake[server,{extra}]'")


def require_stores(settings: Settings) -> None:
    """Raises `MissingExtra`, and `InvalidInput` for a URL that cannot be meant, before any process is forked."""
    if settings.metadata is not None and not _are_installed("psycopg", "greenlet"):
        raise MissingExtra("--metadata postgresql://", "postgres")
    if settings.blobs is not None:
        RemoteLocation.parse(settings.blobs)
        if not _are_installed("obstore"):
            raise MissingExtra("--blobs", "cloud")


def _are_installed(*names: str) -> bool:
    return all(find_spec(name) is not None for name in names)


def claim_blobs(url: str, installation: str) -> None:
    """Make sure that the store answers, and that what is in it is this installation's. Raises `ElasticLakeError`.

    In a process of its own: the library's threads do not survive a fork, and the server is about to fork.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        pool.submit(_claim, url, installation).result()


def _claim(url: str, installation: str) -> None:
    from elasticlake.blobs.remote import open_remote_blobs

    try:
        asyncio.run(open_remote_blobs(url).claim(installation))
    except Unavailable:
        raise Unavailable(f"the blob store at {url} cannot be used; the log line before this one says why") from None


def open_blobs(url: str | None, folder: DataFolder) -> BlobStore:
    """An object store where there is a URL; its library is an extra, and imported only then."""
    if url is None:
        return FileBlobs(folder.blobs, LocalDisk())
    from elasticlake.blobs.remote import open_remote_blobs

    return open_remote_blobs(url)


def open_stores(installation: Installation, database: Database, process: str) -> Stores:
    """The adapters of one gateway process."""
    settings = installation.settings
    blobs = open_blobs(settings.blobs, installation.folder)
    clock = SystemClock()
    space = SpaceGuard(blobs, clock, int(settings.min_free_space))
    grace_ms = settings.blob_grace_seconds * 1000
    return Stores(database, blobs, clock, space, installation.process_name(process), grace_ms)
