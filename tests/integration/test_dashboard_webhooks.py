"""A webhook's pages over HTTP: whatever keys, payloads and answers hold stays text, forms say what is wrong with them,
and nobody sees what is another's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server
from tests.integration.talkative import talkative
from tests.integration.visitor import Visitor, visiting

SCRIPT = "<script>alert(1)</script>"
HOSTILE_KEYS = [SCRIPT, "../../etc/passwd", "nul\0", "\u202etxt.exe", "a'b\"&amp;", "k" * 1024, "//x", " blank "]
ALL = ["object:created", "object:updated", "object:deleted"]


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server) as one:
        yield one


def made(server: Server, bucket: str, endpoint: str, **how: Any) -> str:
    body = {"bucket": bucket, "endpoint": endpoint, "events": ALL, "retrySchedule": [], **how}
    return str(server.request("POST", "/v1/webhooks", body)["id"])


def listed(server: Server, webhook: str, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.request("GET", f"/v1/webhooks/{webhook}/deliveries{query}")["items"]
    return items


def deliveries(server: Server, webhook: str, count: int, query: str = "") -> list[dict[str, Any]]:
    """The webhook's deliveries as soon as there are so many."""
    return eventually(lambda: found if len(found := listed(server, webhook, query)) >= count else None)


def page_of(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def assert_no_script_of_others(text: str) -> None:
    """Every script comes from our own folder, and nothing runs in the page itself."""
    assert re.search(r"<script(?! type=\"module\" src=\"/ui/static/)", text) is None
    assert re.search(r"<[^>]*\son\w+=", text) is None
    assert re.search(r"<[^>]*\sstyle=", text) is None


def test_hostile_keys_are_text_in_the_log_in_the_drawer_and_in_snippets(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    for key in HOSTILE_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    found = deliveries(server, webhook, len(HOSTILE_KEYS))
    log = page_of(visitor, f"/ui/webhooks/{webhook}")
    assert_no_script_of_others(log)
    for mark in ("U+0000", "U+202E", "&lt;script&gt;alert(1)&lt;/script&gt;"):
        assert mark in log
    for delivery in found:
        for path in (f"/ui/deliveries/{delivery['id']}", f"/ui/deliveries/{delivery['id']}?drawer=1"):
            text = page_of(visitor, path)
            assert_no_script_of_others(text)
            assert len(text) < 60_000


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_hostile_key_is_found_by_its_exact_self(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver, key: str
) -> None:
    webhook = made(server, bucket, receiver.url())
    s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    s3.put_object(Bucket=bucket, Key=key[:1000] + "2", Body=b"1")
    deliveries(server, webhook, 2)
    assert rows(page_of(visitor, f"/ui/webhooks/{webhook}?{urlencode({'key': key})}")) == 1
    both = page_of(visitor, f"/ui/webhooks/{webhook}?{urlencode({'key': key[:2], 'match': 'prefix'})}")
    assert rows(both) == 2
    assert_no_script_of_others(both)


def rows(page: str) -> int:
    return page.count("<tr data-delivery=")


def test_what_a_receiver_answers_is_text(server: Server, s3: Any, bucket: str, visitor: Visitor) -> None:
    body = (SCRIPT + "</pre></code>\0\u202e").encode() + bytes(range(128, 256)) + b"<img src=x onerror=alert(1)>" * 2000
    headers = {"X-Evil": SCRIPT, "Content-Type": "text/html"}
    with talkative(body, headers) as url:
        webhook = made(server, bucket, url)
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        (delivery,) = deliveries(server, webhook, 1, "?status=dead")
    eventually(lambda: server.request("GET", f"/v1/deliveries/{delivery['id']}")["attemptLog"])
    text = page_of(visitor, f"/ui/deliveries/{delivery['id']}")
    assert_no_script_of_others(text.replace("&lt;", ""))
    assert "X-Evil" in text
    assert "The first 16 KiB." in text


def test_a_huge_body_makes_no_huge_page_and_comes_whole_as_a_file(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url(), ordering="bucket", batch={"maxEvents": 300, "maxWaitMs": 0})
    server.request("PATCH", f"/v1/webhooks/{webhook}", {"status": "disabled"})
    for number in range(200):
        s3.put_object(Bucket=bucket, Key=f"{number:04}" + "k" * 1000, Body=b"1")
    server.request("PATCH", f"/v1/webhooks/{webhook}", {"status": "enabled"})
    eventually(lambda: [one for one in receiver.requests if len(one.body) > 50_000])
    sent = max(receiver.requests, key=lambda one: len(one.body))
    path = f"/ui/deliveries/{sent.headers['x-elasticlake-delivery']}"
    eventually(lambda: "body.json" in visitor.get(path).text)
    text = page_of(visitor, path)
    assert len(text) < 80_000
    assert "of which the beginning is shown" in text
    answer = visitor.get(f"{path}/body")
    assert answer.content == sent.body
    assert answer.headers["content-disposition"] == 'attachment; filename="body.json"'
    assert answer.headers["content-type"] == "application/octet-stream"


def test_the_log_is_narrowed_and_says_what_it_cannot_read(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    receiver.answer = lambda number: 200 if number % 2 else 503
    webhook = made(server, bucket, receiver.url())
    for number in range(6):
        s3.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="in/0")
    deliveries(server, webhook, 7)
    page = f"/ui/webhooks/{webhook}"

    def shown(query: str) -> int:
        return rows(page_of(visitor, f"{page}?{query}"))

    assert shown("") == 7
    assert shown("status=dead") + shown("status=delivered") == 7
    assert shown("code=503") == shown("code=5xx") == shown("status=dead") > 0
    assert shown("event=object:deleted") == 1
    assert shown("key=in/0") == 2
    assert shown("since=2020-01-01T00:00") == 7
    assert shown("until=2020-01-01T00:00") == 0
    wrong = page_of(visitor, f"{page}?code=teapot&since=yesterday")
    assert wrong.count('class="fault"') == 2
    assert rows(wrong) == 7


def test_a_long_log_has_pages(server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver) -> None:
    webhook = made(server, bucket, receiver.url())
    for number in range(30):
        s3.put_object(Bucket=bucket, Key=f"{number}", Body=b"1")
    deliveries(server, webhook, 30)
    first = page_of(visitor, f"/ui/webhooks/{webhook}")
    following = re.search(r'href="([^"]+)">Next page', first)
    assert following is not None
    second = page_of(visitor, unescape(following[1]))
    assert (rows(first), rows(second)) == (25, 5)
    assert "data-live=" in first
    assert "data-live=" not in second


@pytest.mark.parametrize(
    "path", ["/ui/webhooks/wh_none", "/ui/deliveries/dlv_none", "/ui/deliveries/x/body", "/ui/webhooks/wh_none/live",
             "/ui/webhooks/wh_none/replay", "/ui/webhooks/wh_none/jobs", "/ui/webhooks/wh_none/secret"],
)  # fmt: skip
def test_what_is_not_there(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_another_account_s_webhook_is_not_there(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    webhook = made(server, bucket, receiver.url())
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    (delivery,) = deliveries(server, webhook, 1)
    job = server.request("POST", f"/v1/webhooks/{webhook}/replay", {})
    account = "other" + bucket.rpartition("--")[2]
    server.request("POST", "/v1/accounts", {"id": account, "displayName": "Other", "email": f"{account}@a.test"})
    key = server.request("POST", f"/v1/accounts/{account}/keys", {})
    with visiting(server, signed_in=False) as other:
        assert other.sign_in(key["secretAccessKey"], key["accessKeyId"]).status_code == 303
        here = f"/ui/webhooks/{webhook}"
        for path in (here, f"{here}/live", f"{here}/jobs/{job['id']}", f"/ui/deliveries/{delivery['id']}"):
            assert other.get(path).status_code == 404
        for path in (f"{here}/pause", f"{here}/rotate", f"{here}/delete", f"/ui/deliveries/{delivery['id']}/redeliver"):
            assert other.post(path, {"hours": "1"}).status_code == 404
        assert other.post(f"{here}/redeliver", {"delivery": delivery["id"]}).status_code == 303
    assert len(receiver.requests) == 2


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"rateLimit": "many"}, "Write a number of deliveries a second"),
        ({"rateLimit": "nan"}, "It is a number of deliveries a second"),
        ({"fromSequence": "0"}, "A sequence is a whole number from 1 on."),
        ({"fromSequence": "5", "toSequence": "2"}, "It comes before fromSequence."),
        ({"since": "x"}, "Write it as 2026-01-02T03:04, in UTC."),
        ({"since": "2026-01-02T03:04", "until": "2025-01-02T03:04"}, "It must be later than since."),
        ({"fromSequence": "1", "since": "2026-01-02T03:04"}, "by sequences or by times, not by both"),
        ({"prefix": SCRIPT * 60}, "A key has at most 1,024 bytes."),
        ({"events": "multipart:completed"}, "The webhook did not subscribe to"),
    ],
)
@pytest.mark.parametrize("do", ["count", "start"])
def test_a_replay_s_form_says_what_is_wrong_beside_the_field(
    server: Server, bucket: str, visitor: Visitor, receiver: Receiver, fields: dict[str, str], fault: str, do: str
) -> None:
    webhook = made(server, bucket, receiver.url())
    answer = visitor.post(f"/ui/webhooks/{webhook}/replay", {**fields, "do": do})
    assert answer.status_code == 422
    assert fault in answer.text
    assert_no_script_of_others(answer.text)
    assert server.request("GET", f"/v1/jobs?webhook={webhook}")["items"] == []


