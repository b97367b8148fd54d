from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

from elasticlake.model.webhooks import DeliveryStatus

ATTEMPTS = [
    {"attempt": 1, "startedAt": "2026-01-02T03:04:05.000Z", "durationMs": 30000, "statusCode": None,
     "errorClass": "timeout", "error": "no answer in time", "nextAttemptAt": "2026-01-02T03:04:40.000Z"},
    {"attempt": 2, "startedAt": "2026-01-02T03:04:40.000Z", "durationMs": 12, "statusCode": 500,
     "errorClass": "status", "error": "the receiver answered 500", "nextAttemptAt": None,
     "responseBody": "first line\nesc\x1b[31mred"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _deliveries(server: RestServer) -> None:
    for number, status in enumerate(["delivered", "dead", "dead", "dead"]):
        name = f"dlv_{number}"
        log: dict[str, Any] = {"attemptLog": ATTEMPTS} if number == 1 else {"attemptLog": []}
        server.deliveries[name] = {
            "id": name,
            "webhook": "wh_1",
            "status": status,
            "key": f"{number}.txt",
            "generation": 0,
            "lastStatusCode": 200 + number,
            "kind": "replay",
            **log,
        }


def test_deliveries_by_status_through_every_page(run: Run, server: RestServer) -> None:
    listed = json.loads(run("webhook", "deliveries", "wh_1", "--status", "dead", "--json").stdout)
    assert [delivery["id"] for delivery in listed] == ["dlv_1", "dlv_2", "dlv_3"]
    assert server.calls[0].query == {"status": "dead"}
    assert len(run("webhook", "deliveries", "wh_1").stdout.splitlines()) == 5


def test_a_list_says_what_came_last_and_why_it_was_sent(run: Run) -> None:
    headings, *rows = (line.split() for line in run("webhook", "deliveries", "wh_1").stdout.splitlines())
    last = dict(zip(headings, rows[-1], strict=True))
    assert (last["DELIVERY"], last["ANSWER"], last["KIND"]) == ("dlv_3", "203", "replay")


def test_deliveries_are_searched_by_what_the_options_say(run: Run, server: RestServer) -> None:
    options = {
        "--event": "object:created",
        "--key": "a b/ü.txt",
        "--key-prefix": "a b/",
        "--status-code": "5xx",
        "--since": "2026-01-02T03:00:00+01:00",
        "--until": "2026-01-02T04:00:00Z",
    }
    run("webhook", "deliveries", "wh_1", *(part for option in options.items() for part in option))
    assert list(server.calls[0].query.values()) == list(options.values())
    assert list(server.calls[0].query) == ["event", "key", "keyPrefix", "statusCode", "since", "until"]


def test_a_delivery_shows_its_attempts_and_their_answers(run: Run) -> None:
    shown = run("webhook", "delivery", "dlv_1").stdout
    assert "status            dead" in shown.splitlines()
    assert "timeout: no answer in time  " in shown
    assert "  500 Internal Server Error  " in shown
    assert shown.endswith("\nAnswer to attempt 2\n  first line\n  esc\\x1b[31mred\n")
    assert "attempt log" not in shown
    assert "generation" not in shown


def test_every_status_is_in_the_help(run: Run) -> None:
    help_text = run("webhook", "deliveries", "--help").stdout
    for status in get_args(DeliveryStatus):
        assert status in help_text


def test_a_delivery_is_whole_for_machines(run: Run, server: RestServer) -> None:
    assert json.loads(run("webhook", "delivery", "dlv_1", "--json").stdout) == server.deliveries["dlv_1"]


def test_a_delivery_without_attempts(run: Run) -> None:
    assert "Attempts" not in run("webhook", "delivery", "dlv_2").stdout


def test_redeliver(run: Run, server: RestServer) -> None:
    assert json.loads(run("webhook", "redeliver", "dlv_1", "--json").stdout)["id"] == "dlv_new"
    assert server.calls[0].path == "/v1/deliveries/dlv_1/redeliver"
    assert "elasticlake webhook delivery dlv_new" in run("webhook", "redeliver", "dlv_1").stderr
    assert run("webhook", "redeliver", "dlv_9").stderr == "elasticlake: no such delivery dlv_9 (404)\n"
