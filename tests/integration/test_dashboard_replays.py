"""A replay's form over HTTP: what has failed is one step from being sent again, and what starts is what was counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server
from tests.integration.visitor import Visitor, visiting


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server) as one:
        yield one


def failed(server: Server, s3: Any, bucket: str, receiver: Receiver, schedule: list[int], status: str) -> str:
    """A webhook that has not delivered two events, whose receiver is mended now."""
    receiver.answer = lambda _: 500
    body = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"], "retrySchedule": schedule}
    webhook = str(server.request("POST", "/v1/webhooks", body)["id"])
    for key in ("in/a", "out/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    listed = f"/v1/webhooks/{webhook}/deliveries?status={status}"
    eventually(lambda: len(server.request("GET", listed)["items"]) == 2)
    receiver.answer = lambda _: 200
    return webhook


def start_form(page: str) -> dict[str, str]:
    """What the button that starts sends."""
    (form,) = re.findall(r'<form[^>]+id="start".+?</form>', page, re.S)
    found = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found if name != "csrf"} | {"do": "start"}


@pytest.mark.parametrize(("status", "schedule"), [("retrying", [86_400]), ("dead", [])])
def test_all_that_failed_is_one_step_from_being_sent_again(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver, status: str, schedule: list[int]
) -> None:
    webhook = failed(server, s3, bucket, receiver, schedule, status)
    link = re.search(r'href="([^"]+)">Redeliver all failed since', visitor.get(f"/ui/webhooks/{webhook}").text)
    assert link is not None
    page = visitor.get(unescape(link[1])).text
    assert f'value="{status}" checked' in page
    assert (page.count(": 2 now"), page.count(": 0 now")) == (1, 1)
    assert "2 events</strong> would be sent" in page
    since = datetime.fromisoformat(start_form(page)["since"]).replace(tzinfo=UTC)
    assert timedelta(hours=23) < datetime.now(UTC) - since < timedelta(hours=25)
    assert visitor.post(f"/ui/webhooks/{webhook}/replay", start_form(page)).status_code == 303
    assert sorted(one.event["object"]["key"] for one in receiver.wait_for(4)[2:]) == ["in/a", "out/b"]


def test_what_is_started_is_what_was_counted(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = failed(server, s3, bucket, receiver, [], "dead")
    asked = {"do": "count", "only": "dead", "prefix": "in/", "events": "object:created", "freshIds": "yes"}
    page = visitor.post(f"/ui/webhooks/{webhook}/replay", asked).text
    assert "1 event</strong> would be sent" in page
    assert 'value="start" class="primary" form="start"' in page
    assert start_form(page) == {**asked, "do": "start"}
