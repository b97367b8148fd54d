"""What the nodes of a cluster owe each other: webhooks that move, changes that are seen, outages that pass."""

from __future__ import annotations

import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.integration.cluster import Cluster, Node, running_cluster
from tests.integration.cluster_proof import assert_order, longest_overlap
from tests.integration.cluster_receiver import Arrival, ClusterReceiver, Manner, at_once
from tests.integration.conftest import s3_client
from tests.integration.receiver import eventually
from tests.integration.server import Server

from elasticlake.metadata.postgres.links import PAUSE_SECONDS

EVENTS = ["object:created", "object:updated", "object:deleted"]
LEASE_SECONDS = 5.0
MOVED_SECONDS = 10.0
SEEN_SECONDS = 1.0
# More than a time-out of ours, less than any client's patience.
REFUSED_SECONDS = 15.0
PAUSED_SECONDS = 12.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
        assert cluster.check() == []


@pytest.fixture
def cluster(running: Cluster) -> Iterator[Cluster]:
    """The cluster that these tests share, all of it up, before and after each."""
    running.mend()
    yield running
    running.mend()


@pytest.fixture(scope="module")
def receiver(running: Cluster) -> Iterator[ClusterReceiver]:
    listening = ClusterReceiver(running.owner)
    yield listening
    listening.close()


_numbers = count(1)


@pytest.fixture
def bucket(cluster: Cluster) -> str:
    """An empty bucket of the test's own."""
    name = f"nodes--pond--b{next(_numbers)}"
    s3_client(cluster.gateways[0].server).create_bucket(Bucket=name)
    return name


class Spread:
    """Webhooks on one bucket, of which both dispatchers have some."""

    def __init__(self, cluster: Cluster, receiver: ClusterReceiver, bucket: str, manner: Manner = at_once) -> None:
        self._receiver = receiver
        self._bucket = bucket
        self._manner = manner
        self._gateway = cluster.gateways[1].server
        self._s3 = s3_client(self._gateway)
        self.paths: list[str] = []
        self._began: dict[str, int] = {}
        self.written = 0
        while not self.paths or len(self.senders()) < 2 or len(self.paths) < 4:
            self.add_webhook()

    def add_webhook(self, manner: Manner | None = None) -> str:
        """One more, which starts with the bucket's next event; returns its endpoint's path."""
        path = f"/{self._bucket}/{len(self.paths)}"
        self.paths.append(path)
        self._began[path] = self.written + 1
        endpoint = self._receiver.endpoint(path, manner or self._manner)
        body = {"bucket": self._bucket, "endpoint": endpoint, "events": EVENTS, "retrySchedule": [0.2] * 20}
        self._gateway.request("POST", "/v1/webhooks", body)
        return path

    def put(self, objects: int = 1) -> int:
        """Write objects, all of one key; returns the sequence of the last."""
        for _ in range(objects):
            self._s3.put_object(Bucket=self._bucket, Key="key", Body=b"x")
            self.written += 1
        return self.written

    def arrivals(self, path: str, sequence: int) -> list[Arrival]:
        return [one for one in self._receiver.at(path) if one.sequence == sequence and one.succeeded]

    def wait_for(self, sequence: int, seconds: float = 20.0) -> None:
        """Until the event has arrived at every endpoint."""
        eventually(lambda: all(self.arrivals(path, sequence) for path in self.paths), seconds=seconds)

    def senders(self) -> dict[str, list[str]]:
        """Which endpoints each dispatcher serves, found out with an event of its own."""
        sequence = self.put()
        self.wait_for(sequence)
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(self.arrivals(path, sequence)[0].sender.partition("/")[0], []).append(path)
        return found

    def has_joined(self, name: str) -> bool:
        """Whether the dispatcher serves endpoints again. Few webhooks may all fall to the other, so there is one more
        each time."""
        if name in self.senders():
            return True
        self.add_webhook()
        return False

    def assert_everything_arrived(self, since: int) -> None:
        for path in self.paths:
            arrived = {one.sequence for one in self._receiver.at(path) if one.succeeded}
            assert arrived >= set(range(max(since, self._began[path]), self.written + 1))
            assert_order(self._receiver.at(path))


def dispatcher_of(cluster: Cluster, senders: dict[str, list[str]]) -> Node:
    """The dispatcher that has the most webhooks."""
    name = max(senders, key=lambda one: len(senders[one]))
    return next(node for node in cluster.dispatchers if node.name == name)


