"""The master key: encrypts the secrets that must be read back (access keys', webhooks'), so that a stolen database
holds none (I8)."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from elasticlake.errors import ElasticLakeError

_KEY_BYTES = 32
_ID_BYTES = 4
_NONCE_BYTES = 12


class MasterKeyError(ElasticLakeError):
    """The master key is missing, malformed, or not the one that the data was encrypted with."""


class MasterKey:
    """AES-256-GCM under one key. A ciphertext is key id, nonce, sealed bytes: it names its key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise MasterKeyError(f"A master key has {_KEY_BYTES} bytes, written in base64.")
        self._deriving = hmac.new(key, b"elasticlake-derived:", "sha256")
        self._cipher = AESGCM(key)
        self._id = hashlib.sha256(b"elasticlake-master-key:" + key).digest()[:_ID_BYTES]

    @property
    def id(self) -> str:
        """Names the key without revealing it."""
        return self._id.hex()

    def require_opens(self, key_id: str) -> None:
        """Raises `MasterKeyError` unless this is the key of that id, with which the data's secrets are sealed."""
        if key_id != self.id:
            raise MasterKeyError(f"the data was encrypted with master key {key_id}, but this one is {self.id}")

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only who holds the key can have, others for every purpose (HMAC-SHA256, as in RFC 5869)."""
        derived = self._deriving.copy()
        derived.update(purpose.encode())
        return derived.digest()

    def encrypt(self, secret: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._id + nonce + self._cipher.encrypt(nonce, secret.encode(), self._id)

    def decrypt(self, ciphertext: bytes) -> str:
        """The secret; raises `MasterKeyError` if another key sealed it."""
        key_id, nonce = ciphertext[:_ID_BYTES], ciphertext[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
        if key_id != self._id:
            raise MasterKeyError(f"A secret was encrypted with master key {key_id.hex()}; this one is {self.id}.")
        try:
            return self._cipher.decrypt(nonce, ciphertext[_ID_BYTES + _NONCE_BYTES :], key_id).decode()
        except (InvalidTag, ValueError):
            raise MasterKeyError("A stored secret is damaged.") from None

    @classmethod
    def parse(cls, text: str, origin: str = "this") -> MasterKey:
        """The key that `text` holds in base64; `origin` is the file or variable that it is from."""
        try:
            key = b64decode(text.strip(), validate=True)
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise MasterKeyError(f"{origin} holds no master key: one has {_KEY_BYTES} bytes, written in base64")
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> MasterKey:
        """The key in the file; raises `OSError` if it cannot be read."""
        return cls.parse(path.read_bytes().decode(errors="replace"), str(path))

    @classmethod
    def load_or_create(cls, path: Path) -> MasterKey:
        """The key in the file, made (0600, durable) if there is none."""
        if not path.exists():
            write_private(path, b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        return cls.load(path)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole and durable or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
