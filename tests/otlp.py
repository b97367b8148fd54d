"""A collector of traces as OpenTelemetry's protocol wants it: OTLP over HTTP, protobuf."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class CollectedSpan:
    """A span as it came in; ids are in hexadecimal, as a `traceparent` writes them."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    error: str | None

    @property
    def place(self) -> str:
        """A `traceparent` of it but for the flags, which are not exported."""
        return f"00-{self.trace_id}-{self.span_id}-"


@dataclass
class Collector:
    """Keeps every span that it is sent."""

    url: str = ""
    spans: list[CollectedSpan] = field(default_factory=list)

    def named(self, name: str) -> list[CollectedSpan]:
        return [span for span in list(self.spans) if span.name == name]

    def wait_for(self, name: str, count: int = 1) -> list[CollectedSpan]:
        """The spans of that name, as soon as there are so many."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while len(found := self.named(name)) < count:
            assert time.monotonic() < give_up_at, f"no {name} among {[span.name for span in self.spans]}"
            time.sleep(0.02)
        return found

    def take(self, data: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(data)
        for of_resource in request.resource_spans:
            resource = {one.key: _value(one.value) for one in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                self.spans += [_collected(span, resource) for span in of_scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on loopback while the block runs."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _collected(span: Span, resource: dict[str, Any]) -> CollectedSpan:
    return CollectedSpan(
        span.name,
        Span.SpanKind.Name(span.kind),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        {one.key: _value(one.value) for one in span.attributes},
        resource,
        span.status.message if span.status.code == Status.STATUS_CODE_ERROR else None,
    )


def _value(value: AnyValue) -> Any:
    return getattr(value, value.WhichOneof("value") or "string_value")
