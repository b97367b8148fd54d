"""Traces, as a real collector receives them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.otlp import Collector, collecting

from elasticlake.service import tracing
from elasticlake.service.tracing import CannotTrace, Tracer, open_tracer, require_tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def _untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


@pytest.fixture
def tracer(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracer]:
    monkeypatch.setenv(ENDPOINT, collector.url)
    opened = open_tracer("gateway-0", "1.2.3")
    assert opened is not None
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_traced_unless_a_collector_is_named(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    require_tracing()
    assert open_tracer("gateway-0", "1.2.3") is None


def test_without_a_collector_the_library_is_not_even_imported() -> None:
    program = (
        "import sys; from elasticlake.service.tracing import *; require_tracing(); open_tracer('a', 'b');"
        " sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({ENDPOINT: "collector:4318"}, f"{ENDPOINT} is no URL: it looks like http://127.0.0.1:4318"),
        (
            {ENDPOINT: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc; traces are sent by http/protobuf alone",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotTrace) as refused:
        require_tracing()
    assert str(refused.value) == message


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setattr(tracing, "_LIBRARIES", ("opentelemetry.sdk", "no_such_package.at.all"))
    with pytest.raises(CannotTrace, match=r"in a clone by: pip install '\.\[server,otel\]'"):
        require_tracing()


def test_a_span_goes_on_with_the_trace_that_it_is_given(collector: Collector, tracer: Tracer) -> None:
    span = tracer.begin("PUT", "server", PARENT)
    child = tracer.begin("deliver object:created", "client", span.traceparent)
    child.end({"elasticlake.attempt": 1})
    span.rename("PutObject")
    span.end({"http.response.status_code": 503}, "status 503")
    tracer.close()
    (server,), (client,) = collector.named("PutObject"), collector.named("deliver object:created")
    assert (server.trace_id, server.parent_id) == (PARENT.split("-")[1], PARENT.split("-")[2])
    assert (client.trace_id, client.parent_id) == (server.trace_id, server.span_id)
    assert (server.kind, client.kind) == ("SPAN_KIND_SERVER", "SPAN_KIND_CLIENT")
    assert (server.attributes, server.error) == ({"http.response.status_code": 503}, "status 503")
    assert (client.attributes, client.error) == ({"elasticlake.attempt": 1}, None)
    assert server.resource["service.name"] == "elasticlake"
    assert server.resource["service.instance.id"] == "gateway-0"


@pytest.mark.parametrize("parent", [None, "", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "\xff"])
def test_without_a_usable_parent_a_trace_begins(collector: Collector, tracer: Tracer, parent: str | None) -> None:
    span = tracer.begin("PUT", "server", parent)
    span.end({})
    tracer.close()
    (found,) = collector.spans
    assert found.parent_id == ""
    assert span.traceparent.startswith(found.place)


def test_a_caller_who_does_not_want_a_trace_gets_none_but_is_followed(collector: Collector, tracer: Tracer) -> None:
    span = tracer.begin("PUT", "server", PARENT[:-2] + "00")
    span.end({})
    tracer.close()
    assert collector.spans == []
    assert span.traceparent.startswith(PARENT[:35])
    assert span.traceparent.endswith("-00")


def test_the_operator_names_the_service(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "my-lake")
    opened = open_tracer("gateway-0", "1.2.3")
    assert opened is not None
    opened.begin("PUT", "server", None).end({})
    opened.close()
    resource = collector.spans[0].resource
    assert (resource["service.name"], resource["deployment.environment"]) == ("my-lake", "test")


MANY_SPANS = """
import sys, time
from elasticlake.service import tracing
tracing.FLUSH_SECONDS = 0.2
tracer = tracing.open_tracer("gateway-0", "1.2.3")
started = time.monotonic()
for _ in range(5000):  # more than the queue holds
    tracer.begin("PUT", "server", None).end({})
tracer.close()
sys.exit(time.monotonic() - started > 8)  # far less than the ten seconds that one try to export may take
"""


def test_a_collector_that_is_silent_holds_up_nobody() -> None:
    # A process of its own: what could not be sent goes on being tried behind it.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = os.environ | {ENDPOINT: f"http://127.0.0.1:{silent.getsockname()[1]}"}
        done = subprocess.run([sys.executable, "-c", MANY_SPANS], env=environment, timeout=60, check=False)
    assert done.returncode == 0
