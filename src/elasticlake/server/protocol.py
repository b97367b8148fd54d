"""uvicorn's HTTP/1.1 protocol, with one system call for an answer instead of two."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_JOIN_BYTES = 64 * 1024
_FINAL_HEAD = b"HTTP/1.1 "
_INTERIM_HEAD = b"HTTP/1.1 1"
# Over TLS a close waits for the client's own goodbye, half a minute long; a server that stops will not.
GOODBYE_SECONDS = 0.5
# The parser keeps a head until it is whole, whoever sends it, so it must not go on for ever.
MAX_HEAD_BYTES = 64 * 1024


class HeadHolder:
    """A transport that keeps a response's head until its body comes, which is at once, and sends both together."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            if len(data) <= _JOIN_BYTES:
                self._transport.write(head + data)
            else:
                self._transport.writelines((head, data))
        elif data.startswith(_FINAL_HEAD) and not data.startswith(_INTERIM_HEAD):
            self._head = data
        elif data:
            self._transport.write(data)

    def flush(self) -> None:
        """Send a head that no body followed: the answer to a HEAD has none."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """What a gateway's connections speak."""

    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(HeadHolder(transport))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        super().data_received(data)
        # What a head's first piece holds of it is not known, and is at most one read.
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing() or self._is_streaming():
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def _is_streaming(self) -> bool:
        """Whether the answer under way has no end of its own: its reader may have stopped to take it."""
        state: dict[str, Any] = (self.scope or {}).get("state", {})
        return bool(state.get("is_stream"))

    def on_response_complete(self) -> None:
        if isinstance(self.transport, HeadHolder):
            self.transport.flush()
        super().on_response_complete()
