"""A connection to a receiver: one exchange at a time, and for most of them one write and one future."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import cast

from elasticlake.clock import Clock
from elasticlake.delivery.answer import Answer
from elasticlake.processor import give_way

PIECE_BYTES = 64 * 1024
"""A longer request is written in such pieces, as the receiver takes them."""


class ConnectionEnded(Exception):
    """The connection ended before the answer did; `reason` is the transport's, None for an orderly end."""

    def __init__(self, reason: Exception | None) -> None:
        super().__init__(reason)
        self.reason = reason


class Connection(asyncio.Protocol):
    """The protocol of one transport; `address` is what was dialled, with its port.

    It `is_usable` from its start until it ends, or until something comes that nobody asked for: that would pass for the
    next answer.
    """

    def __init__(self, address: str, dialled: socket.socket, clock: Clock) -> None:
        self.address = address
        self.is_usable = False
        self.first_byte_seconds: float | None = None
        """From the start of the last exchange to the first byte of its answer."""
        self._socket = dialled
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._spoke_first = False
        self._has_asked = False
        self._asked_at = 0.0
        self._unsent = memoryview(b"")
        self._is_paused = False

    async def exchange(self, head: bytes, body: bytes, answer: Answer, deadline_at: float) -> None:
        """Send a request and take in its answer until that is over; `deadline_at` is the loop's time.

        Raises `ConnectionEnded`, or TimeoutError at the deadline. Whatever ends it early ends the connection.
        """
        if self._spoke_first:
            # It might pass for an answer, to a request that nobody has sent.
            answer.refuse("the receiver spoke before it was asked")
            self.abort()
            return
        if not self.is_usable:
            raise ConnectionEnded(None)
        waiter = self._waiter = self._loop.create_future()
        self._answer, self._has_asked = answer, True
        self._asked_at, self.first_byte_seconds = self._clock.monotonic(), None
        deadline = self._loop.call_at(deadline_at, self._settle, TimeoutError())
        try:
            self._send(head, body)
            await waiter
        except BaseException:
            self.abort()
            raise
        finally:
            deadline.cancel()

    def is_silent(self) -> bool:
        """Whether it is usable, and nothing has come on it that the loop has not read yet."""
        if not self.is_usable or self._is_secure():  # TLS has talk of its own
            return self.is_usable
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def abort(self) -> None:
        """Close at once. TLS is not told: its farewell would wait for the receiver's."""
        self.is_usable = False
        self._settle(ConnectionEnded(None))
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone
        self.is_usable = True

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is not None:
            if self.first_byte_seconds is None:
                self.first_byte_seconds = self._clock.monotonic() - self._asked_at
            answer.feed(data)
            if answer.is_over:
                self._answered(answer)
        elif self._has_asked:
            self.abort()
        else:
            self._spoke_first = True
        give_way()

    def eof_received(self) -> None:
        self._ended(None)
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and exc is not None:
            self._read_what_came()
        self._ended(exc)
        self.is_usable = False

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._send_on()

    def _send(self, head: bytes, body: bytes) -> None:
        if len(body) <= PIECE_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._unsent = memoryview(body)
            self._send_on()

    def _send_on(self) -> None:
        # While one piece waits for the receiver, an answer that came early is already read.
        while self._unsent and not self._is_paused and self._answer is not None:
            piece, self._unsent = self._unsent[:PIECE_BYTES], self._unsent[PIECE_BYTES:]
            self._write(piece)

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is not None:
            self._transport.write(data)
            give_way()

    def _answered(self, answer: Answer) -> None:
        self.is_usable = self.is_usable and answer.keeps_connection and not self._is_sending()
        self._settle(None)
        if not self.is_usable:
            self.abort()

    def _is_secure(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("sslcontext") is not None

    def _is_sending(self) -> bool:
        return len(self._unsent) > 0 or self._is_paused

    def _ended(self, reason: Exception | None) -> None:
        """An answer without a length of its own is complete now; any other never will be."""
        answer = self._answer
        if answer is None:
            return
        if reason is None:
            answer.end()
        self._settle(None if answer.is_over else ConnectionEnded(reason))

    def _settle(self, error: Exception | None) -> None:
        self._answer, self._unsent = None, memoryview(b"")
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)

    def _read_what_came(self) -> None:
        """An answer may lie behind an error of ours to write: receivers refuse a body and close without reading it."""
        if self._is_secure():
            return
        with contextlib.suppress(OSError):
            while self._answer is not None and (data := self._socket.recv(PIECE_BYTES)):
                self.data_received(data)
