"""What the founding page shows its readers works as written."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import flask
import pytest
import standardwebhooks
from boto3.s3.transfer import TransferConfig
from tests.engines import NewMetadata
from tests.integration import founding_page
from tests.integration.conftest import s3_client
from tests.integration.receiver import Received, eventually
from tests.integration.server import ACCESS_KEY, API_TOKEN, Server
from werkzeug.serving import make_server

pytestmark = pytest.mark.both_engines

BUCKET = "lake1--pond1--my-bucket"
SECRET = "my-webhook-secret"
MIB = 1024 * 1024

PAGE_FIELDS = list(json.loads(founding_page.PAYLOAD))
PAGE_OBJECT_FIELDS = list(json.loads(founding_page.PAYLOAD)["object"])


class PageApp(NamedTuple):
    """The page's Flask handler, listening, and what came to it and was answered."""

    url: str
    requests: list[Received]
    answers: list[int]
    failing: list[int]
    """Statuses to answer, one a request, before the handler itself is asked."""


@pytest.fixture
def page_app() -> Iterator[PageApp]:
    app = flask.Flask("page")
    seen = PageApp("", [], [], [])

    @app.before_request
    def keep() -> Any:
        headers = {name.lower(): value for name, value in flask.request.headers.items()}
        seen.requests.append(Received(flask.request.path, headers, flask.request.get_data()))
        return ("not now", seen.failing.pop(0)) if seen.failing else None

    @app.after_request
    def note(response: flask.Response) -> flask.Response:
        seen.answers.append(response.status_code)
        return response

    exec(founding_page.RECEIVE, {"app": app, "request": flask.request, "WEBHOOK_SECRET": SECRET})
    http = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield seen._replace(url=f"http://127.0.0.1:{http.server_port}/webhooks/storage")
    http.shutdown()


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    """A server with the page's lake (`production`), pond (`documents`) and bucket."""
    server = Server(tmp_path_factory.mktemp("page") / "data", metadata=new_metadata()).start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    assert server.request("PATCH", "/v1/lakes/lake1", {"name": "production"})["name"] == "production"
    assert server.request("PATCH", "/v1/lakes/lake1/ponds/pond1", {"name": "documents"})["name"] == "documents"
    yield server
    server.close()


def register(server: Server, endpoint: str = "") -> dict[str, Any]:
    """Run the page's call with its URL and token replaced, and its endpoint if one is given; returns what it made."""
    source = founding_page.REGISTER.replace("https://api.elasticlake.com", server.url)
    source = source.replace("YOUR_TOKEN", API_TOKEN)
    if endpoint:
        source = source.replace("https://myapp.com/webhooks/storage", endpoint)
    names: dict[str, Any] = {}
    exec(source, names)
    assert names["response"].status_code == 201, names["response"].text
    made: dict[str, Any] = names["response"].json()
    return made


@pytest.fixture
def webhook(page_server: Server, page_app: PageApp) -> Iterator[dict[str, Any]]:
    """The page's webhook at the page's handler, for all four kinds of events and with a short patience."""
    made = register(page_server, page_app.url)
    changes = {
        "events": ["object:created", "object:updated", "object:deleted", "multipart:completed"],
        "retrySchedule": [0.2, 0.2],
    }
    yield page_server.request("PATCH", f"/v1/webhooks/{made['id']}", changes)
    page_server.request("DELETE", f"/v1/webhooks/{made['id']}")


def test_the_registration_call_answers_201(page_server: Server) -> None:
    made = register(page_server)
    assert re.fullmatch(r"wh_\w+", made["id"])
    assert made["bucket"] == BUCKET
    assert made["endpoint"] == "https://myapp.com/webhooks/storage"
    assert made["events"] == ["object:created", "object:deleted"]
    assert made["status"] == "enabled"
    assert SECRET not in json.dumps(made)
    page_server.request("DELETE", f"/v1/webhooks/{made['id']}")


