"""A place in a log: what goes on from it is taken, and what does not is told rather than passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from elasticlake import AsyncClient, Client
from elasticlake.client import TooManyRequests, UnexpectedAnswer, async_client, sync_client
from elasticlake.client.decoding import decode
from elasticlake.client.feed_cursor import FeedCursor
from elasticlake.client.models import Feed


def page(*sequences: int | None, last: int = 9) -> dict[str, Any]:
    event = {
        "event": "object:created", "timestamp": "2026-01-01T00:00:00Z", "bucket": "b", "lake": "l", "pond": "p",
        "object": {"key": "k", "size": 1, "etag": "e", "contentType": "text/plain"}, "id": "evt", "reason": "PutObject",
        "principal": None, "requestId": None,
    }  # fmt: skip
    items = [event | {"sequence": sequence} for sequence in sequences]
    return {"items": items, "lastSequence": last, "firstSequence": 1}


def taken(after: int, document: dict[str, Any]) -> list[int]:
    return [event.sequence for event in FeedCursor("b", after, follow=True).take(decode(Feed, document))]


def test_what_goes_on_is_taken() -> None:
    assert taken(0, page(1, 2)) == [1, 2]
    assert taken(7, page(8, 9)) == [8, 9]
    assert taken(9, page()) == []


@pytest.mark.parametrize("sequences", [(9,), (8, 9, 11), (7,), (6, 7), (8, 8), (None,)])
def test_a_gap_and_a_repeat_are_told(sequences: tuple[int | None, ...]) -> None:
    with pytest.raises(UnexpectedAnswer, match="after 7"):
        taken(7, page(*sequences, last=12))


def test_a_log_that_ends_before_what_was_read_is_told() -> None:
    """As of a server that was restored from a backup: its new events would be passed over in silence."""
    with pytest.raises(UnexpectedAnswer, match="ends at 5, before 7"):
        taken(7, page(last=5))


Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A server that has too much to do, twice."""
    monkeypatch.setattr(sync_client, "AWAY_SECONDS", 0)
    monkeypatch.setattr(async_client, "AWAY_SECONDS", 0)
    answers = iter([httpx.Response(429), httpx.Response(429), httpx.Response(200, json=page(1))])
    return lambda _: next(answers)


def test_a_server_that_has_too_much_to_do_is_waited_for(busy: Answers) -> None:
    client = Client("http://busy.example", retries=0)
    client._http = httpx.Client(transport=httpx.MockTransport(busy))
    with pytest.raises(TooManyRequests):
        list(client.events("b", follow=False))
    assert next(client.events("b")).sequence == 1


async def test_the_other_client_waits_too(busy: Answers) -> None:
    client = AsyncClient("http://busy.example", retries=0)
    client._http = httpx.AsyncClient(transport=httpx.MockTransport(busy))
    assert (await anext(client.events("b"))).sequence == 1
