"""What comes of an event that is forwarded, in words for people."""

from __future__ import annotations

import socket

from elasticlake.cli.forwarder import Forwarder

EVENT = {"id": "evt_1", "event": "object:created", "bucket": "lake1--pond1--my-bucket", "sequence": 1}


def test_an_endpoint_where_nobody_listens_refuses_in_plain_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        forwarder = Forwarder(f"http://127.0.0.1:{unused.getsockname()[1]}/hook", "secret")
        outcome = forwarder.send(EVENT, b"{}")
        forwarder.close()
    assert (outcome.status_code, outcome.error) == (None, "Connection refused")