def test_a_rotation_s_form_says_what_is_wrong(
    server: Server, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url(), secret="mine")
    for fields, fault in [
        ({"hours": "x"}, "Say for how many hours"), ({"hours": "99999"}, "0 to 2,592,000 seconds"),
        ({"hours": "1", "secret": "mine"}, "secret already"), ({"hours": "1", "secret": "whsec_!"}, "base64"),
    ]:  # fmt: skip
        answer = visitor.post(f"/ui/webhooks/{webhook}/rotate", fields)
        assert (answer.status_code, fault in answer.text) == (422, True), fields
    assert server.request("GET", f"/v1/webhooks/{webhook}")["overlapEndsAt"] is None


def test_a_new_secret_is_shown_once_and_only_there(
    server: Server, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    answer = visitor.post(f"/ui/webhooks/{webhook}/rotate", {"hours": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/webhooks/{webhook}/secret")
    cookie = answer.headers["set-cookie"]
    assert f"Path=/ui/webhooks/{webhook}/secret" in cookie
    assert "HttpOnly" in cookie
    assert "whsec" not in cookie
    assert "whsec_" not in page_of(visitor, f"/ui/webhooks/{webhook}")
    assert "whsec_" in page_of(visitor, f"/ui/webhooks/{webhook}/secret")
    assert "whsec_" not in page_of(visitor, f"/ui/webhooks/{webhook}/secret")
    assert "whsec_" not in server.log


def test_another_rotation_meanwhile_asks_before_it_voids_the_new_secret(
    server: Server, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    path = f"/ui/webhooks/{webhook}"
    assert "Void the new secret" not in page_of(visitor, path)
    visitor.post(f"{path}/rotate", {"hours": "1"})
    (card,) = re.findall(r'<section[^>]+id="secret">.+?</section>', page_of(visitor, path), re.S)
    ends = server.request("GET", f"/v1/webhooks/{webhook}")["overlapEndsAt"]
    assert f"both secrets sign until {ends[:10]} {ends[11:19]} UTC" in words_of(card)
    assert 'data-open="promote"' in card
    asked = visitor.post(f"{path}/rotate", {"hours": "6"})
    assert (asked.status_code, "is to be void" in asked.text) == (422, True)
    assert server.request("GET", f"/v1/webhooks/{webhook}")["overlapEndsAt"] == ends
    assert visitor.post(f"{path}/rotate", {"hours": "6", "void": "yes"}).status_code == 303
    assert server.request("GET", f"/v1/webhooks/{webhook}")["overlapEndsAt"] > ends


def words_of(page: str) -> str:
    """A page's text as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def test_a_failing_webhook_says_since_when_and_why_in_sentences(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    webhook = made(server, bucket, receiver.url())
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    deliveries(server, webhook, 1, "?status=dead")
    standing = words_of(page_of(visitor, f"/ui/webhooks/{webhook}?part=standing"))
    said = (
        r"failing No attempt has succeeded since [-0-9: ]+ UTC \([^()]+\)\. The last error: the receiver answered 500\."
    )
    assert re.search(said, standing), standing


def test_what_a_replay_delivered_waits_for_nothing_and_says_so(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    webhook = made(server, bucket, receiver.url(), retrySchedule=[86_400])
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    (delivery,) = deliveries(server, webhook, 1, "?status=retrying")
    path, by_another = f"/ui/deliveries/{delivery['id']}", "Delivered by another delivery of the same event"
    eventually(lambda: "Next attempt" in page_of(visitor, path))
    assert by_another not in page_of(visitor, path)
    receiver.answer = lambda _: 200
    server.request("POST", f"/v1/webhooks/{webhook}/replay", {"only": "retrying"})
    eventually(lambda: by_another in (text := page_of(visitor, path)) and "Next attempt" not in text)
    told = server.request("GET", f"/v1/deliveries/{delivery['id']}")
    assert (told["status"], [one["nextAttemptAt"] for one in told["attemptLog"]]) == ("delivered", [None])
    replayed, failed = re.findall(r"<tr data-delivery.+?</tr>", page_of(visitor, f"/ui/webhooks/{webhook}"), re.S)
    assert "by another delivery" in failed
    assert "by another delivery" not in replayed
    narrowed = re.search(r'href="([^"]+)">See what has arrived', page_of(visitor, path))
    assert narrowed is not None
    arrived = page_of(visitor, unescape(narrowed[1]))
    assert (rows(arrived), "<small>replay</small>" in arrived) == (1, True)


def test_selected_deliveries_are_sent_again_and_the_visitor_comes_back(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    (delivery,) = deliveries(server, webhook, 1)
    back = f"/ui/webhooks/{webhook}?status=dead"
    path = f"/ui/webhooks/{webhook}/redeliver"
    answer = visitor.post(path, {"delivery": delivery["id"], "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, back)
    assert receiver.wait_for(2)[1].headers["x-elasticlake-redelivery"] == "true"
    assert "1 delivery is sent again." in page_of(visitor, back)
    away = visitor.post(path, {"delivery": delivery["id"], "back": "https://elsewhere.test/"})
    assert away.headers["location"] == f"/ui/webhooks/{webhook}"
    assert visitor.post(path).headers["location"] == f"/ui/webhooks/{webhook}"
    visitor.post(path, {"delivery": "dlv_none", "back": back})
    assert "1 could not be" in page_of(visitor, back)


def test_what_is_told_of_another_webhook_is_of_no_key_and_no_bucket(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    watching = made(server, bucket, receiver.url("/told"), events=["webhook:disabled"])
    made(server, bucket, receiver.url("/gone"))
    receiver.answer = lambda _: 410 if receiver.at("/gone") and not receiver.at("/told") else 200
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    [told] = deliveries(server, watching, 1)
    assert (told["key"], told["bucket"], told["event"]) == (None, None, "webhook:disabled")
    for path in (f"/ui/deliveries/{told['id']}", f"/ui/deliveries/{told['id']}?drawer=1"):
        text = page_of(visitor, path)
        assert "Delivery of <bdi>webhook:disabled</bdi></h" in text
        assert "<dt>Event</dt><dd>webhook:disabled</dd>" in text
        assert "<dt>Key</dt>" not in text
    assert "><bdi>webhook:disabled</bdi></a></th>" in page_of(visitor, f"/ui/webhooks/{watching}")


def test_a_webhook_is_deleted_with_what_waits(
    server: Server, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    answer = visitor.post(f"/ui/webhooks/{webhook}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/webhooks")
    assert visitor.get(f"/ui/webhooks/{webhook}").status_code == 404


def frames(stream: httpx.Response, until: str) -> str:
    """What comes until `until` is in it."""
    text = ""
    give_up_at = time.monotonic() + 20
    for chunk in stream.iter_text():
        text += chunk
        if until in text:
            return text
        assert time.monotonic() < give_up_at, text
    raise AssertionError(f"the stream ended with {text}")


def test_the_live_log_tells_what_is_there_and_what_comes(
    server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver
) -> None:
    webhook = made(server, bucket, receiver.url())
    s3.put_object(Bucket=bucket, Key="before", Body=b"1")
    deliveries(server, webhook, 1)
    with visitor.client.stream("GET", f"/ui/webhooks/{webhook}/live?key=&status=") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        chunks = stream.iter_text()
        first = next(chunks)
        assert ">before<" in first
        s3.put_object(Bucket=bucket, Key=SCRIPT, Body=b"1")
        news = next(chunk for chunk in chunks if "data:" in chunk)
        assert "&lt;script&gt;" in news
        assert ">before<" not in news
        assert "<script" not in news


def test_a_server_stops_although_somebody_listens(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn().start()
    s3_client(server).create_bucket(Bucket="kept")
    webhook = made(server, "kept", receiver.url())
    with visiting(server) as visitor, visitor.client.stream("GET", f"/ui/webhooks/{webhook}/live") as stream:
        next(stream.iter_text())
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


def test_pages_are_small(server: Server, s3: Any, bucket: str, visitor: Visitor, receiver: Receiver) -> None:
    webhook = made(server, bucket, receiver.url())
    for number in range(30):
        s3.put_object(Bucket=bucket, Key=f"{number:03}" * 40, Body=b"1")
    found = deliveries(server, webhook, 30)
    for path in (
        f"/ui/webhooks/{webhook}?range=7d",
        f"/ui/deliveries/{found[0]['id']}",
        f"/ui/webhooks/{webhook}/replay",
    ):
        text = page_of(visitor, path)
        files = set(re.findall(r"/ui/static/[0-9a-f]+/[\w.]+", text))
        whole = len(text.encode()) + sum(len(visitor.get(name).content) for name in files)
        assert whole < 100 * 1024, (path, whole)
