from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

NOTHING = {"attempts": 0, "delivered": 0, "failed": 0, "failures": {}, "successRatio": None, "p95Ms": None}
SOME = {"attempts": 4, "delivered": 3, "failed": 1, "failures": {"5xx": 1}, "successRatio": 0.75, "p95Ms": 14.75}
ANSWER: dict[str, Any] = {
    "since": "2026-01-02T02:00:00.000Z",
    "until": "2026-01-02T04:00:00.000Z",
    "step": "1h",
    "steps": [{"start": "2026-01-02T02:00:00.000Z", **NOTHING}, {"start": "2026-01-02T03:00:00.000Z", **SOME}],
    "totals": SOME,
}


@pytest.fixture(autouse=True)
def _answer(server: RestServer) -> None:
    server.refusals["/v1/webhooks/wh_1/statistics"] = (200, ANSWER)


def test_totals_come_before_the_steps_in_which_something_happened(run: Run, server: RestServer) -> None:
    lines = run("webhook", "statistics", "wh_1").stdout.splitlines()
    assert "success ratio  75.00%" in lines
    assert "failures       5xx: 1" in lines
    heading = next(index for index, line in enumerate(lines) if line.startswith("START"))
    assert [line.split()[0] for line in lines[heading + 1 :]] == ["2026-01-02T03:00:00.000Z"]
    assert server.calls[0].query == {}


def test_time_and_step_are_asked_for(run: Run, server: RestServer) -> None:
    options = ["--since", "2026-01-02T02:00:00Z", "--until", "2026-01-02T04:00:00Z", "--step", "5m"]
    run("webhook", "statistics", "wh_1", *options)
    assert server.calls[0].query == {"since": options[1], "until": options[3], "step": "5m"}


def test_machines_get_the_document(run: Run) -> None:
    assert json.loads(run("webhook", "statistics", "wh_1", "--json").stdout) == ANSWER