# Webhooks that move.


def test_a_dead_dispatchers_webhooks_are_delivered_by_the_other(
    cluster: Cluster, receiver: ClusterReceiver, bucket: str
) -> None:
    spread = Spread(cluster, receiver, bucket)
    victim = dispatcher_of(cluster, spread.senders())
    victim.kill9()
    killed_at = time.monotonic()
    sequence = spread.put()
    spread.wait_for(sequence)
    assert time.monotonic() - killed_at < MOVED_SECONDS
    assert all(spread.arrivals(path, sequence)[0].sender.partition("/")[0] != victim.name for path in spread.paths)
    cluster.mend()
    eventually(lambda: spread.has_joined(victim.name))
    spread.assert_everything_arrived(since=sequence)


def test_a_dead_dispatchers_successor_goes_on_at_once(cluster: Cluster, receiver: ClusterReceiver, bucket: str) -> None:
    """Its supervisor starts another one, which nobody has to take for dead first."""
    spread = Spread(cluster, receiver, bucket)
    victim = dispatcher_of(cluster, spread.senders())
    victim.kill9_worker()
    killed_at = time.monotonic()
    spread.wait_for(spread.put())
    assert time.monotonic() - killed_at < LEASE_SECONDS


def test_a_dispatcher_that_stops_hands_over_at_once(cluster: Cluster, receiver: ClusterReceiver, bucket: str) -> None:
    spread = Spread(cluster, receiver, bucket)
    leaving = dispatcher_of(cluster, spread.senders())
    assert leaving.server.stop() == 0
    stopped_at = time.monotonic()
    sequence = spread.put()
    spread.wait_for(sequence)
    assert time.monotonic() - stopped_at < LEASE_SECONDS
    for path in spread.paths:
        assert len(spread.arrivals(path, sequence)) == 1
        assert longest_overlap(receiver.at(path)) == 0


def test_a_paused_dispatcher_does_not_write_over_its_successor(
    cluster: Cluster, receiver: ClusterReceiver, bucket: str
) -> None:
    """It sleeps with attempts under way, and wakes with their answers in hand."""
    spread = Spread(cluster, receiver, bucket)
    # Longer than the lease: the successor begins while this attempt is still under way.
    slow = spread.add_webhook(lambda before: (7.0 if before == 0 else 0.0, 200))
    since = spread.put()
    sender = eventually(lambda: receiver.at(slow))[0].sender.partition("/")[0]
    paused = next(node for node in cluster.dispatchers if node.name == sender)
    log_before = len(paused.server.log)
    pid = paused.worker_pid
    with _watched_positions(cluster) as seen:
        spread.put(5)
        os.kill(pid, signal.SIGSTOP)
        try:
            until = time.monotonic() + PAUSED_SECONDS
            while time.monotonic() < until:
                spread.put()
                time.sleep(0.2)
            sequence = spread.put()
            spread.wait_for(sequence)
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: "taken for dead and joins anew" in paused.server.log[log_before:])
        eventually(lambda: spread.has_joined(paused.name))
    assert paused.worker_pid == pid, "it is to rejoin, not to be started again"
    spread.assert_everything_arrived(since)
    assert [step for steps in seen.values() for step in pairwise(steps) if step[0] > step[1]] == []
    assert max(longest_overlap(receiver.at(path)) for path in spread.paths) <= LEASE_SECONDS


@contextmanager
def _watched_positions(cluster: Cluster) -> Iterator[dict[tuple[str, int], list[int]]]:
    """Every position as it moves, by webhook and bucket, until the block ends."""
    seen: dict[tuple[str, int], list[int]] = {}
    ended = threading.Event()

    def watch() -> None:
        with cluster.postgres_connection() as connection:
            while not ended.wait(0.02):
                for *feed, sequence in connection.execute("SELECT webhook_id, bucket_id, sequence FROM positions"):
                    seen.setdefault((feed[0], feed[1]), []).append(sequence)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        ended.set()
        watching.join()
    assert seen


# Changes that are seen.


