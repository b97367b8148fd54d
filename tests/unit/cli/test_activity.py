from __future__ import annotations

import json

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import CREATED_AT, RestServer

ENTRY = {
    "id": 2,
    "time": CREATED_AT,
    "actor": {"kind": "token", "id": "tok_1"},
    "action": "webhook:changed",
    "subject": "wh_1",
    "account": "acme",
    "bucket": None,
    "detail": {"lake": "lake1", "fields": ["endpoint", "name"]},
    "requestId": "R1",
}


def test_a_line_each(run: Run, server: RestServer) -> None:
    server.activity = [ENTRY, {**ENTRY, "id": 1, "account": None, "detail": {}}]
    heading, first, second = run("activity").stdout.splitlines()
    assert heading.split() == ["TIME", "ACTOR", "ACTION", "SUBJECT", "ACCOUNT", "DETAIL"]
    assert first.split() == [
        CREATED_AT, "token:tok_1", "webhook:changed", "wh_1", "acme",
        "lake:", "lake1;", "fields:", "endpoint,", "name",
    ]  # fmt: skip
    assert second.split()[-2:] == ["-", "-"]
    assert json.loads(run("activity", "--json", "--limit", "1").stdout) == [ENTRY]


def test_what_is_asked_for_goes_along(run: Run, server: RestServer) -> None:
    asked = {
        "actor": "token:tok_1", "action": "webhook:", "subject": "wh_1", "since": CREATED_AT,
        "until": "2026-02-02T00:00:00Z",
    }  # fmt: skip
    run("activity", *(argument for name, value in asked.items() for argument in (f"--{name}", value)))
    assert server.calls[-1].query == asked
