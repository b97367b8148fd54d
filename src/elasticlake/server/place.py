"""Where a server's data is, as the commands that work on it without a server are told."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from elasticlake.server.folder import DataFolder


@dataclass(frozen=True, slots=True)
class Place:
    """The data folder, and the URLs of what is not in it: of the metadata, and of the blobs."""

    folder: DataFolder
    metadata: str | None = None
    blobs: str | None = None

    def __str__(self) -> str:
        return str(self.folder.path) if self.metadata is None else without_password(self.metadata)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    split = urlsplit(url)
    if split.password is None:
        return split._replace(query="").geturl()
    host = split.netloc.rpartition("@")[2]
    return split._replace(netloc=f"{split.username}@{host}", query="").geturl()