def test_what_one_gateway_changes_another_sees(cluster: Cluster, bucket: str) -> None:
    here, there = cluster.gateways[0].server, cluster.gateways[2].server
    key = here.request("POST", "/v1/accounts/root/keys", {})
    other = s3_client(there, key["accessKeyId"], key["secretAccessKey"])
    other.put_object(Bucket=bucket, Key="key", Body=b"x")
    anonymous = f"/{bucket}?list-type=2"
    assert _status(there, anonymous) == 403

    here.request("PATCH", f"/v1/buckets/{bucket}", {"acl": "public-read"})
    _soon(lambda: _status(there, anonymous) == 200)
    here.request("PATCH", f"/v1/buckets/{bucket}", {"acl": "private"})
    _soon(lambda: _status(there, anonymous) == 403)

    token = here.request("POST", "/v1/tokens", {"name": "other", "accounts": None, "access": "read"})
    assert there.request("GET", "/v1/lakes", token=token["token"])
    here.request("DELETE", f"/v1/tokens/{token['id']}")
    _soon(lambda: there.refusal("GET", "/v1/lakes", token=token["token"])["status"] == 401)

    here.request("DELETE", f"/v1/accounts/root/keys/{key['accessKeyId']}")
    _soon(lambda: _refusal(lambda: other.get_object(Bucket=bucket, Key="key"))[0] == "InvalidAccessKeyId")

    s3_client(here).delete_object(Bucket=bucket, Key="key")
    s3_client(here).delete_bucket(Bucket=bucket)
    client = s3_client(there)
    _soon(lambda: _refusal(lambda: client.put_object(Bucket=bucket, Key="key", Body=b"x"))[0] == "NoSuchBucket")


def test_a_changed_webhook_is_what_the_dispatchers_follow(
    cluster: Cluster, receiver: ClusterReceiver, bucket: str
) -> None:
    here, there = cluster.gateways[0].server, cluster.gateways[2].server
    old, new = f"/{bucket}/old", f"/{bucket}/new"
    body = {"bucket": bucket, "endpoint": receiver.endpoint(old), "events": EVENTS}
    webhook = here.request("POST", "/v1/webhooks", body)
    s3_client(there).put_object(Bucket=bucket, Key="key", Body=b"1")
    eventually(lambda: len(receiver.at(old)) == 1)
    here.request("PATCH", f"/v1/webhooks/{webhook['id']}", {"endpoint": receiver.endpoint(new)})
    time.sleep(SEEN_SECONDS)
    s3_client(there).put_object(Bucket=bucket, Key="key", Body=b"2")
    eventually(lambda: len(receiver.at(new)) == 1)
    assert len(receiver.at(old)) == 1


def test_a_test_delivery_that_any_gateway_is_asked_for_is_made_once(
    cluster: Cluster, receiver: ClusterReceiver, bucket: str
) -> None:
    spread = Spread(cluster, receiver, bucket)
    server = cluster.gateways[2].server
    webhooks = server.request("GET", f"/v1/webhooks?bucket={bucket}")["items"]
    assert len(webhooks) == len(spread.paths)
    for webhook in webhooks:
        server.request("POST", f"/v1/webhooks/{webhook['id']}/test")
    eventually(lambda: all(spread.arrivals(path, 0) for path in spread.paths))
    spread.wait_for(spread.put())
    assert [len(spread.arrivals(path, 0)) for path in spread.paths] == [1] * len(spread.paths)


def test_a_long_poll_at_one_gateway_wakes_on_a_write_through_another(cluster: Cluster, bucket: str) -> None:
    here, there = cluster.gateways[0].server, cluster.gateways[1].server
    answers: list[Any] = []

    def poll() -> None:
        answers.append(there.request("GET", f"/v1/buckets/{bucket}/events?after=0&wait=30"))
        answers.append(time.monotonic())

    polling = threading.Thread(target=poll)
    polling.start()
    time.sleep(0.7)
    assert not answers
    s3_client(here).put_object(Bucket=bucket, Key="key", Body=b"x")
    written_at = time.monotonic()
    polling.join()
    assert [event["sequence"] for event in answers[0]["items"]] == [1]
    assert answers[1] - written_at < SEEN_SECONDS


# Outages that pass.


