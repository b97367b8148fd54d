"""A stream of a page's pieces: when it looks, what it sends, and when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from elasticlake.dashboard import live
from elasticlake.errors import NoSuchWebhook


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(live, "PING_SECONDS", 0.0)


def looks(*answers: str | Exception) -> tuple[Callable[[], AsyncIterator[str]], Callable[[], bool]]:
    """A `look` that answers one after the other, and whether it has come to its end."""
    left = list(answers)

    async def look() -> str:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look, lambda: not left


async def sent(response: live.Live) -> list[str]:
    return [str(chunk) async for chunk in response.body_iterator]


async def test_news_are_frames_with_a_line_for_each_line() -> None:
    look, is_over = looks("<tr>\n</tr>", "")
    chunks = await sent(live.Live(look, is_over, "<p>"))
    assert chunks == ["retry: 1000\n\ndata: <p>\n\n", "data: <tr>\ndata: </tr>\n\n", ": ping\n\n"]


async def test_it_ends_when_what_it_shows_is_gone() -> None:
    look, is_over = looks("a", NoSuchWebhook(), "b")
    chunks = await sent(live.Live(look, is_over))
    assert chunks == ["retry: 1000\n\n", "data: a\n\n"]


async def test_it_ends_with_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.0)
    look, is_over = looks("a")
    assert await sent(live.Live(look, is_over)) == ["retry: 1000\n\n"]


async def test_a_server_that_stops_does_not_wait_for_it() -> None:
    scope: dict[str, object] = {"type": "http"}
    messages = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        messages.append(message)

    look, is_over = looks()
    await live.Live(look, is_over)(scope, receive, send)
    assert scope["state"] == {"is_stream": True}
