"""The requests of each small-object shape, as sources for the loops."""

import os
import random
from collections.abc import Iterator, Sequence

from bench.client import ANY_LENGTH, Request
from bench.keys import KeyPool
from bench.signer import Signer

LIST_PAGE_KEYS = 100
# warp's mixed load: GET 45 %, HEAD 30 %, PUT 15 %, DELETE 10 %; each number is where its share ends.
GETS_END, HEADS_END, PUTS_END = 0.45, 0.75, 0.90


def random_body(size_bytes: int) -> bytes:
    """A body that does not compress: one random MiB repeated, since making 10 MiB anew would cost the client's time."""
    block = os.urandom(min(size_bytes, 1024 * 1024))
    return (block * (size_bytes // len(block) + 1))[:size_bytes] if block else b""


class Requests:
    """Builds the signed requests of one bucket."""

    __slots__ = ("_body", "_root", "_signer")

    def __init__(self, signer: Signer, bucket: str, size_bytes: int = 0) -> None:
        self._signer, self._root, self._body = signer, f"/{bucket}", random_body(size_bytes)

    def put(self, key: str) -> Request:
        head = self._signer.head("PUT", f"{self._root}/{key}", content_length=len(self._body))
        return Request("PUT", key, head, self._body)

    def get(self, key: str) -> Request:
        return Request("GET", key, self._signer.head("GET", f"{self._root}/{key}"), b"", len(self._body))

    def head(self, key: str) -> Request:
        return Request("HEAD", key, self._signer.head("HEAD", f"{self._root}/{key}"))

    def delete(self, key: str) -> Request:
        return Request("DELETE", key, self._signer.head("DELETE", f"{self._root}/{key}"))

    def page(self, *, start_after: str = "", delimiter: str = "", max_keys: int = LIST_PAGE_KEYS) -> Request:
        """A ListObjectsV2 page. `start_after` and `delimiter` must need no percent-encoding but for the slash."""
        query = {"delimiter": delimiter, "list-type": "2", "max-keys": str(max_keys), "start-after": start_after}
        encoded = "&".join(f"{name}={value.replace('/', '%2F')}" for name, value in query.items() if value)
        return Request("LIST", start_after, self._signer.head("GET", self._root, encoded), b"", ANY_LENGTH)


class Puts:
    """PUTs of the keys of an iterator; `written` collects those that succeeded."""

    def __init__(self, requests: Requests, keys: Iterator[str]) -> None:
        self._requests, self._keys = requests, keys
        self.written: list[str] = []

    def next(self) -> Request | None:
        key = next(self._keys, None)
        return None if key is None else self._requests.put(key)

    def done(self, request: Request, succeeded: bool) -> None:
        if succeeded:
            self.written.append(request.key)


class SpreadPuts:
    """PUTs over many buckets in turn, of keys `prefix/BUCKET/NUMBER`; `written` counts the successes in each."""

    def __init__(self, requests: Sequence[Requests], prefix: str) -> None:
        self._requests, self._prefix = requests, prefix
        self._made = 0
        self.written = [0] * len(requests)

    def next(self) -> Request | None:
        bucket = self._made % len(self._requests)
        self._made += 1
        return self._requests[bucket].put(f"{self._prefix}/{bucket:03d}/{self._made:09d}")

    def done(self, request: Request, succeeded: bool) -> None:
        self.written[self.bucket(request.key)] += succeeded

    @staticmethod
    def bucket(key: str) -> int:
        """Which of the buckets a key lies in."""
        return int(key.split("/")[-2])


class Reads:
    """GETs, HEADs or list pages at random keys of a pool."""

    def __init__(self, requests: Requests, pool: KeyPool, operation: str) -> None:
        self._pool = pool
        self._make = {"GET": requests.get, "HEAD": requests.head}.get(operation, lambda k: requests.page(start_after=k))

    def next(self) -> Request | None:
        key = self._pool.any()
        return None if key is None else self._make(key)

    def done(self, request: Request, succeeded: bool) -> None:
        """Reads change nothing."""


class Deletes:
    """DELETEs of the given keys, each once; `removed` counts the successes."""

    def __init__(self, requests: Requests, keys: list[str]) -> None:
        self._requests, self._keys = requests, keys
        self.removed = 0

    def next(self) -> Request | None:
        return self._requests.delete(self._keys.pop()) if self._keys else None

    def done(self, request: Request, succeeded: bool) -> None:
        self.removed += succeeded


class Mixed:
    """GET, HEAD, PUT and DELETE in warp's proportions over one pool, which grows slowly."""

    def __init__(self, requests: Requests, pool: KeyPool, prefix: str, seed: int = 7) -> None:
        self._requests, self._pool, self._prefix = requests, pool, prefix
        self._random = random.Random(seed).random
        self._made = 0
        self.changes = 0

    def next(self) -> Request | None:
        draw = self._random()
        if draw < GETS_END:
            key = self._pool.borrow()
            return self._requests.get(key) if key else self._put()
        if draw < HEADS_END:
            key = self._pool.borrow()
            return self._requests.head(key) if key else self._put()
        if draw < PUTS_END:
            return self._put()
        key = self._pool.take()
        return self._requests.delete(key) if key else self._put()

    def done(self, request: Request, succeeded: bool) -> None:
        if request.operation in ("GET", "HEAD"):
            self._pool.give_back(request.key)
            return
        self.changes += succeeded
        if request.operation == "PUT" and succeeded:
            self._pool.add(request.key)

    def _put(self) -> Request:
        self._made += 1
        return self._requests.put(f"{self._prefix}{self._made:09d}")