@pytest.mark.parametrize("outage", ["killed", "cut"])
def test_without_the_database_requests_are_told_to_slow_down(cluster: Cluster, bucket: str, outage: str) -> None:
    pids = [node.server.pids() for node in cluster.nodes]
    clients = [s3_client(node.server, read_timeout=60) for node in cluster.gateways]
    clients[0].put_object(Bucket=bucket, Key="key", Body=b"before")
    _begin(cluster, outage)
    try:
        with ThreadPoolExecutor(9) as pool:
            refusals = list(pool.map(_refusal, [ask for client in clients for ask in _requests(client, bucket)]))
        assert {code for code, _ in refusals} == {"SlowDown"}
        assert max(seconds for _, seconds in refusals) < REFUSED_SECONDS
        for node in cluster.nodes:
            assert _status(node.server, "/v1/health/live") == 200
            eventually(lambda node=node: _status(node.server, "/v1/health/ready") == 503)  # type: ignore[misc]
    finally:
        _end(cluster, outage)
    for node in cluster.nodes:
        eventually(lambda node=node: node.is_ready)  # type: ignore[misc]
    for client in clients:
        client.put_object(Bucket=bucket, Key="key", Body=b"after")
        assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"after"
    assert [node.server.pids() for node in cluster.nodes] == pids, "it is to heal, not to be started again"


def test_a_gateway_that_starts_without_the_database_says_so(cluster: Cluster, bucket: str) -> None:
    """Its process died during the outage; a request is refused then as well, not kept waiting."""
    node = cluster.gateways[0]
    client = s3_client(node.server, read_timeout=60)
    cluster.postgres.kill9()
    try:
        node.kill9_worker()
        code, seconds = _refusal(lambda: client.put_object(Bucket=bucket, Key="key", Body=b"x"))
        assert (code, seconds < REFUSED_SECONDS) == ("SlowDown", True)
        assert _status(node.server, "/v1/health/live") == 200
    finally:
        cluster.postgres.start()
    eventually(lambda: node.is_ready)
    # Ready is said of reading; whoever failed to write a moment ago does not try again within this time.
    time.sleep(PAUSE_SECONDS)
    client.put_object(Bucket=bucket, Key="key", Body=b"x")


def test_without_the_blob_store_small_objects_go_on(cluster: Cluster, bucket: str) -> None:
    client = s3_client(cluster.gateways[0].server, read_timeout=60)
    client.put_object(Bucket=bucket, Key="large", Body=b"x" * 100_000)
    cluster.store.kill9_all()
    client.put_object(Bucket=bucket, Key="small", Body=b"small")
    code, seconds = _refusal(lambda: client.put_object(Bucket=bucket, Key="large", Body=b"y" * 100_000))
    assert code == "SlowDown"
    assert seconds < 2 * REFUSED_SECONDS
    eventually(lambda: _blobs_status(cluster) == "unavailable")
    assert cluster.gateways[0].is_ready, "small bodies and metadata go on"
    cluster.store.start()
    eventually(lambda: _blobs_status(cluster) == "ok")
    assert client.get_object(Bucket=bucket, Key="large")["Body"].read() == b"x" * 100_000


def _blobs_status(cluster: Cluster) -> str:
    found = cluster.gateways[0].server.request("GET", "/v1/health/ready", token="")
    (status,) = [check["status"] for check in found["checks"] if check["name"] == "blobs"]
    return str(status)


def _begin(cluster: Cluster, outage: str) -> None:
    if outage == "killed":
        cluster.postgres.kill9()
    else:
        for line in cluster.database_lines:
            line.cut()


def _end(cluster: Cluster, outage: str) -> None:
    if outage == "killed":
        cluster.postgres.start()
    else:
        for line in cluster.database_lines:
            line.heal()


def _soon(holds: Callable[[], object]) -> None:
    """It holds within the second that a change may take from node to node; asking takes a little as well."""
    eventually(holds, seconds=SEEN_SECONDS)


def _status(server: Server, path: str) -> int:
    """The status of a GET that nobody signed."""
    try:
        with urllib.request.urlopen(server.url + path, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _requests(client: Any, bucket: str) -> list[Callable[[], object]]:
    return [
        lambda: client.put_object(Bucket=bucket, Key="key", Body=b"during"),
        lambda: client.put_object(Bucket=bucket, Key="key", Body=b"x" * 100_000),
        lambda: client.get_object(Bucket=bucket, Key="key"),
    ]


def _refusal(ask: Callable[[], object]) -> tuple[str, float]:
    """S3's code of the error, "" for none, and for how many seconds it was waited for."""
    asked_at = time.monotonic()
    try:
        ask()
        code = ""
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
    return code, time.monotonic() - asked_at
