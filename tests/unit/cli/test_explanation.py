from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer, problem

PATH = "/v1/webhooks/wh_1/explain"


def item(
    sequence: int | None, key: str, refused_by: str | None = None, value: Any = None, error: str | None = None
) -> Any:
    return {
        "event": "object:created",
        "timestamp": "2026-01-02T03:04:05Z",
        "bucket": "b",
        "key": key,
        "sequence": sequence,
        "matches": refused_by is None,
        "refusedBy": refused_by,
        "value": value,
        "error": error,
    }


ANSWER = {
    "items": [
        item(3, "c", "where", {}, "there is no state"),
        item(2, "b", "filter.metadata", {"owner": None}),
        item(1, "photos/a"),
    ],
    "matching": 1,
    "missing": [998, 999],
}


def test_a_table_says_what_refuses_each(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = (200, ANSWER)
    result = run("webhook", "explain", "wh_1", "--bucket", "b", "--limit", "3", "--sequence", "1", "--sequence", "2")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "SEQUENCE"
    assert [line.split() for line in lines[1:]] == [
        ["3", "object:created", "c", "no", "where", "{}", "there", "is", "no", "state"],
        ["2", "object:created", "b", "no", "filter.metadata", '{"owner":', "null}", "-"],
        ["1", "object:created", "photos/a", "yes", "-", "-", "-"],
    ]
    assert result.stderr == "1 of 3 match.\nThe bucket's log has no event 998.\nThe bucket's log has no event 999.\n"
    assert server.bodies("POST") == [{"bucket": "b", "limit": 3, "sequences": [1, 2]}]


def test_json_is_the_answer(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = (200, ANSWER)
    assert json.loads(run("webhook", "explain", "wh_1", "--json").stdout) == ANSWER
    assert server.bodies("POST") == [{"limit": 20}]


def test_a_pond_s_webhook_needs_a_bucket(run: Run, server: RestServer) -> None:
    fault = [{"field": "bucket", "detail": "Name a bucket."}]
    server.refusals[PATH] = problem(422, "Unprocessable", "Name a bucket.", fault)
    result = run("webhook", "explain", "wh_1")
    assert result.exit_code == 1
    assert result.stderr == "elasticlake: bucket: Name a bucket (422)\n"


def test_an_answer_that_is_none(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = (200, {"matching": 0})
    result = run("webhook", "explain", "wh_1")
    assert result.exit_code == 1
    assert "no items" in result.stderr