def require_page_shape(event: dict[str, Any]) -> None:
    """The page's fields come first, in its order and with its types; ours follow."""
    assert list(event)[: len(PAGE_FIELDS)] == PAGE_FIELDS
    assert list(event["object"]) == PAGE_OBJECT_FIELDS
    ours = ["id", "sequence", "reason", *(["previous"] if "previous" in event else []), "principal", "requestId"]
    assert list(event)[len(PAGE_FIELDS) :] == ours
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["timestamp"])
    assert (event["bucket"], event["lake"], event["pond"]) == (BUCKET, "production", "documents")
    assert type(event["object"]["size"]) is int
    assert re.fullmatch(r"evt_\w+", event["id"])
    assert event["principal"] == ACCESS_KEY
    assert event["requestId"]


def multipart_etag(*parts: bytes) -> str:
    return hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest() + f"-{len(parts)}"


def test_the_handler_accepts_the_four_events_and_every_field_is_right(
    page_server: Server, page_app: PageApp, webhook: dict[str, Any]
) -> None:
    s3 = s3_client(page_server)
    first, second, large = b"%PDF first", b"%PDF the second", bytes(range(256)) * (6 * MIB // 256)
    s3.put_object(Bucket=BUCKET, Key="uploads/document.pdf", Body=first, ContentType="application/pdf")
    s3.put_object(Bucket=BUCKET, Key="uploads/document.pdf", Body=second, ContentType="application/pdf")
    s3.delete_object(Bucket=BUCKET, Key="uploads/document.pdf")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="größe ü/視訊.mp4", ContentType="video/mp4")
    at = {"Bucket": BUCKET, "Key": "größe ü/視訊.mp4", "UploadId": upload["UploadId"]}
    bodies = [large[: 5 * MIB], large[5 * MIB :]]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**at, PartNumber=n, Body=body)["ETag"]}
        for n, body in enumerate(bodies, start=1)
    ]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})

    eventually(lambda: len(page_app.answers) == 5)
    assert page_app.answers == [200] * 5
    # One key's events arrive in order; the two keys' may overtake each other.
    received = sorted(page_app.requests, key=lambda one: one.event["sequence"])
    events = [one.event for one in received]
    for event in events:
        require_page_shape(event)
    start = events[0]["sequence"]
    assert [event["sequence"] for event in events] == list(range(start, start + 5))
    assert len({event["id"] for event in events}) == 5

    first_etag, second_etag = hashlib.md5(first).hexdigest(), hashlib.md5(second).hexdigest()
    pdf = {"key": "uploads/document.pdf", "contentType": "application/pdf"}
    video = {"key": "größe ü/視訊.mp4", "size": 6 * MIB, "etag": multipart_etag(*bodies), "contentType": "video/mp4"}
    assert [(event["event"], event["reason"], event["object"], event.get("previous")) for event in events] == [
        ("object:created", "PutObject", {**pdf, "size": len(first), "etag": first_etag}, None),
        (
            "object:updated",
            "PutObject",
            {**pdf, "size": len(second), "etag": second_etag},
            {"size": len(first), "etag": first_etag},
        ),
        ("object:deleted", "DeleteObject", {**pdf, "size": len(second), "etag": second_etag}, None),
        ("object:created", "CompleteMultipartUpload", video, None),
        ("multipart:completed", "CompleteMultipartUpload", video, None),
    ]
    for one in received:
        assert one.headers["x-elasticlake-event"] == one.event["event"]
        assert one.headers["webhook-id"] == one.event["id"]
        assert re.fullmatch(r"dlv_\w+", one.headers["x-elasticlake-delivery"])
        assert one.headers["x-elasticlake-attempt"] == "1"
        assert one.headers["content-type"] == "application/json"


