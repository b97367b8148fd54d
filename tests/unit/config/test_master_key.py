"""The master key: what it seals only it opens, and a change of any byte shows."""

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.config.master_key import MasterKey, MasterKeyError, write_private

KEY = MasterKey(bytes(range(32)))
OTHER = MasterKey(bytes(range(1, 33)))


@given(st.text())
def test_what_is_sealed_comes_back(secret: str) -> None:
    sealed = KEY.encrypt(secret)
    assert KEY.decrypt(sealed) == secret
    assert len(secret) < 4 or secret.encode() not in sealed


def test_no_two_ciphertexts_are_alike() -> None:
    assert len({KEY.encrypt("secret") for _ in range(100)}) == 100


def test_a_ciphertext_names_its_key() -> None:
    sealed = KEY.encrypt("secret")
    assert sealed[:4].hex() == KEY.id != OTHER.id
    with pytest.raises(MasterKeyError, match=f"master key {KEY.id}; this one is {OTHER.id}"):
        OTHER.decrypt(sealed)


def test_a_changed_byte_anywhere_is_noticed() -> None:
    sealed = KEY.encrypt("secret")
    for index in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[index] ^= 1
        with pytest.raises(MasterKeyError):
            KEY.decrypt(bytes(tampered))


def test_a_cut_ciphertext_is_noticed() -> None:
    sealed = KEY.encrypt("secret")
    for length in range(len(sealed)):
        with pytest.raises(MasterKeyError):
            KEY.decrypt(sealed[:length])


def test_the_key_is_in_no_representation_and_not_in_its_id() -> None:
    raw = bytes(range(32))
    shown = f"{KEY!r} {KEY} {vars(KEY)!r} {KEY.id}"
    assert raw.hex() not in shown
    assert repr(raw)[2:-1] not in shown
    assert b64encode(raw).decode() not in shown


@pytest.mark.parametrize(
    "text", ["", "abc", "ключ", b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode(), "*" * 44]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(MasterKeyError, match="32 bytes"):
        MasterKey.parse(text)


def test_white_space_around_a_key_does_not_matter() -> None:
    text = b64encode(bytes(range(32))).decode()
    assert MasterKey.parse(f" {text}\n").id == KEY.id


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = MasterKey.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.load_or_create(path).id == made.id
    assert MasterKey.load_or_create(tmp_path / "other.key").id != made.id


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "raw.key"
    path.write_bytes(bytes(range(224, 256)))
    with pytest.raises(MasterKeyError, match=f"{path} holds no master key"):
        MasterKey.load(path)


def test_a_damaged_key_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("half a k")
    with pytest.raises(MasterKeyError):
        MasterKey.load_or_create(path)
    assert path.read_text() == "half a k"


def test_a_private_file_replaces_what_was_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old and longer than the new one")
    path.chmod(0o644)
    (tmp_path / "secret.new").write_text("left by a crash")
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_derived_is_another_for_every_purpose_and_key() -> None:
    key, other = MasterKey(bytes(32)), MasterKey(bytes(range(32)))
    assert key.derive("a") == MasterKey(bytes(32)).derive("a")
    assert len({key.derive("a"), key.derive("b"), other.derive("a"), other.derive("b")}) == 4
    assert len(key.derive("a")) == 32
