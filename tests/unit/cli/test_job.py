"""`elasticlake job …` and `elasticlake webhook replay|backfill|reconcile`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

from elasticlake.cli import job as job_commands
from elasticlake.cli.errors import ExitCode


def standing(status: str, **members: Any) -> dict[str, Any]:
    document = {"id": "job_1", "webhook": "wh_1", "kind": "replay", "status": status, "total": 4, "scanned": 0}
    counts = {"matched": 4, "sent": 0, "delivered": 0, "failed": 0, "skipped": 0}
    return {**document, **counts, "createdAt": "2026-01-02T03:04:05.678Z", "error": None, **members}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, server: RestServer) -> None:
    monkeypatch.setattr(job_commands, "LOOK_SECONDS", 0.01)
    server.looks = [standing("running"), standing("running", scanned=2), standing("completed", scanned=4, sent=4)]


def test_a_replay_is_what_its_options_say(run: Run, server: RestServer) -> None:
    options = [
        "--bucket", "b", "--from-sequence", "2", "--to-sequence", "9", "--prefix", "in/", "--event", "object:created",
        "--event", "object:deleted", "--only", "dead", "--rate-limit", "2.5", "--fresh-ids", "--no-follow",
    ]  # fmt: skip
    assert run("webhook", "replay", "wh_1", *options).exit_code == 0
    assert server.calls[0].path == "/v1/webhooks/wh_1/replay"
    assert server.bodies("POST") == [
        {
            "bucket": "b",
            "fromSequence": 2,
            "toSequence": 9,
            "prefix": "in/",
            "events": ["object:created", "object:deleted"],
            "only": "dead",
            "rateLimit": 2.5,
            "freshIds": True,
        }
    ]
    run(
        "webhook", "replay", "wh_1", "--since", "2026-01-02T03:00:00Z", "--until", "2026-01-02T04:00:00Z", "--no-follow"
    )
    assert server.bodies("POST")[1] == {"since": "2026-01-02T03:00:00Z", "until": "2026-01-02T04:00:00Z"}


def test_a_job_is_followed_to_its_end(run: Run, server: RestServer) -> None:
    answer = run("webhook", "replay", "wh_1", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["status"]) == (0, "completed")
    looks = [call.path for call in server.calls if call.path != "/v1/webhooks/wh_1"]
    assert looks == ["/v1/webhooks/wh_1/replay", "/v1/jobs/job_1", "/v1/jobs/job_1"]


@pytest.mark.parametrize(
    ("status", "line"),
    [("enabled", ""), ("disabled", "job_1 waits until the webhook is enabled: elasticlake webhook enable wh_1\n")],
)
def test_a_job_that_waits_for_its_webhook_says_so_once(run: Run, server: RestServer, status: str, line: str) -> None:
    server.put("webhooks", id="wh_1", status=status)
    server.looks = [standing("running")] * 3 + [standing("completed")]
    answer = run("webhook", "replay", "wh_1")
    assert (answer.exit_code, answer.stderr) == (0, line)


def test_a_bucket_that_is_missing_is_not_said_to_be_the_webhook(run: Run, server: RestServer) -> None:
    gone = {"type": "/v1/problems/no-such-bucket", "detail": "There is no bucket b."}
    for command in ("replay", "backfill", "reconcile", "explain"):
        server.refusals[f"/v1/webhooks/wh_1/{command}"] = (404, gone)
        assert run("webhook", command, "wh_1", "--bucket", "b").stderr == "elasticlake: There is no bucket b (404)\n"


def test_without_following_it_is_shown_as_it_was_made(run: Run, server: RestServer) -> None:
    answer = run("webhook", "backfill", "wh_1", "--prefix", "in/", "--no-follow", "--json")
    assert json.loads(answer.stdout)["status"] == "running"
    assert (server.bodies("POST"), len(server.calls)) == ([{"prefix": "in/"}], 1)


def test_a_dry_run_says_how_many(run: Run, server: RestServer) -> None:
    answer = run("webhook", "backfill", "wh_1", "--dry-run")
    assert answer.stdout == "7 events would be sent\n"
    assert server.bodies("POST") == [{"dryRun": True}]
    assert json.loads(run("webhook", "backfill", "wh_1", "--dry-run", "--json").stdout)["matched"] == 7
    server.refusals["/v1/webhooks/wh_1/replay"] = (200, {"matched": 1, "atLeast": True})
    assert run("webhook", "replay", "wh_1", "--dry-run").stdout == "at least 1 event would be sent\n"


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (standing("canceled"), "elasticlake: the job is canceled\n"),
        (standing("failed", error="It could not go on."), "elasticlake: the job is failed: It could not go on.\n"),
    ],
)
def test_a_job_that_does_not_complete_is_a_failure(
    run: Run, server: RestServer, end: dict[str, Any], line: str
) -> None:
    server.looks = [standing("running"), end]
    answer = run("job", "show", "job_1", "--follow")
    assert (answer.exit_code, answer.stderr) == (ExitCode.REFUSED, line)


def test_jobs_are_listed_shown_and_canceled(run: Run, server: RestServer) -> None:
    listed = run("job", "list", "--webhook", "wh_1", "--status", "running").stdout
    assert "job_1" in listed
    assert server.calls[0].query == {"webhook": "wh_1", "status": "running"}
    assert json.loads(run("job", "show", "job_1", "--json").stdout)["status"] == "running"
    assert json.loads(run("job", "cancel", "job_1", "--json").stdout)["status"] == "canceled"
    assert server.calls[-1].path == "/v1/jobs/job_1/cancel"


def test_what_was_not_acknowledged_is_a_table(run: Run, server: RestServer) -> None:
    named = {"bucket": "b", "event": "object:created", "timestamp": "2026-01-02T03:04:05.678Z"}
    server.unacknowledged = [
        {**named, "key": f"{number}.txt", "sequence": number, "state": "dead"} for number in (1, 2, 3)
    ]
    lines = run("webhook", "reconcile", "wh_1", "--bucket", "b", "--prefix", "in/").stdout.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[1:3] == ["1.txt", "1"]
    assert server.calls[0].query == {"bucket": "b", "prefix": "in/"}
