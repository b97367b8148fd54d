"""One trace from a client's PUT to the receiver, over a real server and a real collector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import CREDENTIALS, elasticlake
from tests.otlp import Collector, collecting

BUCKET = "lake1--pond1--traced"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


def bringing(traceparent: str, s3: Any) -> Any:
    """The client, its requests belonging to a trace."""

    def bring(request: Any, **_: Any) -> None:
        request.headers["traceparent"] = traceparent

    s3.meta.events.register("before-send.s3", bring)
    return s3


def test_a_put_and_its_deliveries_are_one_trace(spawn: Spawn, receiver: Receiver, collector: Collector) -> None:
    environment = {**CREDENTIALS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    server = spawn(env=environment).start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    receiver.answer = lambda before: 500 if before == 0 else 200
    hook = {"bucket": BUCKET, "endpoint": receiver.url(), "events": ["object:created"], "retrySchedule": [0.2]}
    server.request("POST", "/v1/webhooks", hook)
    bringing(PARENT, s3_client(server)).put_object(Bucket=BUCKET, Key="caf\xe9.txt", Body=b"x")
    received = receiver.wait_for(2)
    (put,) = collector.wait_for("PutObject")
    attempts = collector.wait_for("deliver object:created", 2)

    assert f"00-{put.trace_id}-{put.parent_id}-01" == PARENT
    assert put.resource["service.instance.id"] == "gateway-0"
    assert (put.kind, put.error) == ("SPAN_KIND_SERVER", None)
    assert put.attributes["aws.s3.bucket"] == BUCKET
    assert put.attributes["aws.s3.key"] == "caf\xe9.txt"
    assert put.attributes["http.response.status_code"] == 200
    assert put.attributes["elasticlake.request_id"] == received[0].event["requestId"]

    assert {span.trace_id for span in attempts} == {put.trace_id}
    assert {span.parent_id for span in attempts} == {put.span_id}
    assert {span.resource["service.instance.id"] for span in attempts} == {"dispatcher"}
    assert [span.attributes["elasticlake.outcome"] for span in attempts] == ["retrying", "delivered"]
    assert [span.attributes["http.response.status_code"] for span in attempts] == [500, 200]
    for request, span in zip(received, attempts, strict=True):
        assert request.headers["traceparent"].startswith(span.place)
    assert "trace" not in received[0].event


def test_what_was_traced_last_is_sent_when_the_server_stops(spawn: Spawn, collector: Collector) -> None:
    environment = {**CREDENTIALS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "3600000"}
    server = spawn(env=environment).start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    with pytest.raises(Exception, match="Not Found"):
        s3_client(server).head_object(Bucket=BUCKET, Key="nothing")
    assert collector.spans == []
    assert server.stop() == 0
    (head,) = collector.named("HeadObject")
    assert (head.attributes["http.response.status_code"], head.error, head.parent_id) == (404, None, "")


def test_a_collector_that_is_no_url_is_refused_in_a_line(tmp_path: Path) -> None:
    ran = elasticlake("serve", "--data", tmp_path / "data", OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318")
    assert ran.returncode != 0
    assert ran.stderr.strip().endswith("OTEL_EXPORTER_OTLP_ENDPOINT is no URL: it looks like http://127.0.0.1:4318")
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()
