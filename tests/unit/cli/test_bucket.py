from __future__ import annotations

import json

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import RestServer

BUCKET = "lake1--pond1--my-bucket"


def test_create(run: Run, server: RestServer) -> None:
    assert run("bucket", "create", BUCKET, "--acl", "public-read", "--account", "acme").exit_code == 0
    assert server.bodies("POST") == [{"bucket": BUCKET, "account": "acme", "acl": "public-read"}]


def test_list_filters_on_the_server(run: Run, server: RestServer) -> None:
    server.put("buckets", bucket=BUCKET)
    listed = json.loads(run("bucket", "list", "--lake", "lake1", "--pond", "lake1--pond1", "--json").stdout)
    assert [bucket["bucket"] for bucket in listed] == [BUCKET]
    assert server.calls[0].query == {"lake": "lake1", "pond": "lake1--pond1"}


def test_acl_show_delete(run: Run, server: RestServer) -> None:
    server.put("buckets", bucket=BUCKET)
    assert run("bucket", "acl", BUCKET, "public-read").exit_code == 0
    assert server.bodies("PATCH") == [{"acl": "public-read"}]
    assert json.loads(run("bucket", "show", BUCKET, "--json").stdout)["acl"] == "public-read"
    assert run("bucket", "delete", BUCKET).stdout == f"deleted bucket {BUCKET}\n"
    assert run("bucket", "delete", BUCKET).stderr == f"elasticlake: no such bucket {BUCKET} (404)\n"


@pytest.mark.parametrize(
    ("name", "lake", "warned"),
    [("lake1--my-bucket", "default", True), ("my-bucket", "default", False), (BUCKET, "lake1", False)],
)
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_name_that_only_looks_hierarchical_is_warned_about(
    run: Run, server: RestServer, name: str, lake: str, warned: bool, option: list[str]
) -> None:
    pond = "default" if lake == "default" else "pond1"
    server.refusals["/v1/buckets"] = (201, {"bucket": name, "lake": lake, "pond": pond})
    made = run("bucket", "create", name, *option)
    warning = (
        f"{name} is a plain name: the bucket lies in lake default, pond default. "
        "Hierarchical names are LAKE--POND--BUCKET.\n"
    )
    assert (made.exit_code, made.stderr) == (0, warning if warned else "")


def test_the_help_says_what_public_read_means(run: Run) -> None:
    help_text = " ".join(run("bucket", "acl", "--help").stdout.split())
    assert "lets anyone list the bucket; objects keep their own ACL" in help_text


def test_who_was_told_of_an_object(run: Run, server: RestServer) -> None:
    delivery = {"id": "dlv_1", "webhook": "wh_1", "sequence": 7, "status": "delivered", "lastStatusCode": 200}
    server.refusals["/v1/buckets/b/deliveries"] = (200, {"items": [delivery], "nextCursor": None})
    lines = run("bucket", "deliveries", "b", "a b/ü.txt").stdout.splitlines()
    assert [line.split()[:3:2] for line in lines] == [["SEQUENCE", "WEBHOOK"], ["7", "wh_1"]]
    assert server.calls[0].query == {"key": "a b/ü.txt"}


def test_what_lies_under_a_prefix(run: Run, server: RestServer) -> None:
    server.refusals["/v1/buckets/b/size"] = (200, {"objects": 2, "bytes": 3, "isMore": False})
    lines = run("bucket", "size", "b", "--prefix", "a b/").stdout.splitlines()
    assert [line.split() for line in lines] == [["objects", "2"], ["bytes", "3"]]
    assert server.calls[0].query == {"prefix": "a b/"}
    server.refusals["/v1/buckets/b/size"] = (200, {"objects": 10000, "bytes": 3, "isMore": True})
    assert run("bucket", "size", "b").stdout.splitlines()[-1].split() == ["is", "more", "yes"]
