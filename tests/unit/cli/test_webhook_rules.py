from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer
from tests.unit.cli.test_webhook import BUCKET, CREATE


def test_create_passes_the_rules_on(run: Run, server: RestServer) -> None:
    rules = [
        *("--prefix", "photos/", "--prefix", "films/", "--suffix", ".jpg", "--content-type", "image/*"),
        *("--min-size", "1", "--max-size", "1048576", "--metadata", "owner=ann", "--metadata", "note=a=b"),
        *("--where", "object.size > 5", "--rate-limit", "2.5", "--max-concurrency", "4"),
        *("--coalesce", "--include-metadata", "--format", "s3"),
        *("--batch", "100,500", "--include-url", "300"),
    ]
    assert run(*CREATE, "--bucket", BUCKET, *rules).exit_code == 0
    [body] = server.bodies("POST")
    assert body is not None
    assert {name: body[name] for name in body.keys() - {"bucket", "endpoint", "events"}} == {
        "filter": {
            "prefix": ["photos/", "films/"],
            "suffix": [".jpg"],
            "contentType": ["image/*"],
            "minSize": 1,
            "maxSize": 1048576,
            "metadata": {"owner": "ann", "note": "a=b"},
        },
        "where": "object.size > 5",
        "rateLimit": 2.5,
        "maxConcurrency": 4,
        "coalesce": True,
        "batch": {"maxEvents": 100, "maxWaitMs": 500},
        "includeMetadata": True,
        "includeUrl": 300,
        "format": "s3",
    }


@pytest.mark.parametrize(
    ("known", "options", "body"),
    [
        (None, ["--prefix", "a/"], {"filter": {"prefix": ["a/"]}}),
        (
            {"prefix": ["a/"], "suffix": [".b"], "contentType": [], "minSize": 0, "maxSize": None, "metadata": {}},
            ["--suffix", ".c", "--max-size", "9"],
            {"filter": {"prefix": ["a/"], "suffix": [".c"], "minSize": 0, "maxSize": 9}},
        ),
        ({"prefix": ["a/"], "minSize": 5}, ["--prefix", ""], {"filter": {"minSize": 5}}),
        ({"minSize": 5, "metadata": {"a": "b"}}, ["--min-size", "", "--metadata", ""], {"filter": {}}),
        (None, ["--where", "", "--rate-limit", "", "--no-coalesce"],
         {"where": None, "rateLimit": None, "coalesce": False}),
        (None, ["--batch", "", "--include-url", ""], {"batch": None, "includeUrl": None}),
        (None, ["--batch", "50"], {"batch": {"maxEvents": 50}}),
        (None, ["--event", "object:created,object:deleted", "--events", "object:updated"],
         {"events": ["object:created", "object:deleted", "object:updated"]}),
        ({"prefix": ["a/"]}, ["--format", "elasticlake"], {"format": "elasticlake"}),
    ],
)  # fmt: skip
def test_update_changes_what_is_named_and_nothing_else(
    run: Run, server: RestServer, known: dict[str, Any] | None, options: list[str], body: dict[str, Any]
) -> None:
    server.put("webhooks", id="wh_1", bucket=BUCKET, filter=known)
    assert run("webhook", "update", "wh_1", *options).exit_code == 0
    assert server.bodies("PATCH") == [body]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--min-size", "1MB"], "'1MB' is no number"),
        (["--max-size", "nan"], "'nan' is no number"),
        (["--rate-limit", "fast"], "'fast' is no number"),
        (["--max-concurrency", "x"], "'x' is no number"),
        (["--metadata", "owner"], "'owner' is no NAME=VALUE"),
        (["--metadata", "=x"], "is no NAME=VALUE"),
        (["--batch", "many"], "'many' is no MAX[,WAITMS]"),
        (["--batch", "100,"], "'100,' is no MAX[,WAITMS]"),
        (["--include-url", "5m"], "'5m' is no number"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(run: Run, server: RestServer, options: list[str], says: str) -> None:
    result = run(*CREATE, "--bucket", BUCKET, *options)
    assert result.exit_code == 2
    assert says in result.stderr
    assert options[0] in result.stderr
    assert server.calls == []
