"""Keys and sizes that S3 can store."""

import pytest

from elasticlake.errors import EntityTooLarge, InvalidInput
from elasticlake.model.objects import DEFAULT_CONTENT_TYPE, Attributes, Content, require_key, require_put_size


@pytest.mark.parametrize("key", [b"a", b"\x00", b" ", "ключ/☃".encode(), b"x" * 1024, b"/", b"../a"])
def test_keys(key: bytes) -> None:
    assert require_key(key) == key


@pytest.mark.parametrize("key", [b"", b"x" * 1025, b"\xff", b"a\xc3", "é".encode() * 513, b"\xed\xa0\x80"])
def test_what_is_no_key(key: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_key(key)
    assert refused.value.field == "key"


def test_one_put_carries_five_gibibytes() -> None:
    assert require_put_size(0) == 0
    assert require_put_size(5 * 1024**3) == 5 * 1024**3
    with pytest.raises(EntityTooLarge):
        require_put_size(5 * 1024**3 + 1)


def test_defaults() -> None:
    assert Attributes().content_type == DEFAULT_CONTENT_TYPE == "binary/octet-stream"
    assert Attributes().metadata == {}
    assert Content() == Content(None, None)
