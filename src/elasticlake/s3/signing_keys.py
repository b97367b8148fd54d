"""Signing keys: what a secret access key becomes for one day and one region, and a cache of them.

Deriving a key takes four HMACs, which is more than the rest of a verification, and clients use the same one all day.
"""

import hmac

# Anybody may name a region, so one long enough to fill memory with is not kept.
_MAX_REGION_CHARACTERS = 64


def signing_key(secret: str, date: str, region: str) -> bytes:
    """The key that signs S3 requests of `date` (YYYYMMDD) in `region`.

    Source: "Create a signed AWS API request", step "Derive a signing key", AWS IAM User Guide.
    """
    key = ("AWS4" + secret).encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class SigningKeys:
    """Derived signing keys, at most `limit` of them; the one made first goes first.

    Not for several threads at once: each event loop keeps its own. An entry is found by the secret itself, so a key
    whose secret changed never meets the old secret's entry.
    """

    def __init__(self, limit: int = 4096) -> None:
        if limit < 1:
            raise ValueError("a cache of signing keys holds at least one")
        self._limit = limit
        self._keys: dict[tuple[str, str, str], bytes] = {}

    def get(self, secret: str, date: str, region: str) -> bytes:
        """The signing key, derived unless it is known."""
        found = self._keys.get((secret, date, region))
        return found if found is not None else self._derive(secret, date, region)

    def __len__(self) -> int:
        return len(self._keys)

    def _derive(self, secret: str, date: str, region: str) -> bytes:
        if len(region) > _MAX_REGION_CHARACTERS:
            return signing_key(secret, date, region)
        if len(self._keys) >= self._limit:
            del self._keys[next(iter(self._keys))]
        key = self._keys[secret, date, region] = signing_key(secret, date, region)
        return key
