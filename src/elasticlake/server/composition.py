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
from elasticlake.errors import ElasticLakeError, how_to_install
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

    @property
    def public_url(self) -> str:
        """How clients reach this server."""
        return self.settings.public_url or self.settings.local_url(self.port)

    def process_name(self, process: str) -> str:
        """Names a process of this server among those that share its metadata. Its successor has the same name."""
        return f"{self.node}/{process}" if self.engine.is_shared else process


def load_master_key(settings: Settings, folder: DataFolder, engine: Engine) -> MasterKey:
    """The operator's master key, or the folder's own."""
    if settings.master_key is not None:
        return MasterKey.parse(settings.master_key.get_secret_value(), "ELASTICLAKE_MASTER_KEY")
    if settings.master_key_file is not None:
        try:
            return MasterKey.load(settings.master_key_file)
        except OSError as error:
            raise MasterKeyError(f"the master key file cannot be read: {error}") from None
    if folder.master_key.exists():
        return MasterKey.load_or_create(folder.master_key)
    if engine.holds_data():
        elsewhere = ", or name the nodes' common one with --master-key-file" if engine.is_shared else ""
        raise MasterKeyError(f"{folder.master_key} is missing: put it there{elsewhere}; it opens the stored secrets")
    if settings.role != "all":
        raise MasterKeyError(
            "nodes share one master key: make it once (head -c 32 /dev/urandom | base64 > master.key), and name it on "
            "each with --master-key-file or ELASTICLAKE_MASTER_KEY"
        )
    return MasterKey.load_or_create(folder.master_key)


def choose_engine(metadata: str | None, folder: DataFolder) -> Engine:
    """PostgreSQL where there is a URL; its libraries are an extra, and imported only then."""
    if metadata is None:
        return EmbeddedEngine(folder)
    from elasticlake.server.scaled import ScaledEngine

    return ScaledEngine(metadata, folder)


class MissingExtra(ElasticLakeError):
    """What was asked for needs libraries that are not installed."""

    def __init__(self, options: list[str], extras: list[str]) -> None:
        wanted = ",".join(["server", *extras])
        super().__init__(f"{' and '.join(options)} needs more libraries: {how_to_install(wanted)}")


class WrongBlobs(ElasticLakeError):
    """This server would keep blobs where the others do not look for them, or where it cannot."""


FILES = "DATA/blobs"
"""What the place is called where blobs are files: in the data folder of each gateway, which they share."""


def require_stores(settings: Settings) -> None:
    """Raises `MissingExtra`, and `InvalidInput` for a URL that cannot be meant, before any process is forked."""
    missing = []
    if settings.metadata is not None and not _are_installed("psycopg", "greenlet"):
        missing.append(("--metadata postgresql://", "postgres"))
    if settings.blobs is not None and not _are_installed("obstore"):
        missing.append(("--blobs", "cloud"))
    if missing:
        raise MissingExtra([option for option, _ in missing], [extra for _, extra in missing])
    if settings.blobs is not None:
        RemoteLocation.parse(settings.blobs)


def _are_installed(*names: str) -> bool:
    return all(find_spec(name) is not None for name in names)


def agree_on_blobs(settings: Settings, engine: Engine) -> None:
    """Make sure that every gateway over this metadata keeps blobs in one place, that it is no other installation's, and
    that it can be used. Raises `WrongBlobs`."""
    place = blob_place(settings)
    _require_same(place, engine.blob_place() or place)
    if settings.blobs is not None and (fault := claim_blobs(settings.blobs, engine.installation())):
        raise WrongBlobs(f"the blob store {place} cannot be used: {fault}")
    # Only now: a place that cannot be used must not become everybody's.
    _require_same(place, engine.agree_on_blob_place(place))


def _require_same(place: str, known: str) -> None:
    if known != place:
        raise WrongBlobs(f"the blobs of this data are in {known}, and this server would use {place}: see --blobs")


def claim_blobs(url: str, installation: str) -> str | None:
    """What is wrong with the place, or None.

    Asked in a process of its own: the library's threads do not survive a fork, and the server is about to fork.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(_claim, url, installation).result()


def _claim(url: str, installation: str) -> str | None:
    from elasticlake.blobs.remote import open_remote_blobs

    try:
        asyncio.run(open_remote_blobs(url).claim(installation))
    except ElasticLakeError as error:
        return str(error)
    return None


def open_blobs(url: str | None, folder: DataFolder) -> BlobStore:
    """An object store where there is a URL; its library is an extra, and imported only then."""
    if url is None:
        return FileBlobs(folder.blobs, LocalDisk())
    from elasticlake.blobs.remote import open_remote_blobs

    return open_remote_blobs(url)


def blob_place(settings: Settings) -> str:
    """Where the blobs are, without what opens it."""
    return FILES if settings.blobs is None else RemoteLocation.parse(settings.blobs).place


def open_stores(installation: Installation, database: Database, process: str) -> Stores:
    """The adapters of one gateway process."""
    settings = installation.settings
    blobs = open_blobs(settings.blobs, installation.folder)
    clock = SystemClock()
    space = SpaceGuard(blobs, clock, int(settings.min_free_space))
    grace_ms = settings.blob_grace_seconds * 1000
    return Stores(database, blobs, clock, space, installation.process_name(process), grace_ms)
