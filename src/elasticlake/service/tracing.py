"""Traces by OpenTelemetry, from a request to the deliveries that it causes, where a collector is configured.

The standard variables configure it: https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Without an endpoint
in them nothing of it is imported. A span's place is known to others as its `traceparent`
(https://www.w3.org/TR/trace-context/), which requests bring, events remember, and deliveries carry on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from elasticlake.errors import ElasticLakeError, how_to_install

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
FLUSH_SECONDS = 5.0
_LIBRARIES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class CannotTrace(ElasticLakeError):
    """Traces are asked for and cannot be made; the message says why."""


def require_tracing() -> None:
    """Raises `CannotTrace` where the environment asks for traces that cannot be made."""
    name = _endpoint()
    if name is None:
        return
    if not os.environ[name].startswith(("http://", "https://")):
        raise CannotTrace(f"{name} is no URL: it looks like http://127.0.0.1:4318")
    protocol = next((variable for variable in PROTOCOLS if os.environ.get(variable)), None)
    if protocol is not None and os.environ[protocol] != PROTOCOL:
        raise CannotTrace(f"{protocol} is {os.environ[protocol]}; traces are sent by {PROTOCOL} alone")
    if not all(map(_is_installed, _LIBRARIES)):
        raise CannotTrace(f"{name} is set, but tracing is not installed: {how_to_install('server,otel')}")


def open_tracer(process: str, version: str) -> Tracer | None:
    """This process's tracer, None unless the environment names a collector. Call it after the fork: it has a thread."""
    if _endpoint() is None:
        return None
    # The library is an extra, and takes a while to import.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = {"service.name": "elasticlake", "service.version": version, "service.instance.id": process}
    # What the operator says of the service goes before what we say.
    resource = Resource.create(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider, version)


class Tracer:
    """Begins spans. Those that end go out in the background, in batches from a bounded queue; nothing waits for it."""

    def __init__(self, provider: TracerProvider, version: str) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("elasticlake", version)
        self._extract = TraceContextTextMapPropagator().extract
        self._kinds = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
        self._nowhere = Context()

    def begin(self, name: str, kind: Literal["server", "client"], parent: str | None) -> Span:
        """Begin a span below the one that the traceparent `parent` names; without one, or a bad one, a new trace."""
        # Nothing of the context that happens to be current: a task may outlive the request that began it.
        context = self._nowhere if parent is None else self._extract({"traceparent": parent}, self._nowhere)
        return Span(self._tracer.start_span(name, context, self._kinds[kind]))

    def close(self) -> None:
        """Send what waits, for as long as `FLUSH_SECONDS`; blocks, so that no event loop should call it."""
        # The library would try for half a minute where the collector is away.
        flushing = threading.Thread(target=self._provider.shutdown, name="flush traces", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)


class Span:
    """Something that takes time, and is part of a trace."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def rename(self, name: str) -> None:
        """Say better what it is."""
        self._span.update_name(name)

    def end(self, attributes: Mapping[str, str | int], error: str | None = None) -> None:
        """It is over; `error` says what went wrong."""
        if self._span.is_recording():
            self._span.set_attributes(attributes)
            if error is not None:
                self._fail(error)
        self._span.end()

    def _fail(self, error: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_status(Status(StatusCode.ERROR, error))


def _endpoint() -> str | None:
    """The variable that names a collector, None where traces are not asked for."""
    environment = os.environ
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    return next((name for name in ENDPOINTS if environment.get(name)), None)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
