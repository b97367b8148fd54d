"""The metrics of a real server's processes, and what they say of its health."""

from __future__ import annotations

import os
import signal
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import API_TOKEN, Server

REQUESTS = "elasticlake_s3_requests_total"
ATTEMPTS = "elasticlake_delivery_attempts_total"
Samples = dict[tuple[str, ...], float]


def samples(server: Server, name: str) -> Samples:
    """The samples of that name, by their labels' values, from whichever gateway answers."""
    request = urllib.request.Request(f"{server.url}/v1/metrics", headers={"Authorization": f"Bearer {API_TOKEN}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {tuple(one.labels.values()): one.value for family in families for one in family.samples if one.name == name}


def put(server: Server, count: int) -> None:
    """Each over a connection of its own, so that both gateways have something to do."""
    for number in range(count):
        s3_client(server).put_object(Bucket="lake1--pond1--counted", Key=f"key{number}", Body=b"four")


def test_one_answer_counts_what_all_processes_did_even_those_that_were_killed(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn("--workers", "2").start()
    s3_client(server).create_bucket(Bucket="lake1--pond1--counted")
    hook: dict[str, Any] = {"bucket": "lake1--pond1--counted", "endpoint": receiver.url()}
    server.request("POST", "/v1/webhooks", {**hook, "events": ["object:created", "object:updated"]})
    put(server, 20)
    receiver.wait_for(20)
    eventually(lambda: samples(server, REQUESTS).get(("PutObject", "200")) == 20)
    eventually(lambda: samples(server, ATTEMPTS) == {("delivered",): 20, ("retrying",): 0, ("dead",): 0})
    eventually(lambda: samples(server, "elasticlake_webhooks") == {("enabled",): 1})
    eventually(lambda: samples(server, "elasticlake_dispatchers") == {(): 1})
    assert samples(server, "elasticlake_s3_received_bytes_total") == {(): 80}
    assert samples(server, "elasticlake_delivery_latency_seconds_count") == {(): 20}
    processes = {("supervisor",), ("dispatcher",), ("gateway-0",), ("gateway-1",)}
    assert set(samples(server, "elasticlake_process_start_time_seconds")) == processes - {("supervisor",)}
    # Everything has been written by now; a successor goes on from there.
    for pid in server.gateway_pids:
        os.kill(pid, signal.SIGKILL)
    server.wait_until_ready()
    put(server, 5)
    eventually(lambda: samples(server, REQUESTS).get(("PutObject", "200")) == 25)


def test_a_new_server_counts_from_zero(spawn: Spawn) -> None:
    server = spawn().start()
    s3_client(server).create_bucket(Bucket="lake1--pond1--counted")
    put(server, 1)
    assert samples(server, REQUESTS)["PutObject", "200"] == 1
    server.stop()
    server.start()
    assert samples(server, REQUESTS) == {}


def test_a_server_that_can_work_is_ready(server: Server) -> None:
    found = server.request("GET", "/v1/health/ready", token="")
    assert found["status"] == "ok"
    assert {"metadata", "blobs"} <= {check["name"] for check in found["checks"]}
    assert server.request("GET", "/v1/health/live", token="") == {"status": "ok"}
    assert server.request("GET", "/v1/health", token="")["role"] == "all"
