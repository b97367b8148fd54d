"""Whether the events of a bucket arrive once each, and those of a key in their order; in a byte for each event."""

import json


class KeyOrder:
    """Fed with payloads. An event is known by its sequence, so it follows one bucket."""

    __slots__ = ("_latest", "_seen", "distinct", "out_of_order")

    def __init__(self) -> None:
        self._seen = bytearray()
        self._latest: dict[str, int] = {}
        self.distinct = 0
        self.out_of_order = 0

    def add(self, body: bytes) -> None:
        """Take in a payload. One that comes again is no breach of the order: at least once is the promise."""
        payload = json.loads(body)
        sequence, key = int(payload["sequence"]), str(payload["object"]["key"])
        if self._is_new(sequence):
            self.distinct += 1
            latest = self._latest.get(key, 0)
            self.out_of_order += sequence < latest
            self._latest[key] = max(sequence, latest)

    def _is_new(self, sequence: int) -> bool:
        if sequence >= len(self._seen):
            self._seen.extend(bytes(sequence + 1024 - len(self._seen)))
        is_new = not self._seen[sequence]
        self._seen[sequence] = 1
        return is_new
