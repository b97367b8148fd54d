"""kill -9 of every process at random moments under load: nothing that was acknowledged is lost (I1–I4).

A few kills in every run of the tests, a hundred in the soak; the same code.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.kill_load import Writer, stored_digest
from tests.integration.receiver import Receiver
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines

BUCKET = "lake1--pond1--kill"
WRITERS = 4
CATCH_UP_SECONDS = 60.0


@pytest.fixture
def writers(spawn: Spawn, receiver: Receiver) -> Iterator[tuple[Server, list[Writer]]]:
    server = spawn().start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    definition = {
        "bucket": BUCKET,
        "endpoint": receiver.url("/kill"),
        "events": ["object:created", "object:updated", "object:deleted"],
        "retrySchedule": [0.3] * 20,
    }
    server.request("POST", "/v1/webhooks", definition)
    loads = [Writer(server, BUCKET, number, seed=7) for number in range(WRITERS)]
    for writer in loads:
        writer.start()
    yield server, loads
    for writer in loads:
        writer.stop()


@pytest.mark.timeout(300)
def test_a_few_kills_lose_nothing(writers: tuple[Server, list[Writer]], receiver: Receiver) -> None:
    kill_and_prove(*writers, receiver, kills=12)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_kills_lose_nothing(writers: tuple[Server, list[Writer]], receiver: Receiver) -> None:
    kill_and_prove(*writers, receiver, kills=100)


def kill_and_prove(server: Server, writers: list[Writer], receiver: Receiver, kills: int) -> None:
    chance = random.Random(kills)
    for _ in range(kills):
        time.sleep(chance.uniform(0.05, 0.6))
        kill(server, chance)
    time.sleep(0.5)
    for writer in writers:
        writer.stop()
    assert sum(writer.acknowledged for writer in writers) > kills, "hardly any load: nothing is proven"
    assert_state(server, writers)
    sequences = logged_sequences(server)
    assert sequences == list(range(1, len(sequences) + 1)), "the log has a gap"
    assert_delivered(receiver, set(sequences))


def kill(server: Server, chance: random.Random) -> None:
    """All processes, the supervisor alone, or one of its children; then wait until the server answers again."""
    victims = chance.choice(("all", "supervisor", "child", "child"))
    assert server.process is not None
    if victims == "all":
        server.kill9_all()
    elif victims == "supervisor":
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    else:
        children = server.pids()[1:]
        if children:
            os.kill(chance.choice(children), signal.SIGKILL)
    if server.is_running:
        server.wait_until_ready()
    else:
        server.start()


def assert_state(server: Server, writers: list[Writer]) -> None:
    """Every key holds what was last acknowledged, or something sent after it whose answer was lost."""
    client = s3_client(server)
    for writer in writers:
        for key, history in writer.keys.items():
            digest = stored_digest(client, BUCKET, key)
            assert history.allows(digest), f"{key} holds {digest or 'nothing'}, acknowledged was {history.acknowledged}"


def logged_sequences(server: Server) -> list[int]:
    found: list[int] = []
    while True:
        after = found[-1] if found else 0
        page = server.request("GET", f"/v1/buckets/{BUCKET}/events?after={after}&limit=1000")
        if not page["items"]:
            return found
        found += [event["sequence"] for event in page["items"]]


def assert_delivered(receiver: Receiver, sequences: set[int]) -> None:
    """Every event of the log reached the receiver at least once."""
    give_up_at = time.monotonic() + CATCH_UP_SECONDS
    while missing := sequences - {received.event["sequence"] for received in list(receiver.requests)}:
        assert time.monotonic() < give_up_at, f"{len(missing)} events were never delivered, as {sorted(missing)[:5]}"
        time.sleep(0.2)
