"""The dashboard offers what its viewer may do, and nothing that would come to nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from tests.engines import NewMetadata
from tests.integration.conftest import s3_client
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server
from tests.integration.visitor import Visitor, visiting

BUCKET = "lake1--pond1--my-bucket"
SETTINGS = f"/ui/buckets/{BUCKET}/settings"
START = f"/ui/start?bucket={BUCKET}"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("offers") / "data", metadata=new_metadata()).start()
    s3_client(running, ACCESS_KEY, SECRET_KEY).create_bucket(Bucket=BUCKET)
    yield running
    running.close()


@pytest.fixture(scope="module")
def visitor(dashboard: Server) -> Iterator[Visitor]:
    with visiting(dashboard) as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def reader(dashboard: Server) -> Iterator[Visitor]:
    """Whose key may read and list in one bucket."""
    scope = {"buckets": [BUCKET], "permissions": ["read", "list"]}
    key = dashboard.request("POST", "/v1/accounts/root/keys", {"scope": scope})
    with visiting(dashboard, signed_in=False) as visitor:
        assert visitor.sign_in(key["secretAccessKey"], key["accessKeyId"]).status_code == 303
        yield visitor


def shown(visitor: Visitor, path: str) -> str:
    return html.unescape(visitor.get(path).text)


def test_a_bucket_s_settings_are_only_looked_at(visitor: Visitor, reader: Visitor) -> None:
    for path in (SETTINGS, f"{SETTINGS}/access"):
        assert f"{SETTINGS}/webhooks" in shown(visitor, path)
        page = shown(reader, path)
        assert f"{SETTINGS}/webhooks" not in page
        assert "to change them it lacks the permission admin" in page
    access = shown(reader, f"{SETTINGS}/access")
    assert "<fieldset disabled>" in access
    assert ">Save<" not in access
    assert "/ui/keys" not in access


def test_who_may_not_write_is_offered_no_upload(visitor: Visitor, reader: Visitor) -> None:
    page = shown(reader, START)
    assert "This access key may not upload here." in page
    assert "Upload hello.txt" not in page
    assert "Upload hello.txt" in shown(visitor, START)


def test_the_form_of_a_webhook_is_refused_at_once(visitor: Visitor, reader: Visitor) -> None:
    for path in ("/ui/webhooks/new", f"/ui/webhooks/new?bucket={BUCKET}"):
        assert visitor.get(path).status_code == 200
        refused = reader.get(path)
        assert refused.status_code == 403
        assert "lacks the permission admin" in refused.text


def test_a_key_for_no_bucket_is_asked_about(dashboard: Server, visitor: Visitor) -> None:
    keys = len(dashboard.request("GET", "/v1/accounts/root/keys")["items"])
    fields = {"account": "root", "scope.permissions": "read", "scope.buckets": f"{BUCKET}\nmy-bucket\nnew-bucket"}
    asked = visitor.post("/ui/keys", fields)
    page = html.unescape(asked.text)
    assert asked.status_code == 422
    assert f"There is no bucket my-bucket; did you mean {BUCKET}?" in page
    assert "There is no bucket new-bucket." in page
    assert "Make it all the same" in page
    assert len(dashboard.request("GET", "/v1/accounts/root/keys")["items"]) == keys
    assert visitor.post("/ui/keys", {**fields, "anyway": "yes"}).status_code == 303
    assert len(dashboard.request("GET", "/v1/accounts/root/keys")["items"]) == keys + 1


def test_a_developer_is_told_that_this_machine_is_an_endpoint_too(visitor: Visitor) -> None:
    assert "A program on this machine works too: http://localhost:5000/hook" in shown(visitor, "/ui/webhooks/new")


def test_after_a_restart_nothing_pretends_that_events_are_caught(dashboard: Server, visitor: Visitor) -> None:
    disabled = " disabled>Upload hello.txt<"
    assert disabled in shown(visitor, START)  # the webhook comes first
    visitor.post("/ui/start/webhook", {"bucket": BUCKET})
    (webhook,) = dashboard.request("GET", "/v1/webhooks")["items"]
    assert disabled not in shown(visitor, START)
    dashboard.stop()
    dashboard.start()
    page = shown(visitor, START)
    assert f"/ui/webhooks/{webhook['id']}" in page
    assert "nobody listens at its endpoint any more" in page
    assert ">Make the webhook<" in page
    assert disabled in page
    visitor.post("/ui/start/upload", {"bucket": BUCKET, "text": "x"})
    assert "nobody catches the event: make the webhook" in shown(visitor, START)
    visitor.post("/ui/start/webhook", {"bucket": BUCKET})
    visitor.post("/ui/start/upload", {"bucket": BUCKET, "text": "y"})
    page = shown(visitor, START)
    assert disabled not in page
    assert 'See it arrive<span class="unseen"> (done)' in page
    assert [one["id"] for one in dashboard.request("GET", "/v1/webhooks")["items"]] == [webhook["id"]]
