"""Three gateways and two dispatchers over one PostgreSQL and one blob store, with everything done to them that happens
to machines: nothing acknowledged is lost, nothing is told twice, and deliveries keep their order (I1-I5).

A few faults in every run of the tests, fifty kills in the soak; the same code.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.integration.cluster import Cluster, Node, running_cluster
from tests.integration.cluster_load import SIZES_BYTES, SMALL_BYTES, Client, Record, Rival, Writer
from tests.integration.cluster_proof import (
    assert_objects,
    assert_order,
    assert_told,
    dead_blobs,
    internal_errors,
    last_allowed,
    longest_overlap,
    lost_blobs,
    read_log,
)
from tests.integration.cluster_receiver import ClusterReceiver, at_once
from tests.integration.conftest import s3_client
from tests.integration.kill_load import ABSENT
from tests.integration.receiver import eventually
from tests.proxy import Proxy

HOT = "hot--pond--b"
MANY = [f"many--pond{number % 3}--b{number}" for number in range(12)]
EVENTS = ["object:created", "object:updated", "object:deleted", "multipart:completed"]
FENCING_SECONDS = 5.0
GRACE_SECONDS = 2
COLLECTED_SECONDS = 90
CATCH_UP_SECONDS = 120.0
# Whatever fails is tried again for as long as the test lasts.
RETRY = [0.2] * 50
ORDERINGS = {"/fast": "key", "/slow": "key", "/flaky": "key", "/whole": "bucket", "/lake": "key", "/one": "key"}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path, "--blob-grace-seconds", str(GRACE_SECONDS)) as running:
        yield running


@pytest.fixture
def receiver(cluster: Cluster) -> Iterator[ClusterReceiver]:
    listening = ClusterReceiver(cluster.owner)
    yield listening
    listening.close()


@pytest.mark.timeout(300)
def test_a_few_faults_lose_nothing(cluster: Cluster, receiver: ClusterReceiver) -> None:
    break_and_prove(cluster, receiver, kills=6, restarts=1, interruptions=1, seconds=3)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills_five_restarts_and_a_broken_network_lose_nothing(
    cluster: Cluster, receiver: ClusterReceiver
) -> None:
    break_and_prove(cluster, receiver, kills=50, restarts=5, interruptions=6, seconds=10)


def break_and_prove(
    cluster: Cluster, receiver: ClusterReceiver, kills: int, restarts: int, interruptions: int, seconds: float
) -> None:
    make_buckets_and_webhooks(cluster, receiver)
    record = Record()
    client = Client(cluster, record)
    writers = [
        *(Writer(client, f"hot{number}", [HOT], SIZES_BYTES, seed=kills) for number in range(3)),
        *(Writer(client, f"many{number}", MANY, SMALL_BYTES, seed=kills) for number in range(3)),
        *(Rival(client, number, HOT, seed=kills) for number in range(3)),
    ]
    for writer in writers:
        writer.start()
    break_things(cluster, random.Random(kills), kills, restarts, interruptions, seconds)
    cluster.mend()
    time.sleep(1)
    for writer in writers:
        writer.stop()
    for writer in writers:
        writer.join()
    collect(cluster)
    print(f"{record.acknowledged} of {len(record.operations)} changes acknowledged; refused: {dict(record.refusals)}")
    prove(cluster, receiver, client, writers)
    client.close()
    assert record.acknowledged > 10 * kills, "hardly any load: nothing is proven"


def make_buckets_and_webhooks(cluster: Cluster, receiver: ClusterReceiver) -> None:
    server = cluster.gateways[0].server
    s3 = s3_client(server)
    for bucket in (HOT, *MANY):
        s3.create_bucket(Bucket=bucket)
    places = {"/lake": {"lake": "many"}, "/one": {"bucket": MANY[0]}}
    manners = {
        "/slow": lambda _: (0.05, 200),
        "/flaky": lambda before: (0.01, 503 if before % 40 < 5 else 200),
    }
    for path, ordering in ORDERINGS.items():
        definition = {
            **places.get(path, {"bucket": HOT}),
            "endpoint": receiver.endpoint(path, manners.get(path, at_once)),
            "events": EVENTS,
            "ordering": ordering,
            "retrySchedule": RETRY,
        }
        server.request("POST", "/v1/webhooks", definition)


# What is done to the cluster.


def break_things(
    cluster: Cluster, chance: random.Random, kills: int, restarts: int, interruptions: int, seconds: float
) -> None:
    """Everything, in random order, under load."""
    blows: list[Callable[[], None]] = [lambda: kill(cluster, chance)] * kills
    blows += [lambda number=number: restart_postgres(cluster, number) for number in range(restarts)]  # type: ignore[misc]
    blows += [lambda number=number: interrupt(cluster, chance, number, seconds) for number in range(interruptions)]  # type: ignore[misc]
    chance.shuffle(blows)
    for blow in blows:
        time.sleep(chance.uniform(0.1, 1.0))
        cluster.revive()
        blow()


def kill(cluster: Cluster, chance: random.Random) -> None:
    """Kill a process, the supervisor or all of a node, or of the blob store; whoever is left starts again by itself."""
    living = [node for node in (*cluster.nodes, Node(cluster.store, "store", ())) if node.server.is_running]
    victim = chance.choice(living)
    chance.choice((victim.kill9, victim.kill9_supervisor, victim.kill9_worker, victim.kill9_worker))()
    time.sleep(chance.uniform(0.0, 0.5))
    cluster.revive()


def restart_postgres(cluster: Cluster, number: int) -> None:
    if number % 3 == 0:
        cluster.postgres.kill9()
        cluster.postgres.start()
    else:
        cluster.postgres.restart("fast" if number % 3 == 1 else "immediate")


def interrupt(cluster: Cluster, chance: random.Random, number: int, seconds: float) -> None:
    """Cut lines, or pause a process, for so long; another process is killed meanwhile."""
    gateway, dispatcher = chance.choice(cluster.gateways), chance.choice(cluster.dispatchers)
    interruption = (
        lines_cut(cluster.database_lines),
        lines_cut(dispatcher.lines),
        lines_cut(cluster.blob_lines),
        lines_cut(gateway.lines),
        worker_paused(dispatcher),
        worker_paused(gateway),
    )[number % 6]
    with interruption:
        time.sleep(seconds / 2)
        chance.choice(cluster.nodes).kill9_worker()
        time.sleep(seconds / 2)


@contextmanager
def lines_cut(lines: Sequence[Proxy]) -> Iterator[None]:
    for line in lines:
        line.cut()
    try:
        yield
    finally:
        for line in lines:
            line.heal()


@contextmanager
def worker_paused(node: Node) -> Iterator[None]:
    pid = node.worker_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it may have been killed in its sleep
            os.kill(pid, signal.SIGCONT)


def collect(cluster: Cluster) -> None:
    """Let the gateways delete whatever they think may go: the first of those that start looks at every blob."""
    time.sleep(GRACE_SECONDS)
    for node in cluster.gateways:
        assert node.server.stop() == 0
    cluster.mend()
    eventually(lambda: not dead_blobs(cluster), seconds=COLLECTED_SECONDS)
    assert lost_blobs(cluster) == set()


# What must hold in the end.


def prove(cluster: Cluster, receiver: ClusterReceiver, client: Client, writers: list[Writer]) -> None:
    record = client.record
    assert record.faults == []
    assert internal_errors(cluster) == []
    logs = {bucket: read_log(cluster, bucket) for bucket in (HOT, *MANY)}
    digests = {}
    for bucket, log in logs.items():
        assert_told(bucket, record.operations, log)
        digests.update(assert_objects(cluster, client, bucket, log))
    for writer in writers:
        for place, history in writer.histories.items():
            assert history.allows(digests.get(place, ABSENT)), f"{place} is not what was acknowledged last"
    for place in {operation.place for operation in record.operations if operation.place[1].startswith("shared/")}:
        assert digests.get(place, ABSENT) in last_allowed(record.operations, place), f"{place} is an older value"
    totals = {bucket: len(log) for bucket, log in logs.items()}
    prove_deliveries(receiver, totals)
    assert "deadlock detected" not in cluster.postgres.log.read_text()
    assert cluster.check() == []


def prove_deliveries(receiver: ClusterReceiver, totals: dict[str, int]) -> None:
    """Every event reached every webhook that wants it, in its order, and from one dispatcher at a time."""
    many = {(bucket, number) for bucket in MANY for number in range(1, totals[bucket] + 1)}
    hot = {(HOT, number) for number in range(1, totals[HOT] + 1)}
    wanted = dict.fromkeys(ORDERINGS, hot)
    wanted |= {"/lake": many, "/one": {event for event in many if event[0] == MANY[0]}}
    give_up_at = time.monotonic() + CATCH_UP_SECONDS
    while missing := {path: len(wanted[path] - receiver.delivered(path)) for path in ORDERINGS}:
        if not any(missing.values()):
            break
        assert time.monotonic() < give_up_at, f"never delivered: {missing}"
        time.sleep(0.5)
    for path, ordering in ORDERINGS.items():
        arrivals = receiver.at(path)
        assert_order(arrivals, ordering)
        overlap = longest_overlap(arrivals)
        print(f"{path}: {len(arrivals)} attempts of {len(wanted[path])} events; longest overlap {overlap:.2f} s")
        assert overlap <= FENCING_SECONDS
    senders = {arrival.sender.partition("/")[0] for arrival in receiver.arrivals if arrival.sender}
    assert senders == {"dispatcher0", "dispatcher1"}, "one dispatcher did everything: nothing is proven"
