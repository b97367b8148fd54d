import pytest
from hypothesis import given
from hypothesis import strategies as some

from elasticlake.model import varints


@given(some.integers(0, 2**63 - 1), some.binary(max_size=5))
def test_what_was_written_is_read_and_nothing_more(number: int, rest: bytes) -> None:
    assert varints.read(varints.encode(number) + rest) == (number, rest)


def test_seven_bits_a_byte() -> None:
    assert [varints.encode(number) for number in (0, 127, 128)] == [b"\x00", b"\x7f", b"\x80\x01"]


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10])
def test_what_is_no_number(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        varints.read(data)
