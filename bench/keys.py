"""The keys that exist on the server, as far as the generator knows."""

import random
from collections import Counter


class KeyPool:
    """A set with cheap random choice. A key that is being read is never handed out to be deleted."""

    def __init__(self, keys: list[str] | None = None, seed: int = 1) -> None:
        self._keys = list(keys or ())
        self._readers: Counter[str] = Counter()
        self._random = random.Random(seed).random

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str) -> None:
        self._keys.append(key)

    def any(self) -> str | None:
        """Some key; None if there is none."""
        return self._keys[int(self._random() * len(self._keys))] if self._keys else None

    def borrow(self) -> str | None:
        """Some key, kept from deletion until `give_back`."""
        key = self.any()
        if key is not None:
            self._readers[key] += 1
        return key

    def give_back(self, key: str) -> None:
        self._readers[key] -= 1
        if self._readers[key] <= 0:
            del self._readers[key]

    def take(self) -> str | None:
        """Remove and return some key that nobody reads; None if a few draws find none."""
        for _ in range(16):
            if not self._keys:
                return None
            at = int(self._random() * len(self._keys))
            key = self._keys[at]
            if key not in self._readers:
                self._keys[at] = self._keys[-1]
                self._keys.pop()
                return key
        return None
