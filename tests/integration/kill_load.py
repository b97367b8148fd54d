"""Load whose every outcome is remembered, for tests that kill the server beneath it."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.integration.conftest import s3_client
from tests.integration.server import Server

KEYS_PER_WRITER = 40
SIZES_BYTES = (10, 4096, 60_000, 70_000, 300_000)
ABSENT = ""


@dataclass(slots=True)
class KeyHistory:
    """What a key may hold: the digest of the last acknowledged state, or one of those sent since without an answer."""

    acknowledged: str = ABSENT
    unanswered: set[str] = field(default_factory=set)

    def allows(self, digest: str) -> bool:
        return digest == self.acknowledged or digest in self.unanswered


class Writer:
    """One client that puts and deletes its own keys until it is stopped."""

    def __init__(self, server: Server, bucket: str, number: int, seed: int) -> None:
        self._client = s3_client(server, connect_timeout=2, read_timeout=5)
        self._bucket = bucket
        self._prefix = f"writer{number}"
        self._chance = random.Random(f"{seed}/{number}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.keys: dict[str, KeyHistory] = {}
        self.acknowledged = 0
        self.unanswered = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            key = f"{self._prefix}/{turn % KEYS_PER_WRITER}"
            body = self._chance.randbytes(self._chance.choice(SIZES_BYTES))
            deletes = self._chance.random() < 0.15
            self._change(key, None if deletes else body)

    def _change(self, key: str, body: bytes | None) -> None:
        history = self.keys.setdefault(key, KeyHistory())
        digest = ABSENT if body is None else hashlib.md5(body, usedforsecurity=False).hexdigest()
        # Unanswered until the answer is here: the server may die between doing it and saying so.
        history.unanswered.add(digest)
        try:
            if body is None:
                self._client.delete_object(Bucket=self._bucket, Key=key)
            else:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError):
            self.unanswered += 1
            time.sleep(0.05)
            return
        history.acknowledged, history.unanswered = digest, set()
        self.acknowledged += 1


def stored_digest(client: Any, bucket: str, key: str) -> str:
    """The digest of what the key holds now, ABSENT for nothing."""
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return ABSENT
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
