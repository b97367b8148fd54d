"""A TCP proxy whose network can be cut: it stalls, resets or refuses what goes through it, when a test says so."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self

from tests.ports import steady_port

CHUNK_BYTES = 64 * 1024
BACKLOG = 128
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
CLOSE_IN_ORDER = struct.pack("ii", 0, 0)
# A loopback handshake that has not finished by then was dropped: the queue is full.
FULL_SECONDS = 0.05


class Proxy:
    """Forwards 127.0.0.1:`port` to a target, from a thread of its own.

    Every method may be called from any thread and has taken effect when it returns. Where the target itself refuses,
    a connection is made and then reset.
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self.port = steady_port()
        self._target = (target_host, target_port)
        self._links: set[asyncio.Task[None]] = set()
        self._fillers: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._one_at_a_time = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()
        self.accept()

    # -- what a test says

    def cut(self) -> None:
        """Partition the network: nothing moves, nothing ends, a new connection is not even established.

        As much as a socket's buffer holds is still taken from a sender, as by any network with a router in it.
        """
        self._call(self._cut())

    def heal(self) -> None:
        """Undo `cut`: every byte and every end that was held back arrives.

        A connection that was being established goes on when its kernel next tries, after a second or more.
        """
        self._call(self._heal())

    def reset_all(self) -> None:
        """Reset every connection, on both sides. New ones are welcome."""
        self._call(self._reset_all())

    def refuse(self) -> None:
        """Refuse new connections, as a port without a server does; the existing ones stay."""
        self._call(self._refuse())

    def accept(self) -> None:
        """Undo `refuse`."""
        self._call(self._accept())

    @property
    def connections(self) -> int:
        """How many connections go through, stalled ones among them."""
        return len(self._links)

    def close(self) -> None:
        """Reset everything and leave; nothing if it has left."""
        if self._loop.is_closed():
            return
        self._call(self._refuse())
        self._call(self._reset_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        with self._one_at_a_time:
            asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # -- the same, in the proxy's own thread

    async def _cut(self) -> None:
        self._flowing.clear()
        if self._listener is not None:
            await self._stop_accepting()
            await self._fill(self._listener)

    async def _heal(self) -> None:
        self._flowing.set()
        if self._listener is not None and self._accepting is None:
            self._drain(self._listener)
            self._start_accepting(self._listener)

    async def _reset_all(self) -> None:
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._listener is None:
            return
        await self._stop_accepting()
        self._release_fillers()
        self._listener.close()
        self._listener = None

    async def _accept(self) -> None:
        if self._listener is not None:
            return
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(BACKLOG)
        if self._flowing.is_set():
            self._start_accepting(self._listener)
        else:
            await self._fill(self._listener)

    # -- new connections

    def _start_accepting(self, listener: socket.socket) -> None:
        listener.listen(BACKLOG)
        self._accepting = self._loop.create_task(self._take(listener))

    async def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None

    async def _take(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self._adopt(client)

    def _adopt(self, client: socket.socket) -> None:
        """Begin to forward; a task canceled before its first step closes nothing, so this does."""
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        link = self._loop.create_task(self._link(client))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        link.add_done_callback(lambda _: client.close())

    async def _fill(self, listener: socket.socket) -> None:
        """Fill the kernel's queue of the listener: it then drops whatever wants to connect, as a cut network would."""
        listener.listen(0)
        full = False
        while not full:
            filler = socket.socket()
            filler.setblocking(False)
            try:
                await asyncio.wait_for(self._loop.sock_connect(filler, ("127.0.0.1", self.port)), FULL_SECONDS)
                self._fillers.append(filler)
            except TimeoutError:
                filler.close()
                full = True

    def _drain(self, listener: socket.socket) -> None:
        """Take our own fillers out of the queue again; others that slipped in become connections."""
        ours = {filler.getsockname() for filler in self._fillers}
        with suppress(BlockingIOError):  # until the queue is empty
            while True:
                client, address = listener.accept()
                if address in ours:
                    client.close()
                else:
                    self._adopt(client)
        self._release_fillers()

    def _release_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    # -- one connection

    async def _link(self, client: socket.socket) -> None:
        """Forward until both ends have ended; an error or a cancellation resets both sides."""
        with socket.socket() as target:
            client.setblocking(False)
            target.setblocking(False)
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            try:
                await self._flowing.wait()
                await self._loop.sock_connect(target, self._target)
                await self._forward_both(client, target)
                for side in (client, target):
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_IN_ORDER)
            except OSError:
                await self._flowing.wait()  # a cut network tells of no error either

    async def _forward_both(self, client: socket.socket, target: socket.socket) -> None:
        for side in (client, target):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = [self._loop.create_task(self._forward(*way)) for way in ((client, target), (target, client))]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        """Forward one way, up to and including the end."""
        while data := await self._receive(source):
            await self._send(sink, memoryview(data))
        await self._flowing.wait()
        sink.shutdown(socket.SHUT_WR)

    async def _receive(self, source: socket.socket) -> bytes:
        await self._flowing.wait()
        return await self._loop.sock_recv(source, CHUNK_BYTES)

    async def _send(self, sink: socket.socket, data: memoryview) -> None:
        """Send piece by piece, and ask before each whether the network is up: a cut stops within a large chunk too."""
        while data:
            await self._flowing.wait()
            try:
                data = data[sink.send(data) :]
            except BlockingIOError:
                await self._writable(sink)

    async def _writable(self, sink: socket.socket) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(sink, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_writer(sink)
