"""Webhooks on the dashboard, over HTTP: what comes of a test, what may not become markup, who may send a form."""

from __future__ import annotations

import html
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.certificates import Authority
from tests.engines import NewMetadata
from tests.integration.conftest import Spawn, s3_client
from tests.integration.server import ACCESS_KEY, Server, free_port
from tests.integration.visitor import Visitor, visiting

from elasticlake.dashboard import hints
from elasticlake.dashboard.hints import Hint

BUCKET = "lake1--pond1--hints"
EVIL = "<script>alert(1)</script>\"'>"
FORM = {"kind": "bucket", "place": BUCKET, "events": "object:created", "ordering": "key", "format": "elasticlake"}
DEFAULTS = {"timeoutSeconds": "2", "retrySchedule": "", "secretFrom": "generate", "then": "test"}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("webhooks") / "data", metadata=new_metadata()).start()
    s3_client(running).create_bucket(Bucket=BUCKET)
    yield running
    running.close()


@pytest.fixture(scope="module")
def visitor(dashboard: Server) -> Iterator[Visitor]:
    with visiting(dashboard) as signed_in:
        yield signed_in


@contextmanager
def answering(act: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The URL of a receiver that does this with every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            act(self)

        def log_message(self, format: str, *_: Any) -> None:
            """Quiet: the tests look at the page."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/hook"
    finally:
        http.shutdown()
        http.server_close()


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        body = f"said {code}: {EVIL}".encode()
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def greeting(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")


def saved_and_tested(visitor: Visitor, endpoint: str, **fields: Any) -> str:
    """The text of the page that shows the test, once it is over."""
    answer = visitor.post("/ui/webhooks/new", {**FORM, **DEFAULTS, "endpoint": endpoint, **fields})
    assert answer.status_code == 303, answer.text
    page = visitor.get(answer.headers["location"])
    assert page.status_code == 200
    if "data-result" in page.text:
        page = visitor.get(answer.headers["location"] + "/result")
    return page.text


def told(hint: Hint) -> str:
    return str(html.escape(hint.advice, quote=True)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (400, hints.STATUSES[400]), (401, hints.STATUSES[401]), (403, hints.STATUSES[403]),
        (404, hints.STATUSES[404]), (429, hints.STATUSES[429]), (418, hints.OTHER_STATUS),
        (500, hints.SERVER_ERROR), (503, hints.SERVER_ERROR), (302, hints.CLASSES["redirect"]),
    ],
)  # fmt: skip
def test_each_refusal_has_its_hint(visitor: Visitor, code: int, hint: Hint) -> None:
    with answering(status(code, Location="http://127.0.0.1/elsewhere")) as url:
        page = saved_and_tested(visitor, url)
    assert told(hint) in page
    assert "X-ElasticLake-Signature: sha256=" in page
    assert "POST /hook HTTP/1.1" in page
    assert f"said {code}: &lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_success_says_what_was_answered(visitor: Visitor) -> None:
    with answering(status(200)) as url:
        page = saved_and_tested(visitor, url)
    assert "It has arrived: the endpoint answered 200" in page
    assert "This was not sent" not in page
    assert f"Host: {url.split('/')[2]}\nUser-Agent: ElasticLake/" in page
    assert "\nContent-Length: " in page
    assert "HTTP/1.1 200 OK\n" in re.sub("<[^>]+>", "", page)
    assert not any(told(hint) in page for hint in (*hints.CLASSES.values(), *hints.STATUSES.values()))


def test_an_endpoint_where_nobody_listens(visitor: Visitor) -> None:
    page = saved_and_tested(visitor, f"http://127.0.0.1:{free_port()}/hook")
    assert told(hints.CLASSES["connect"]) in page
    saved = page.index("The webhook was saved and is active.")
    assert saved < page.index('<div class="notice bad"')
    unsent = page.index("This was not sent: there was no connection.")
    assert unsent < page.index("POST /hook HTTP/1.1")


def test_an_endpoint_that_is_too_slow(visitor: Visitor) -> None:
    with answering(lambda handler: time.sleep(4)) as url:
        assert told(hints.CLASSES["timeout"]) in saved_and_tested(visitor, url, timeoutSeconds="1")


def test_an_endpoint_that_hangs_up(visitor: Visitor) -> None:
    with answering(lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)) as url:
        assert told(hints.CLASSES["reset"]) in saved_and_tested(visitor, url)


def test_an_endpoint_that_speaks_no_http(visitor: Visitor) -> None:
    with answering(greeting) as url:
        assert told(hints.CLASSES["protocol"]) in saved_and_tested(visitor, url)


def test_a_name_without_an_address(visitor: Visitor) -> None:
    assert told(hints.CLASSES["dns"]) in saved_and_tested(visitor, "https://nobody.invalid/hook")


def test_a_certificate_that_nobody_trusts(visitor: Visitor, tmp_path: Path) -> None:
    pair = Authority().issue()
    file = tmp_path / "pair.pem"
    file.write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    try:
        page = saved_and_tested(visitor, f"https://127.0.0.1:{http.server_address[1]}/hook")
    finally:
        http.shutdown()
        http.server_close()
    assert told(hints.CLASSES["tls"]) in page


def test_a_blocked_address_is_refused_beside_its_field(visitor: Visitor) -> None:
    answer = visitor.post("/ui/webhooks/new", {**FORM, **DEFAULTS, "endpoint": "http://10.0.0.1/"})
    assert answer.status_code == 422
    assert "allow it with --egress-allow 10.0.0.1/32" in answer.text


def test_an_address_that_was_allowed_once(spawn: Spawn) -> None:
    server = spawn("--egress-allow", "10.0.0.0/8", "--egress-http").start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    body = {"bucket": BUCKET, "endpoint": "http://10.0.0.1/", "events": ["object:created"]}
    made = server.request("POST", "/v1/webhooks", body)
    server.stop()
    server.options = ()
    server.start()
    with visiting(server) as visitor:
        answer = visitor.post(f"/ui/webhooks/{made['id']}/test", {})
        assert told(hints.CLASSES["refused_address"]) in visitor.get(answer.headers["location"]).text


def test_a_generated_secret_is_shown_once_and_kept_nowhere(visitor: Visitor, dashboard: Server) -> None:
    answer = visitor.post("/ui/webhooks/new", {**FORM, **DEFAULTS, "endpoint": "http://127.0.0.1:9/x", "then": "save"})
    path = answer.headers["location"]
    assert path.endswith("/made")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("elasticlake-once="))
    assert "HttpOnly" in cookie
    assert f"Path={path}" in cookie
    assert "whsec_" not in cookie
    first, second = visitor.get(path), visitor.get(path)
    assert "whsec_" in first.text
    assert first.headers["cache-control"] == "no-store"
    assert "whsec_" not in second.text
    assert "rotate it" in second.text
    assert "whsec_" not in dashboard.log


def test_names_endpoints_and_prefixes_are_no_markup(visitor: Visitor, dashboard: Server) -> None:
    body = {"bucket": BUCKET, "events": ["object:created"], "endpoint": "http://127.0.0.1:9/<script>alert(1)</script>'"}
    wanted = {"prefix": [EVIL], "suffix": [EVIL], "metadata": {EVIL: EVIL}}
    made = dashboard.request("POST", "/v1/webhooks", {**body, "name": EVIL, "filter": wanted})
    other = dashboard.request("POST", "/v1/webhooks", body)
    s3_client(dashboard).put_object(Bucket=BUCKET, Key=EVIL, Body=b"x", ContentType=EVIL)
    paths = ["/ui/webhooks", f"/ui/buckets/{BUCKET}/settings/webhooks", f"/ui/webhooks/{other['id']}/made"]
    paths += [f"/ui/webhooks/{made['id']}/edit", f"/ui/webhooks/new?bucket={BUCKET}"]
    for path in (*paths, "/ui/webhooks/new?lake=%3Cscript%3Ealert(1)"):
        page = visitor.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert EVIL not in page.text, path
        assert "&lt;script&gt;alert" in page.text, path


def test_what_was_typed_comes_back_as_text(visitor: Visitor) -> None:
    names = ("endpoint", "name", "place", "secret", "filter.prefix", "where", "headers", "retrySchedule", "rateLimit")
    answer = visitor.post("/ui/webhooks/new", {**dict.fromkeys(names, EVIL), "secretFrom": "own", "then": "test"})
    assert answer.status_code == 422
    assert EVIL not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;") >= len(names)


def test_the_panel_of_the_script(visitor: Visitor, dashboard: Server) -> None:
    s3_client(dashboard).put_object(Bucket=BUCKET, Key="panel/a.txt", Body=b"abc")
    asked = {**FORM, "filter.prefix": "panel/", "where": "object.size > "}
    answer = visitor.post("/ui/webhooks/matches", asked).json()
    assert answer["faults"]["where"].startswith("At character ")
    answer = visitor.post("/ui/webhooks/matches", {**asked, "where": "object.size > 2"}).json()
    assert answer["faults"] == {}
    assert "panel/a.txt" in answer["panel"]


@pytest.mark.parametrize("path", ["/ui/webhooks/new", "/ui/webhooks/matches", f"/ui/buckets/{BUCKET}/settings/delete"])
def test_a_form_of_another_site_does_nothing(visitor: Visitor, path: str) -> None:
    refused = visitor.client.post(path, data={**FORM, **DEFAULTS, "endpoint": "http://127.0.0.1:9/"})
    assert refused.status_code == 403


def test_a_bucket_goes_only_when_it_is_empty(visitor: Visitor, dashboard: Server) -> None:
    s3 = s3_client(dashboard)
    s3.create_bucket(Bucket="lake1--pond1--going")
    s3.put_object(Bucket="lake1--pond1--going", Key="a", Body=b"")
    path = "/ui/buckets/lake1--pond1--going/settings"
    assert visitor.post(f"{path}/delete", {}).status_code == 422
    s3.delete_object(Bucket="lake1--pond1--going", Key="a")
    assert visitor.post(f"{path}/delete", {}).headers["location"] == "/ui/lakes/lake1"
    assert visitor.get(path).status_code == 404


def test_a_bucket_s_list_is_made_public(visitor: Visitor, dashboard: Server) -> None:
    path = f"/ui/buckets/{BUCKET}/settings/access"
    assert httpx.get(f"{dashboard.url}/{BUCKET}", trust_env=False).status_code == 403
    assert visitor.post(path, {"acl": "public-read"}).status_code == 303
    assert httpx.get(f"{dashboard.url}/{BUCKET}", trust_env=False).status_code == 200
    assert visitor.post(path, {"acl": "private"}).status_code == 303
    assert visitor.post(path, {"acl": "everybody"}).status_code == 422
    assert httpx.get(f"{dashboard.url}/{BUCKET}", trust_env=False).status_code == 403


def test_another_account_s_webhooks_and_settings_are_not_there(visitor: Visitor, dashboard: Server) -> None:
    dashboard.request("POST", "/v1/accounts", {"id": "acme", "displayName": "Acme", "email": "a@acme.example"})
    key = dashboard.request("POST", "/v1/accounts/acme/keys", {})
    s3_client(dashboard, key["accessKeyId"], key["secretAccessKey"]).create_bucket(Bucket="acme--p--own")
    made = dashboard.request(
        "POST", "/v1/webhooks", {"bucket": BUCKET, "endpoint": "https://x.example/", "events": ["object:created"]}
    )
    delivery = dashboard.request("POST", f"/v1/webhooks/{made['id']}/test?wait=0")["id"]
    with visiting(dashboard, signed_in=False) as stranger:
        assert stranger.sign_in(key["secretAccessKey"], key["accessKeyId"]).status_code == 303
        settings, webhook = f"/ui/buckets/{BUCKET}/settings", f"/ui/webhooks/{made['id']}"
        hidden = [
            settings,
            f"{settings}/access",
            f"{settings}/webhooks",
            f"{webhook}/edit",
            f"{webhook}/test/{delivery}",
        ]
        for path in hidden:
            assert stranger.get(path).status_code == 404, path
        assert made["id"] not in stranger.get("/ui/webhooks").text
        assert stranger.post(f"/ui/webhooks/{made['id']}/test", {}).status_code == 404
        refused = stranger.post("/ui/webhooks/new", {**FORM, **DEFAULTS, "endpoint": "https://x.example/"})
        assert "There is no bucket" in refused.text
        access = stranger.get("/ui/buckets/acme--p--own/settings/access")
        assert key["accessKeyId"] in access.text
        assert ACCESS_KEY not in access.text
    assert ACCESS_KEY in visitor.get("/ui/buckets/acme--p--own/settings/access").text


def test_a_test_of_one_webhook_is_none_of_another(visitor: Visitor, dashboard: Server) -> None:
    body = {"bucket": BUCKET, "endpoint": "https://x.example/", "events": ["object:created"]}
    one, other = (dashboard.request("POST", "/v1/webhooks", body)["id"] for _ in range(2))
    delivery = dashboard.request("POST", f"/v1/webhooks/{one}/test?wait=0")["id"]
    assert visitor.get(f"/ui/webhooks/{one}/test/{delivery}").status_code == 200
    assert visitor.get(f"/ui/webhooks/{other}/test/{delivery}").status_code == 404


def test_what_a_notification_configuration_made_is_changed_there(visitor: Visitor, dashboard: Server) -> None:
    body = {"bucket": BUCKET, "endpoint": "http://127.0.0.1:9/", "events": ["object:deleted"]}
    base = dashboard.request("POST", "/v1/webhooks", body)["id"]
    queue = {"QueueArn": f"arn:elasticlake:webhook:::{base}", "Events": ["s3:ObjectCreated:*"]}
    s3_client(dashboard).put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [queue]}
    )
    listed = dashboard.request("GET", f"/v1/webhooks?bucket={BUCKET}&limit=1000")["items"]
    derived = next(webhook["id"] for webhook in listed if "managedBy" in webhook)
    page = visitor.get(f"/ui/webhooks/{derived}/edit")
    assert f'href="/ui/webhooks/{base}/edit"' in page.text
    assert 'name="endpoint"' not in page.text