def test_a_handler_that_fails_twice_gets_the_same_bytes_a_third_time(
    page_server: Server, page_app: PageApp, webhook: dict[str, Any]
) -> None:
    page_app.failing[:] = [500, 500]
    s3_client(page_server).put_object(Bucket=BUCKET, Key="again.txt", Body=b"again")
    eventually(lambda: len(page_app.answers) == 3)
    assert page_app.answers == [500, 500, 200]
    first, second, third = page_app.requests
    assert first.body == second.body == third.body
    assert [one.headers["x-elasticlake-attempt"] for one in page_app.requests] == ["1", "2", "3"]
    assert len({one.headers["webhook-id"] for one in page_app.requests}) == 1
    assert len({one.headers["x-elasticlake-delivery"] for one in page_app.requests}) == 1
    assert len({one.headers["x-elasticlake-signature"] for one in page_app.requests}) == 1


def test_standard_webhooks_verifies_the_same_requests(
    page_server: Server, page_app: PageApp, webhook: dict[str, Any]
) -> None:
    s3 = s3_client(page_server)
    in_parts = TransferConfig(multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(bytes(9 * MIB)), BUCKET, "standard.bin", Config=in_parts)
    s3.delete_object(Bucket=BUCKET, Key="standard.bin")
    eventually(lambda: len(page_app.requests) == 3)
    library = standardwebhooks.Webhook(SECRET.encode())
    for received in page_app.requests:
        assert library.verify(received.body, received.headers) == received.event
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            library.verify(received.body.replace(b"standard", b"Standard"), received.headers)


def test_the_handler_refuses_a_wrong_secret(page_server: Server, page_app: PageApp, webhook: dict[str, Any]) -> None:
    path = f"/v1/webhooks/{webhook['id']}"
    page_server.request("PATCH", path, {"secret": "another-secret"})
    delivery = page_server.request("POST", f"{path}/test?wait=10")
    assert page_app.answers == [401]
    assert delivery["status"] == "dead"
    assert page_app.requests[0].event["test"] is True
    assert page_app.requests[0].event["sequence"] == 0


class Calls(list[Any]):
    """Stands for the reader's own functions: remembers the calls, whichever name they go by."""

    def delay(self, **arguments: Any) -> None:
        self.append(arguments)

    def create(self, entry: dict[str, Any]) -> None:
        self.append(entry)

    def __call__(self, **arguments: Any) -> None:
        self.append(arguments)


def test_the_use_cases_run_on_the_events(page_server: Server, page_app: PageApp, webhook: dict[str, Any]) -> None:
    s3 = s3_client(page_server)
    s3.put_object(Bucket=BUCKET, Key="photo.png", Body=b"png", ContentType="image/png")
    s3.put_object(Bucket=BUCKET, Key="table.csv", Body=b"a,b\n", ContentType="text/csv")
    s3.put_object(Bucket=BUCKET, Key="untyped", Body=b"?")
    s3.delete_object(Bucket=BUCKET, Key="photo.png")
    eventually(lambda: len(page_app.requests) == 4)
    thumbnails, entries, pipelines = Calls(), Calls(), Calls()
    names = {"generate_thumbnails": thumbnails, "audit_log": entries, "start_etl_pipeline": pipelines}
    for source in (founding_page.PROCESS_IMAGE, founding_page.AUDIT, founding_page.START_PIPELINE):
        exec(source, names)
    events = sorted((one.event for one in page_app.requests), key=lambda event: event["sequence"])
    for event in events:
        for handle in ("handle_upload", "handle_any_event", "handle_data_upload"):
            names[handle](event)  # type: ignore[operator]
    assert thumbnails == [{"bucket": BUCKET, "key": "photo.png"}] * 2  # created and deleted
    assert pipelines == [{"source": f"s3://{BUCKET}/table.csv"}]
    assert [(entry["action"], entry["resource"]) for entry in entries] == [
        ("object:created", f"{BUCKET}/photo.png"),
        ("object:created", f"{BUCKET}/table.csv"),
        ("object:created", f"{BUCKET}/untyped"),
        ("object:deleted", f"{BUCKET}/photo.png"),
    ]
    assert [entry["metadata"] for entry in entries] == events
    assert events[2]["object"]["contentType"] == "binary/octet-stream"
