import pytest
from bench.control import S3Control
from bench.large import MultipartShape, multipart, stream_get, stream_put
from bench.result import MIB
from bench.server import Server
from bench.signer import Signer
from bench.stream import StreamConnection, TransferFailed

from .conftest import Scripted


def test_streams_go_up_and_come_down_whole(null: Server) -> None:
    size = 5 * MIB + 3
    up = stream_put(null.target, "/bucket/stream", size, 2)
    down = stream_get(null.target, "/bucket/stream", size, 2)
    assert not up.errors
    assert not down.errors
    assert up.body_bytes == down.body_bytes == 2 * size
    assert up.elapsed_seconds == pytest.approx(sum(up.latencies_seconds))


def test_a_wrong_length_is_an_error(null: Server) -> None:
    stream_put(null.target, "/bucket/short", 1000, 1)
    assert stream_get(null.target, "/bucket/short", 1001, 1).errors == {"body of 1000 bytes, expected 1001": 1}


def test_a_missing_object_is_an_error(null: Server) -> None:
    assert stream_get(null.target, "/bucket/none", 1, 1).errors == {"404 NoSuchKey": 1}


def test_a_refusal_while_sending_is_told(scripted: Scripted) -> None:
    body = b"<Error><Code>EntityTooLarge</Code></Error>"
    target = scripted([[b"HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\n\r\n|%s" % (len(body), body)]])
    with StreamConnection(target, Signer(target)) as connection, pytest.raises(TransferFailed) as failure:
        connection.put("/b/k", 10, memoryview(b"x" * 10))
    assert str(failure.value) == "400 EntityTooLarge"


def test_a_lost_connection_is_an_error(scripted: Scripted) -> None:
    assert stream_get(scripted([[b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel"]]), "/b/k", 10, 1).errors == {
        "connection lost": 1
    }


def test_multipart_uploads_every_part(null: Server) -> None:
    tally = multipart(null.target, "bucket", "multi", MultipartShape(parts=5, part_bytes=MIB, parallel=2), 2)
    assert not tally.errors
    assert tally.body_bytes == 2 * 5 * MIB


def test_control_knows_what_exists(null: Server) -> None:
    control = S3Control(null.target)
    assert not control.exists("nowhere")
    control.create_bucket("somewhere")
    assert control.exists("somewhere")
    assert control.common_prefixes("somewhere") == 10
