import socket
from http.client import HTTPConnection

from bench.client import Request
from bench.closed_loop import run_closed
from bench.inbox import InboxClient
from bench.latency import sequence_gaps

from .conftest import Fixed

BODY = '{"event":"object:created","bucket":"b","sequence":%d,"object":{"key":"%s"}}'


def delivery(number: int, sequence: int, key: str = "k") -> Request:
    body = (BODY % (sequence, key)).encode()
    head = (
        f"POST /webhook HTTP/1.1\r\nHost: x\r\nWebhook-Id: evt_{number}\r\nX-ElasticLake-Delivery: dlv_{number}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Request("POST", key, head.encode(), body)


def test_deliveries_are_counted_and_repeats_are_known(inbox: InboxClient) -> None:
    source = Fixed(delivery(1, 1), delivery(2, 2), delivery(2, 2))
    assert not run_closed(inbox.target, source, 1, 5).errors
    arrived = inbox.wait_for(2)
    assert (arrived.total, arrived.distinct) == (3, 2)
    assert 0 < arrived.first_at <= arrived.last_at
    inbox.reset()
    assert inbox.arrived().total == 0


def test_kept_deliveries_tell_what_they_carried(inbox: InboxClient) -> None:
    inbox.reset(keep=True)
    run_closed(inbox.target, Fixed(delivery(1, 7, "a"), delivery(2, 9, "b")), 1, 5)
    first, second = inbox.arrivals()
    assert (first.webhook_id, first.delivery, first.bucket, first.sequence, first.key) == (
        "evt_1",
        "dlv_1",
        "b",
        7,
        "a",
    )
    assert (second.event, second.key) == ("object:created", "b")
    assert first.arrived_at < second.arrived_at
    assert sequence_gaps([first, second]) == 1


def test_without_keep_nothing_is_kept(inbox: InboxClient) -> None:
    run_closed(inbox.target, Fixed(delivery(1, 1)), 1, 5)
    assert inbox.arrivals() == []


def test_one_event_for_two_webhooks_is_two_deliveries(inbox: InboxClient) -> None:
    first = delivery(1, 1)
    second = first._replace(head=first.head.replace(b"dlv_1", b"dlv_2"))
    run_closed(inbox.target, Fixed(first, second), 1, 5)
    assert inbox.arrived().distinct == 2


def test_the_order_of_each_key_is_watched(inbox: InboxClient) -> None:
    inbox.watch_order()
    source = Fixed(delivery(2, 2, "a"), delivery(1, 1, "a"), delivery(3, 3, "b"), delivery(3, 3, "b"))
    run_closed(inbox.target, source, 1, 5)
    arrived = inbox.arrived()
    assert (arrived.total, arrived.distinct, arrived.out_of_order) == (4, 3, 1)
    inbox.reset()
    assert inbox.arrived().out_of_order == 0


def test_waiting_ends_when_nothing_comes(inbox: InboxClient) -> None:
    assert inbox.wait_for(1, stall_seconds=0.1).distinct == 0


def test_a_delivery_may_come_in_pieces(inbox: InboxClient) -> None:
    request = delivery(1, 1)
    with socket.create_connection(("127.0.0.1", inbox.target.port)) as connection:
        for byte in request.head + request.body:
            connection.sendall(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    assert inbox.arrived().distinct == 1


def test_a_delivery_without_a_length_is_refused(inbox: InboxClient) -> None:
    connection = HTTPConnection("127.0.0.1", inbox.target.port)
    connection.putrequest("POST", "/webhook")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()
    assert inbox.arrived().total == 0
