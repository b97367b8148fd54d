"""Streams a large blob into a store and out of it, in a process of its own; prints by how much its memory grew.

Arguments: the blobs' URL, the size in MiB.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from pathlib import Path

from elasticlake.blobs.remote import RemoteBlobs, open_remote_blobs
from elasticlake.cli.ending import leave
from elasticlake.model.ids import new_blob_id

MIB = 1024 * 1024


def peak_bytes() -> int:
    """The most that this process ever had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def stream(blobs: RemoteBlobs, size_mib: int) -> None:
    """Raises AssertionError unless the bytes that come back are those that went."""
    blob_id, sent, received = new_blob_id(), hashlib.sha256(), hashlib.sha256()
    writer = await blobs.create(blob_id)
    for number in range(size_mib):
        piece = number.to_bytes(4, "big") * (MIB // 4)
        sent.update(piece)
        await writer.write(piece)
    await writer.commit()
    async for read in blobs.read(blob_id, 0, size_mib * MIB):
        received.update(read)
    assert sent.digest() == received.digest()


async def main(url: str, size_mib: int) -> None:
    """What is needed once (threads, connections, code) is there before memory is looked at."""
    blobs = open_remote_blobs(url)
    await stream(blobs, 1)
    before = peak_bytes()
    await stream(blobs, size_mib)
    print(peak_bytes() - before)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
    leave(0)
