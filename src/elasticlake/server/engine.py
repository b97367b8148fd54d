"""What a server asks of the engine beneath it. Two exist: `embedded` (SQLite in the data folder) and `scaled`
(PostgreSQL, shared by many nodes)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from elasticlake.config.master_key import MasterKey
from elasticlake.metadata.database import Committed, Database
from elasticlake.metadata.history import History, HistoryLog
from elasticlake.service import system

Hear = Callable[[Committed], None]
"""Told of the last sequence of each bucket named; if none is named, something else changed."""


class Wake(Protocol):
    """Tells the other processes of a change, and never waits for them (I7)."""

    def __call__(self, heads: Committed | None = None) -> None:
        """Name the buckets that changed; nothing for a change of webhooks or requested deliveries."""
        ...

    async def close(self) -> None: ...


class Engine(Protocol):
    """Opens the adapters over one set of metadata. A process opens its own, after any fork."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may use the same metadata."""
        ...

    @property
    def look_again_seconds(self) -> float:
        """How long whoever waits for events may rely on being told of them."""
        ...

    def holds_data(self) -> bool:
        """Whether there is data already, whose secrets only its own master key opens."""
        ...

    def prepare(self, master_key: MasterKey) -> int:
        """Bring or demand the schema, and make sure that the key is the data's; returns how many positions lay beyond
        the log that they are in, and were put back. Raises `ElasticLakeError` that says why the data cannot be used."""
        ...

    def installation(self) -> str:
        """Names the data, wherever it is moved; made with it."""
        ...

    def blob_place(self) -> str | None:
        """Where the data's blobs are; None if nobody has said so yet."""
        ...

    def agree_on_blob_place(self, offered: str) -> str:
        """Where the data's blobs are; what is offered if nobody has said so yet."""
        ...

    def kept_credentials(self, master_key: MasterKey) -> dict[str, str]:
        """Root credentials that were generated before."""
        ...

    def keep_credentials(self, made: dict[str, str], master_key: MasterKey) -> dict[str, str]:
        """Keep what was generated now; returns what holds from now on, which another node may have generated."""
        ...

    def open_core(self, *, reads_in_order: bool = False) -> Database:
        """Everything but the state of deliveries. Who mostly reads the log in order needs little of it in memory."""
        ...

    def open_delivery(self) -> Database:
        """The state of deliveries, and the nodes."""
        ...

    async def facts(self, core: Database) -> system.Engine:
        """What the engine is, and how much its files hold; `core` is open."""
        ...

    def open_history(self) -> History: ...

    def open_history_log(self) -> HistoryLog: ...

    def open_wake(self, core: Database) -> Wake:
        """What tells others of changes; those that `core` commits are told by themselves."""
        ...

    def hearing_as_gateway(self, core: Database, hear: Hear) -> AbstractAsyncContextManager[None]:
        """Hear what other nodes tell, while the block runs, and keep what `core` remembers true."""
        ...

    def hearing_as_dispatcher(self, hear: Hear) -> AbstractAsyncContextManager[None]:
        """Hear what there is to deliver, while the block runs."""
        ...
