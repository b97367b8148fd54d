"""The webhook receiver, in a process of its own: as little work as possible between the socket and the 200.

Run by `python -m bench.receiver PORT`. `POST` is a delivery. The bench asks `GET /count` and `GET /records`, and
resets with `GET /reset`, which also says what becomes of the deliveries from then on: they are counted, with `?keep`
also kept one by one, with `?order` looked at for the order of each key (`key_order.py`).
"""

import asyncio
import json
import re
import signal
import sys
from time import perf_counter
from typing import cast

import uvloop

from bench.key_order import KeyOrder

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
LENGTH_REQUIRED = b"HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WEBHOOK_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_DELIVERY_ID = re.compile(rb"\r\nx-elasticlake-delivery: *([^\r]+)", re.IGNORECASE)


class Inbox:
    """What has arrived since the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, *, keep: bool = False, order: bool = False) -> None:
        self._keep = keep
        self._order = KeyOrder() if order else None
        self._ids: set[bytes] = set()
        self._total = 0
        self._first_at = self._last_at = 0.0
        self._kept: list[tuple[float, bytes, bytes]] = []

    def add(self, arrived_at: float, head: bytes, body: bytes) -> None:
        self._total += 1
        self._first_at = self._first_at or arrived_at
        self._last_at = arrived_at
        if self._order is not None:
            self._order.add(body)
        else:
            # An event's webhook-id is the same for every webhook; the delivery's id is the webhook's own.
            found = _DELIVERY_ID.search(head) or _WEBHOOK_ID.search(head)
            self._ids.add(found[1] if found else body)
        if self._keep:
            self._kept.append((arrived_at, head, body))

    def counts(self) -> dict[str, float]:
        """Deliveries in all, distinct ones, those out of order, and the times of the first and the last (monotonic
        seconds)."""
        order = self._order
        return {
            "total": self._total,
            "distinct": order.distinct if order else len(self._ids),
            "outOfOrder": order.out_of_order if order else 0,
            "first": self._first_at,
            "last": self._last_at,
        }

    def records(self) -> list[dict[str, object]]:
        """Each kept delivery; parsed only now, so that parsing takes nothing from the measurement."""
        return [_record(*kept) for kept in self._kept]


def _record(arrived_at: float, head: bytes, body: bytes) -> dict[str, object]:
    payload = json.loads(body)
    webhook_id, delivery = _WEBHOOK_ID.search(head), _DELIVERY_ID.search(head)
    return {
        "arrived": arrived_at,
        "webhookId": webhook_id[1].decode() if webhook_id else "",
        "delivery": delivery[1].decode() if delivery else "",
        "event": payload.get("event"),
        "bucket": payload.get("bucket"),
        "sequence": payload.get("sequence"),
        "key": payload.get("object", {}).get("key"),
    }


class Receiver(asyncio.Protocol):
    """One connection of the dispatcher's, or of the bench's."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._data = b""
        self._arrived_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._data:
            self._arrived_at = perf_counter()  # the clock is the system's monotonic one, shared by all processes
        self._data = self._data + data if self._data else data
        while self._data and self._take_request():
            pass

    def _take_request(self) -> bool:
        """Answer the first complete request; False if more bytes are needed."""
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head, length = self._data[: end + 2], 0
        found = _LENGTH.search(head)
        if found:
            length = int(found[1])
        elif head.startswith(b"POST"):
            return self._refuse()
        stop = end + 4 + length
        if len(self._data) < stop:
            return False
        body, self._data = self._data[end + 4 : stop], self._data[stop:]
        if head.startswith(b"POST"):
            self._write(OK)
            self._inbox.add(self._arrived_at, head, body)
        else:
            self._control(head.split(b" ", 2)[1].decode())
        return True

    def _refuse(self) -> bool:
        self._write(LENGTH_REQUIRED)
        self._data = b""
        if self._transport is not None:
            self._transport.close()
        return False

    def _control(self, path: str) -> None:
        answer: object = self._inbox.counts()
        if path == "/records":
            answer = self._inbox.records()
        elif path.startswith("/reset"):
            self._inbox.reset(keep=path.endswith("keep"), order=path.endswith("order"))
        body = json.dumps(answer).encode()
        self._write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(port: int) -> None:
    """Receive on loopback until SIGTERM."""
    loop, stopped, inbox = asyncio.get_running_loop(), asyncio.Event(), Inbox()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Receiver(inbox), "127.0.0.1", port)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
