"""What others tell through the database."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from structlog.testing import capture_logs
from tests.proxy import Proxy
from tests.unit.metadata.postgres.conftest import end_sessions

from elasticlake.metadata.database import Committed
from elasticlake.metadata.postgres import notifications
from elasticlake.metadata.postgres.notifications import CHANNEL, listen

PATIENCE_SECONDS = 20.0


async def test_what_is_not_understood_says_that_something_changed(url: str) -> None:
    """As from a node of another version."""
    heard = asyncio.Queue[Committed]()
    listening = asyncio.create_task(listen(url, heard.put_nowait))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await heard.get() == {}
        with psycopg.connect(url, autocommit=True) as connection:
            for payload in ("hello", "[1]", '{"a": 1}', '{"1": null}', "null", ""):
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
                assert await heard.get() == {}, payload
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, '{"1": 3}'))
            assert await heard.get() == {1: 3}
    listening.cancel()
    assert end_sessions(url) <= 1


async def test_an_outage_is_told_when_it_begins_and_when_it_ends(
    far_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "RECONNECT_SECONDS", 0.01)
    heard = asyncio.Queue[Committed]()
    with capture_logs() as logs:
        listening = asyncio.create_task(listen(far_url, heard.put_nowait))
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await heard.get() == {}
            proxy.refuse()
            proxy.reset_all()
            # For several tries in vain.
            await asyncio.sleep(0.3)
            proxy.accept()
            assert await heard.get() == {}
        listening.cancel()
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("not connected to the database's notifications", "warning"),
        ("connected to the database's notifications again", "info"),
    ]
