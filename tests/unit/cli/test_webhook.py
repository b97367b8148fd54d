from __future__ import annotations

import json

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer, problem

from elasticlake.cli.table import fitted_widths
from elasticlake.cli.webhook import COLUMNS

BUCKET = "lake1--pond1--my-bucket"
ENDPOINT = "https://myapp.test/webhooks/storage"
CREATE = ["webhook", "create", "--endpoint", ENDPOINT, "--event", "object:created", "--event", "object:deleted"]


def test_create_sends_the_founding_page_s_body(run: Run, server: RestServer) -> None:
    assert run(*CREATE, "--bucket", BUCKET, "--secret", "my-webhook-secret").exit_code == 0
    assert server.bodies("POST") == [
        {
            "bucket": BUCKET,
            "endpoint": ENDPOINT,
            "events": ["object:created", "object:deleted"],
            "secret": "my-webhook-secret",
        }
    ]


def test_which_webhook_it_is_comes_first(run: Run, server: RestServer) -> None:
    rules = {"timeout": 30, "status": "enabled", "endpoint": ENDPOINT, "name": "mine", "id": "wh_1", "secret": "s"}
    server.refusals["/v1/webhooks"] = (201, rules)
    server.refusals["/v1/webhooks/wh_1"] = (200, rules)
    server.refusals["/v1/webhooks/wh_1/rotate"] = (200, rules)
    server.refusals["/v1/webhooks/wh_1/promote"] = (200, rules)
    of_one = (["webhook", verb, "wh_1"] for verb in ("enable", "show", "rotate", "promote"))
    for command in ([*CREATE, "--bucket", BUCKET], *of_one):
        labels = [line.split()[0] for line in run(*command).stdout.splitlines()]
        assert labels[:5] == ["id", "name", "endpoint", "status", "timeout"]


def test_how_it_stands_is_a_part_of_its_own(run: Run, server: RestServer) -> None:
    standing = {"delivered": 12, "dead": 0, "breaker": {"state": "open", "probeAt": "2026-01-02T03:04:05.678Z"}}
    server.refusals["/v1/webhooks/wh_1"] = (200, {"id": "wh_1", "standing": standing, "where": None})
    assert run("webhook", "show", "wh_1").stdout.splitlines() == [
        "id     wh_1",
        "where  -",
        "",
        "Standing",
        "delivered  12",
        "dead       0",
        "breaker    state: open; probe at: 2026-01-02T03:04:05.678Z",
    ]
    assert json.loads(run("webhook", "show", "wh_1", "--json").stdout)["standing"] == standing


def test_create_with_every_rule(run: Run, server: RestServer) -> None:
    rules = "--retry-schedule 1,2.5,30 --timeout 10 --ordering bucket --on-dead pause --name mine"
    assert run(*CREATE, "--lake", "lake1", *rules.split()).exit_code == 0
    [body] = server.bodies("POST")
    assert body is not None
    assert (body["lake"], body["retrySchedule"], body["timeoutSeconds"]) == ("lake1", [1, 2.5, 30], 10)
    assert (body["ordering"], body["onDead"], body["name"]) == ("bucket", "pause", "mine")


def test_show_begins_with_what_a_webhook_is_known_by(run: Run, server: RestServer) -> None:
    document = {"account": "root", "status": "enabled", "endpoint": ENDPOINT, "name": "mine", "id": "wh_9"}
    server.refusals["/v1/webhooks/wh_9"] = (200, document)
    shown = [line.split()[0] for line in run("webhook", "show", "wh_9").stdout.splitlines()]
    assert shown == ["id", "name", "endpoint", "status", "account"]


def test_a_generated_secret_is_shown_with_a_hint(run: Run, server: RestServer) -> None:
    document = {"id": "wh_1", "bucket": BUCKET, "secret": "whsec_abc"}
    server.refusals["/v1/webhooks"] = (201, document)
    created = run(*CREATE, "--bucket", BUCKET)
    assert "secret  whsec_abc" in created.stdout.splitlines()
    assert created.stderr == "Keep the secret now: it is not shown again.\n"
    assert json.loads(run(*CREATE, "--bucket", BUCKET, "--json").stdout) == document


@pytest.mark.parametrize("scope", [[], ["--bucket", BUCKET, "--lake", "lake1"]])
def test_create_needs_exactly_one_scope(run: Run, server: RestServer, scope: list[str]) -> None:
    result = run(*CREATE, *scope)
    assert result.exit_code == 2
    assert "exactly one of --bucket, --pond and --lake" in result.stderr
    assert server.calls == []


@pytest.mark.parametrize("schedule", ["soon", "1,x", "nan", "1,inf"])
def test_a_schedule_is_a_list_of_seconds(run: Run, server: RestServer, schedule: str) -> None:
    result = run(*CREATE, "--bucket", BUCKET, "--retry-schedule", schedule)
    assert result.exit_code == 2
    assert "list of seconds" in result.stderr
    assert server.calls == []


