"""The command line, in a process that has a request to an object store under way when it ends.

Arguments: the blobs' URL, then those of the command line.
"""

from __future__ import annotations

import asyncio
import sys
import time

import obstore

from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.blobs.remote_store import DEFAULT_PATIENCE, open_store
from elasticlake.cli.main import main


class SlowToGo:
    """Keeps the interpreter's end from being over before the store answers."""

    def __del__(self, sleep: object = time.sleep) -> None:
        assert callable(sleep)
        sleep(1.0)


async def ask(url: str) -> object:
    return obstore.head_async(open_store(RemoteLocation.parse(url), DEFAULT_PATIENCE), "name")


kept = SlowToGo()
loop = asyncio.new_event_loop()
asked = loop.run_until_complete(ask(sys.argv.pop(1)))
main()
