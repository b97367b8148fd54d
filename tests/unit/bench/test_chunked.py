from itertools import pairwise

import pytest
from bench.chunked import ChunkScanner
from hypothesis import given
from hypothesis import strategies as st

BODY = b"5\r\nhello\r\nA;name=value\r\n, world!!!\r\n0\r\n\r\n"


@given(st.lists(st.integers(1, len(BODY) - 1)))
def test_content_is_found_however_the_bytes_are_torn(cuts: list[int]) -> None:
    scanner, edges = ChunkScanner(), [0, *sorted(set(cuts)), len(BODY)]
    for start, stop in pairwise(edges):
        assert not scanner.done
        scanner.feed(BODY[start:stop])
    assert scanner.done
    assert bytes(scanner.content) == b"hello, world!!!"


def test_trailer_fields_belong_to_the_body() -> None:
    scanner = ChunkScanner()
    scanner.feed(b"0\r\nx-checksum: 1\r\n")
    assert not scanner.done
    scanner.feed(b"\r\n")
    assert scanner.done


def test_a_size_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError):
        ChunkScanner().feed(b"zz\r\n")
