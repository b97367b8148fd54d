from __future__ import annotations

import pytest

from elasticlake.cli.sse import Message, messages

STREAM = (
    b"retry: 1000\nid: 41\n\n"
    b'id: 42\nevent: object:created\ndata: {"a":"\xc2\x85\xe2\x80\xa8\r"}\n\n'
    b": ping\n\n"
    b"data:one\r\ndata: two\r\nid:43\r\n\r\n"
    b"id: \x00\ndata\n\n"
    b"id: 44\ndata: cut"
)
READ = [
    Message("41", None),
    Message("42", b'{"a":"\xc2\x85\xe2\x80\xa8\r"}'),
    Message("42", None),
    Message("43", b"one\ntwo"),
    Message("43", b""),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_stream_in_any_pieces(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert list(messages(chunks)) == READ