def test_field_errors_are_shown_by_field(run: Run, server: RestServer) -> None:
    errors = [{"field": "endpoint", "detail": "It must be https."}, {"field": "events", "detail": "Unknown."}]
    server.refusals["/v1/webhooks"] = problem(422, "Unprocessable", "Two fields are wrong.", errors)
    result = run(*CREATE, "--bucket", BUCKET)
    assert result.exit_code == 1
    assert result.stderr == "elasticlake: endpoint: It must be https; events: Unknown (422)\n"


def test_list_has_one_column_for_the_scope(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1", bucket=BUCKET, endpoint=ENDPOINT, events=["object:created"])
    server.put("webhooks", id="wh_2", lake="lake1", endpoint=ENDPOINT, events=["object:created", "object:deleted"])
    lines = run("webhook", "list", "--bucket", BUCKET).stdout.splitlines()
    assert f"wh_1     bucket {BUCKET}  {ENDPOINT}  object:created " in lines[1]
    assert "object:created, object:deleted  enabled" in lines[2]
    assert server.calls[0].query == {"bucket": BUCKET}


def test_list_on_a_terminal_of_80_columns_keeps_what_one_copies() -> None:
    widths = [len("wh_aoxc2sqrq4dpcpsb"), len(f"bucket {BUCKET}"), len(ENDPOINT), 30, len("disabled"), 20]
    shown = fitted_widths(list(COLUMNS.values()), widths, 80)
    assert {list(COLUMNS)[index]: width for index, width in shown.items()} == {
        "WEBHOOK": 19,
        "SCOPE": 30,
        "ENDPOINT": 17,
        "STATUS": 8,
    }


def test_show_and_delete(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1", bucket=BUCKET)
    assert json.loads(run("webhook", "show", "wh_1", "--json").stdout) == server.items["/v1/webhooks"]["wh_1"]
    assert run("webhook", "delete", "wh_1").stdout == "deleted webhook wh_1\n"
    gone = run("webhook", "show", "wh_1")
    assert (gone.exit_code, gone.stderr) == (1, "elasticlake: no such webhook wh_1 (404)\n")


def test_update_sends_the_changes_alone(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    assert run("webhook", "update", "wh_1", "--endpoint", ENDPOINT, "--retry-schedule", "").exit_code == 0
    assert run("webhook", "update", "wh_1", "--event", "object:deleted", "--name", "").exit_code == 0
    assert server.bodies("PATCH") == [
        {"retrySchedule": [], "endpoint": ENDPOINT},
        {"name": "", "events": ["object:deleted"]},
    ]


def test_update_of_nothing_is_wrong_usage(run: Run, server: RestServer) -> None:
    assert run("webhook", "update", "wh_1").exit_code == 2
    assert server.calls == []


def test_enable_and_disable(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    for arguments in (["disable", "wh_1"], ["enable", "wh_1"], ["enable", "wh_1", "--resume", "now"]):
        assert run("webhook", *arguments).exit_code == 0
    assert server.bodies("PATCH") == [
        {"status": "disabled"},
        {"status": "enabled"},
        {"status": "enabled", "resume": "now"},
    ]


def attempted(status: str, **attempt: object) -> dict[str, object]:
    return {"status": status, "attemptLog": [{"attempt": 1, "errorClass": None, "error": None, **attempt}]}


def test_test_says_that_it_was_delivered(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    server.outcome = attempted("delivered", statusCode=204)
    sent = run("webhook", "test", "wh_1", "--wait", "2")
    assert server.calls[0].query == {"wait": "2"}
    assert (sent.exit_code, sent.stderr) == (0, "")
    assert sent.stdout.endswith("\nDelivered: 204 No Content.\n")
    assert "generation" not in sent.stdout


@pytest.mark.parametrize("status", ["retrying", "dead"])
def test_test_that_fails_says_why_and_where_to_look(run: Run, server: RestServer, status: str) -> None:
    server.put("webhooks", id="wh_1")
    error = "[Errno 111] Connect call failed ('127.0.0.1', 5000)"
    server.outcome = attempted(status, statusCode=None, errorClass="connect", error=error)
    sent = run("webhook", "test", "wh_1")
    assert sent.exit_code == 1
    assert sent.stderr == (
        "See its attempts: elasticlake webhook delivery dlv_new\n"
        "elasticlake: not delivered: connect: connection refused by 127.0.0.1:5000\n"
    )
    for_machines = run("webhook", "test", "wh_1", "--json")
    assert for_machines.exit_code == 1
    assert json.loads(for_machines.stdout)["attemptLog"][0]["errorClass"] == "connect"


def test_test_without_an_outcome_yet(run: Run, server: RestServer) -> None:
    server.put("webhooks", id="wh_1")
    sent = run("webhook", "test", "wh_1", "--wait", "2")
    assert sent.exit_code == 1
    assert "status   pending" in sent.stdout.splitlines()
    assert sent.stderr.endswith("elasticlake: not delivered within 2 s: it is pending\n")
    assert run("webhook", "test", "wh_1", "--wait", "0").exit_code == 0
