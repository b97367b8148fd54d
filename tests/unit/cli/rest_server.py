"""An in-memory REST server that answers the contract's documents: the network peer of the command line's tests.

It knows no rule of the product; a test that needs a refusal puts one into `refusals`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Document = dict[str, Any]

TOKEN = "elt_test"
CREATED_AT = "2026-01-02T03:04:05.678Z"
PAGE_SIZE = 2
TOTALS = {"buckets": 0, "objects": 0, "bytes": 0, "createdAt": CREATED_AT}

# Collection → the field that names its items, and what a new item has besides the caller's own members.
COLLECTIONS: dict[str, tuple[str, Document]] = {
    "lakes": ("lake", {"name": "", "account": "root", **TOTALS}),
    "ponds": ("pond", {"name": "", **TOTALS}),
    "buckets": ("bucket", {"account": "root", "acl": "private", "sequence": 0, "objects": 0, "bytes": 0}),
    "accounts": ("id", {"id": "acc_1", "createdAt": CREATED_AT}),
    "keys": ("accessKeyId", {"accessKeyId": "AK1", "secretAccessKey": "generated-secret", "scope": {}}),
    "tokens": ("id", {"id": "tok_1", "name": "", "accounts": None, "token": "elt_generated", "createdAt": CREATED_AT}),
    "webhooks": ("id", {"id": "wh_1", "status": "enabled", "disabledReason": None, "revision": 1, "name": ""}),
}


@dataclass
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Document | None


@dataclass
class RestServer:
    """The server's state, open to the tests."""

    items: dict[str, dict[str, Document]] = field(default_factory=dict)
    events: dict[str, list[Document]] = field(default_factory=dict)
    deliveries: dict[str, Document] = field(default_factory=dict)
    outcome: Document = field(default_factory=dict)  # what becomes of a delivery that is sent
    looks: list[Document] = field(default_factory=list)  # how the one job stands, time after time
    unacknowledged: list[Document] = field(default_factory=list)
    refusals: dict[str, tuple[int, Document]] = field(default_factory=dict)
    readiness: tuple[int, Document] = (200, {"status": "ok", "checks": []})
    calls: list[Call] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def put(self, collection: str, **document: Any) -> None:
        """An item of `collection` (a path such as `lakes` or `lakes/lake1/ponds`) that exists already."""
        name, defaults = COLLECTIONS[collection.rpartition("/")[2]]
        item = {**defaults, **document}
        self.items.setdefault(f"/v1/{collection}", {})[str(item[name])] = item

    def happen(self, bucket: str, sequence: int, key: str = "a.txt", event: str = "object:created") -> None:
        """Append an event to the bucket's log and wake who waits for it."""
        about = {"key": key, "size": 5, "etag": "0" * 32, "contentType": "text/plain"}
        payload = {"event": event, "timestamp": "2026-01-02T03:04:05Z", "bucket": bucket, "object": about}
        with self.changed:
            self.events.setdefault(bucket, []).append({**payload, "sequence": sequence})
            self.changed.notify_all()

    def bodies(self, method: str) -> list[Document | None]:
        return [call.body for call in self.calls if call.method == method]

    def answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(call)
        if call.path == "/v1/health":
            return 200, {"status": "ok", "version": "9.9.9"}
        if call.path == "/v1/health/ready":
            return self.readiness
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return problem(401, "Unauthorized", "The token is missing or wrong.")
        if call.path in self.refusals:
            return self.refusals[call.path]
        collection, _, last = call.path.rpartition("/")
        special: dict[str, Callable[[Call, str], tuple[int, Any]]] = {
            "events": self._events,
            "deliveries": self._deliveries,
            "test": self._send,
            "redeliver": self._send,
            "replay": self._make_job,
            "backfill": self._make_job,
            "reconcile": lambda call, _: (200, page(self.unacknowledged, call.query)),
            "jobs": lambda call, _: (200, page(self.looks[-1:], call.query)),
            "cancel": lambda call, _: (200, {**self._look(), "status": "canceled"}),
        }
        if last in special:
            return special[last](call, unquote(collection.rpartition("/")[2]))
        if collection == "/v1/jobs":
            return 200, self._look()
        if collection == "/v1/deliveries":
            return (200, self.deliveries[last]) if last in self.deliveries else gone()
        if last in COLLECTIONS:
            return self._collection(call, collection, last)
        return self._item(call, collection, unquote(last))

    def _make_job(self, call: Call, name: str) -> tuple[int, Any]:
        if (call.body or {}).get("dryRun"):
            return 200, {"matched": 7, "atLeast": False}
        return 202, self._look()

    def _look(self) -> Document:
        """The job as it stands at this look; the last state stays."""
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def _collection(self, call: Call, parent: str, last: str) -> tuple[int, Any]:
        owners, _, owner = parent.rpartition("/")
        if owners and owner not in self.items.get(owners, {}):
            return gone()
        if call.method == "GET":
            return 200, page(list(self.items.get(call.path, {}).values()), call.query)
        self.put(call.path.removeprefix("/v1/"), **(call.body or {}))
        return 201, list(self.items[call.path].values())[-1]

    def _item(self, call: Call, collection: str, name: str) -> tuple[int, Any]:
        items = self.items.get(collection, {})
        if name not in items:
            return gone()
        if call.method == "DELETE":
            del items[name]
            return 204, None
        if call.method == "PATCH":
            items[name].update(call.body or {})
        return 200, items[name]

    def _events(self, call: Call, bucket: str) -> tuple[int, Any]:
        if call.query.get("order") == "desc":
            return 200, {"items": self._before(bucket, call.query)[:PAGE_SIZE], "lastSequence": 9, "firstSequence": 1}
        after = int(call.query["after"])
        with self.changed:
            log = self.events.get(bucket, [])
            if log and after < log[0]["sequence"] - 1:
                return 410, {"title": "Gone", "status": 410, "firstSequence": log[0]["sequence"]}
            until = time.monotonic() + float(call.query.get("wait", 0))
            while not self._past(bucket, after) and (left := until - time.monotonic()) > 0:
                self.changed.wait(left)
            items = self._past(bucket, after)
            return 200, {"items": items[:PAGE_SIZE], "lastSequence": after + len(items), "firstSequence": 1}

    def _before(self, bucket: str, query: dict[str, str]) -> list[Document]:
        before, key = int(query.get("before", 2**62)), query.get("key")
        found = [event for event in self.events.get(bucket, []) if event["sequence"] < before]
        return [event for event in reversed(found) if key in (None, event["object"]["key"])]

    def _past(self, bucket: str, after: int) -> list[Document]:
        return [event for event in self.events.get(bucket, []) if event["sequence"] > after]

    def _deliveries(self, call: Call, webhook: str) -> tuple[int, Any]:
        wanted = call.query.get("status")
        mine = [found for found in self.deliveries.values() if found["webhook"] == webhook]
        return 200, page([found for found in mine if wanted in (None, found["status"])], call.query)

    def _send(self, call: Call, name: str) -> tuple[int, Any]:
        if name not in self.deliveries and name not in self.items.get("/v1/webhooks", {}):
            return gone()
        sent = {"id": "dlv_new", "kind": call.path.rpartition("/")[2], "status": "pending", "generation": 0}
        self.deliveries["dlv_new"] = {**sent, "webhook": name, "attemptLog": [], **self.outcome}
        return 202, sent


def page(items: list[Document], query: dict[str, str]) -> Document:
    start = int(query.get("cursor", 0))
    end = start + min(int(query.get("limit", PAGE_SIZE)), PAGE_SIZE)
    return {"items": items[start:end], "nextCursor": str(end) if end < len(items) else None}


def problem(status: int, title: str, detail: str, errors: list[Document] | None = None) -> tuple[int, Document]:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": errors or []}


def gone() -> tuple[int, Document]:
    return problem(404, "Not Found", "It does not exist.")


def http_server(state: RestServer) -> ThreadingHTTPServer:
    """`state` behind a socket on a free port of 127.0.0.1; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query))
            call = Call(self.command, parts.path, query, headers, json.loads(body) if body else None)
            status, document = state.answer(call)
            content = (
                b"" if status == 204 else document if isinstance(document, bytes) else json.dumps(document).encode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: pytest's output is for failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    return server
