from __future__ import annotations

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer, problem

PATH = "/v1/buckets/b/events"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "exactly one of --bucket, --pond and --lake"),
        (["--bucket", "b", "--lake", "l"], "exactly one of --bucket, --pond and --lake"),
        (["--pond", "lake1"], "'lake1' is no pond"),
        (["--bucket", "b", "--events", "object:created,x"], "'x' is none of object:created"),
        (["--bucket", "b", "--after", "x"], "'x' is no sequence"),
        (["--bucket", "b", "--secret", "s"], "give --forward-to as well"),
        (["--bucket", "b", "--event", "object:created", "--event", "y"], "'y' is none of object:created"),
        (["--bucket", "b", "--forward-to", "example.com/hook"], "Write http://localhost:3000/hook for this machine"),
        (["--bucket", "b", "--forward-to", "ftp://localhost/"], "Write http://localhost:3000/hook for this machine"),
        (["--bucket", "b", "--forward-to", "localhost:3000/hook?to=http://a/", "--secret", ""], "must not be empty"),
        (["--bucket", "b", "--forward-to", "[::1]:3000", "--secret", ""], "must not be empty"),
        (["--bucket", "b", "--forward-to", "http://a/", "--secret", "whsec_x"], "padded base64"),
        (["--bucket", "b", "--forward-to", "http://a/", "--secret", ""], "must not be empty"),
    ],
)
def test_a_wrong_command_line_is_said_before_anything_is_asked(
    run: Run, server: RestServer, arguments: list[str], expected: str
) -> None:
    result = run("listen", *arguments)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.split())
    assert server.calls == []


def test_a_missing_bucket(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = problem(404, "Not Found", "It does not exist.")
    result = run("listen", "--bucket", "b")
    assert (result.exit_code, result.stderr) == (1, "elasticlake: no such bucket b (404)\n")
    (call,) = server.calls
    assert (call.headers["accept"], call.query) == ("text/event-stream", {})


def test_expired_events_say_where_the_log_begins(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = (410, {"title": "Gone", "status": 410, "firstSequence": 9})
    result = run("listen", "--bucket", "b", "--after", "3")
    assert result.exit_code == 1
    assert "read on with --after 8" in result.stderr
    assert server.calls[0].query == {"after": "3"}


def test_a_server_that_cannot_answer_at_the_start(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = problem(503, "Unavailable", "Not now.")
    assert run("listen", "--bucket", "b").exit_code == 3


def test_a_server_that_streams_nothing(run: Run, server: RestServer) -> None:
    server.refusals[PATH] = (200, {"items": []})
    result = run("listen", "--bucket", "b")
    assert result.exit_code == 1
    assert "without a stream" in result.stderr
