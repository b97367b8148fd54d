"""The data folder: what lies where in it, and the lock that keeps a second server out."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from elasticlake.errors import ElasticLakeError

LIVING_SECONDS = 2.0
# Longer than a gateway takes to drain.
DRAINING_SECONDS = 40.0


class FolderInUse(ElasticLakeError):
    """Another server holds the data folder."""


class DataMoved(ElasticLakeError):
    """The folder's metadata was moved elsewhere: a server on it would change what is no longer the truth."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths in the data folder."""

    path: Path

    @property
    def metadata(self) -> Path:
        return self.path / "metadata.db"

    @property
    def delivery(self) -> Path:
        """Positions, lanes, dead and requested deliveries."""
        return self.path / "delivery.db"

    @property
    def history(self) -> Path:
        return self.path / "history"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def metrics(self) -> Path:
        """Where the processes share what they count."""
        return self.path / "metrics"

    @property
    def master_key(self) -> Path:
        return self.path / "master.key"

    @property
    def wakeup_socket(self) -> Path:
        """Where the gateways wake the dispatcher."""
        return self.path / "dispatcher.sock"

    @property
    def moved(self) -> Path:
        """Says where the metadata was moved to, if it was."""
        return self.path / "moved-to"

    @property
    def moved_to(self) -> str | None:
        """Where the metadata was moved to, if it was."""
        return self.moved.read_text().strip() if self.moved.exists() else None

    def require_not_moved(self) -> None:
        """Raises `DataMoved`."""
        if self.moved_to is not None:
            raise DataMoved(
                f"the data of {self.path} was moved to {self.moved_to}: give that with --metadata. "
                f"(To go back, without what was written since, remove {self.moved}.)"
            )

    def create(self) -> None:
        """Make the folder, private to its owner."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.history.mkdir(exist_ok=True)
        self.metrics.mkdir(exist_ok=True)
        self.blobs.mkdir(exist_ok=True)

    def lock(self) -> int:
        """Hold the folder while this process or a child of it lives; raises `FolderInUse`.

        The children of a server that was killed notice, and finish the requests under way: they are waited for. A
        server that lives is not.
        """
        handle = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        os.set_inheritable(handle, True)
        started_at = time.monotonic()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(handle, 32, 0).decode().strip()
                patience = LIVING_SECONDS if _is_alive(holder) else DRAINING_SECONDS
                if time.monotonic() > started_at + patience:
                    os.close(handle)
                    raise FolderInUse(
                        f"another server (process {holder or '?'}) is using {self.path.resolve()}; stop it, or choose "
                        "another folder with --data"
                    ) from None
                time.sleep(0.05)
            else:
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
                return handle


def _is_alive(pid: str) -> bool:
    """Whether the process runs; one whose number nobody wrote down counts as running."""
    if not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
