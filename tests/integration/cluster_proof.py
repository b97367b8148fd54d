"""What must hold of a cluster after load and faults, whatever happened: judged from logs, objects and deliveries."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, LiteralString

from tests.integration.cluster import BLOB_BUCKET, Cluster
from tests.integration.cluster_load import Client, Operation, Place
from tests.integration.cluster_receiver import Arrival
from tests.integration.conftest import s3_client
from tests.integration.kill_load import ABSENT

Log = list[dict[str, Any]]
_BLOB_ID = re.compile("[0-9a-f]{32}")


def read_log(cluster: Cluster, bucket: str) -> Log:
    """Every event of the bucket; demands that the sequences have no gap, and that every gateway shows the same."""
    logs = [_pages(node.server.request, bucket) for node in cluster.gateways]
    assert logs[0] == logs[1] == logs[2], f"{bucket}: gateways show different logs"
    assert [event["sequence"] for event in logs[0]] == list(range(1, len(logs[0]) + 1)), f"{bucket}: a gap in the log"
    return logs[0]


def _pages(request: Callable[..., Any], bucket: str) -> Log:
    found: Log = []
    while page := request("GET", f"/v1/buckets/{bucket}/events?after={len(found)}&limit=1000")["items"]:
        found += page
    return found


def told_state(log: Log) -> dict[str, str]:
    """The etag of each key that the log ends with; demands that each event fits what was before it."""
    state: dict[str, str] = {}
    for event in log:
        key, etag, where = event["object"]["key"], event["object"]["etag"], f"{event['bucket']} #{event['sequence']}"
        if event["event"] == "object:created":
            assert key not in state, f"{where}: a second `created` of {key} without a `deleted` between"
            state[key] = etag
        elif event["event"] == "object:updated":
            assert state.get(key) == event["previous"]["etag"], f"{where}: {key} was not what it replaces"
            state[key] = etag
        elif event["event"] == "object:deleted":
            assert state.pop(key, None) == etag, f"{where}: {key} was not what it deletes"
        else:
            assert state.get(key) == etag, f"{where}: {key} is not what was completed"
    return state


def assert_objects(cluster: Cluster, client: Client, bucket: str, log: Log) -> dict[Place, str]:
    """The objects are what the log tells, and can be read whole; returns their digests."""
    listed: dict[str, str] = {}
    for page in s3_client(cluster.gateways[0].server).get_paginator("list_objects_v2").paginate(Bucket=bucket):
        listed.update({entry["Key"]: entry["ETag"].strip('"') for entry in page.get("Contents", [])})
    assert listed == told_state(log), f"{bucket}: the objects are not what the log tells"
    digests = {(bucket, key): client.digest((bucket, key), 1) for key in listed}
    unread = [place for place, digest in digests.items() if not digest]
    assert not unread, f"cannot be read: {unread[:3]}"
    return {place: digest or "" for place, digest in digests.items()}


def lost_blobs(cluster: Cluster) -> set[str]:
    """Blobs that an object or an upload names, and the store does not hold."""
    return _blobs(cluster, "SELECT blob_id FROM manifests UNION SELECT blob_id FROM parts") - _stored(cluster)


def dead_blobs(cluster: Cluster) -> set[str]:
    """Blobs that the store holds for nothing; those of uploads that died a minute ago are not dead yet."""
    sql = "SELECT blob_id FROM manifests UNION SELECT blob_id FROM parts UNION SELECT blob_id FROM blob_intents"
    return _stored(cluster) - _blobs(cluster, sql)


def _blobs(cluster: Cluster, sql: LiteralString) -> set[str]:
    with cluster.postgres_connection() as connection:
        return {row[0] for row in connection.execute(sql)} - {""}


def _stored(cluster: Cluster) -> set[str]:
    pages = s3_client(cluster.store).get_paginator("list_objects_v2").paginate(Bucket=BLOB_BUCKET)
    names = [entry["Key"].rpartition("/")[2] for page in pages for entry in page.get("Contents", [])]
    return {name for name in names if _BLOB_ID.fullmatch(name)}


def assert_told(bucket: str, operations: Iterable[Operation], log: Log) -> None:
    """Every acknowledged put is in the log, no other is there twice, and the order of the log is that of the clock."""
    puts = [one for one in operations if one.place[0] == bucket and one.etag != ABSENT]
    asked = Counter((one.place[1], one.etag) for one in puts)
    acknowledged = Counter((one.place[1], one.etag) for one in puts if one.is_acknowledged)
    told: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in log:
        if event["event"] in ("object:created", "object:updated"):
            told[event["object"]["key"], event["object"]["etag"]].append(event["sequence"])
    lost = [what for what, count in acknowledged.items() if len(told[what]) < count]
    assert not lost, f"{bucket}: acknowledged and not in the log: {lost[:3]}"
    unasked = [what for what, sequences in told.items() if len(sequences) > asked[what]]
    assert not unasked, f"{bucket}: more often in the log than asked for: {unasked[:3]}"
    unique = {what: sequences[0] for what, sequences in told.items() if asked[what] == 1}
    _assert_clock_order(bucket, [one for one in puts if one.is_acknowledged], unique)


def _assert_clock_order(bucket: str, puts: list[Operation], sequences: dict[tuple[str, str], int]) -> None:
    """What was acknowledged before another was asked for comes before it."""
    known = [(one, sequences[one.place[1], one.etag]) for one in puts if (one.place[1], one.etag) in sequences]
    ending = sorted(known, key=lambda pair: pair[0].ended)
    ended, highest = 0, 0
    for one, sequence in sorted(known, key=lambda pair: pair[0].began):
        while ending[ended][0].ended < one.began:
            highest = max(highest, ending[ended][1])
            ended += 1
        assert sequence > highest, f"{bucket} #{sequence}: asked for after #{highest} was acknowledged"


def last_allowed(operations: Iterable[Operation], place: Place) -> set[str]:
    """The digests that a key may hold which several clients changed: of whatever nothing acknowledged came after."""
    of_key = [one for one in operations if one.place == place]
    latest_began = max((one.began for one in of_key if one.is_acknowledged), default=0.0)
    allowed = {one.digest for one in of_key if one.ended >= latest_began}
    return allowed if any(one.is_acknowledged for one in of_key) else {*allowed, ABSENT}


def assert_order(arrivals: Iterable[Arrival], ordering: str = "key") -> None:
    """In each lane the first arrivals are in ascending order, and none came before the one before it was taken.

    Repeats of what was delivered before are no fault: a crash or a lost lease brings them.
    """
    first: dict[tuple[str, str], dict[int, Arrival]] = defaultdict(dict)
    taken: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for arrival in sorted(arrivals, key=lambda one: one.began):
        lane = (arrival.bucket, arrival.key if ordering == "key" else "")
        first[lane].setdefault(arrival.sequence, arrival)
        if arrival.succeeded:
            ended = taken[lane].get(arrival.sequence, float("inf"))
            taken[lane][arrival.sequence] = min(ended, arrival.ended)
    for lane, arrived in first.items():
        for before, after in pairwise(arrived.values()):
            where = f"{after.path}: {lane} #{after.sequence} after #{before.sequence}"
            assert before.sequence < after.sequence, f"{where}, out of order"
            assert taken[lane].get(before.sequence, float("inf")) <= after.began, f"{where}, which was not taken yet"


def longest_overlap(arrivals: Iterable[Arrival]) -> float:
    """For how many seconds at most two dispatchers had attempts for this webhook under way at once."""
    longest = 0.0
    open_ones: list[Arrival] = []
    for arrival in sorted(arrivals, key=lambda one: one.began):
        open_ones = [one for one in open_ones if one.ended > arrival.began]
        for one in open_ones:
            if arrival.sender and one.sender and arrival.sender != one.sender:
                longest = max(longest, min(one.ended, arrival.ended) - arrival.began)
        open_ones.append(arrival)
    return longest


def internal_errors(cluster: Cluster) -> list[str]:
    """Lines of the nodes' logs that tell of a fault that nobody foresaw."""
    lines = [line for node in cluster.gateways for line in node.server.log.splitlines()]
    return [line for line in lines if '"internal error"' in line or '"unhandled' in line]
