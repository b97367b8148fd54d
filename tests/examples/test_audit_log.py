"""examples/audit_log, end to end."""

from __future__ import annotations

import json
import runpy
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.docs.documents import ROOT
from tests.examples.example import Example, running
from tests.integration.server import ACCESS_KEY, API_TOKEN, SECRET_KEY, Server

from elasticlake.webhooks import Event
from elasticlake.webhooks.event import EventObject

BUCKETS = ("audited--legal--contracts", "audited--sales--offers")
THEIRS = {
    "ELASTICLAKE_API_TOKEN": API_TOKEN,
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "WEBHOOK_SECRET": "a secret of their own",
}
MARKUP = "../<script>alert(1)</script>"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """With a server that was there before, which the environment names."""
    folder = tmp_path_factory.mktemp("audit")
    server = Server(folder / "theirs").start()
    try:
        with running("audit_log", folder, ELASTICLAKE_URL=server.url, **THEIRS) as started:
            yield started
        assert server.is_running
    finally:
        server.close()


def get(example: Example, path: str, **query: str) -> Any:
    asked = f"{example.receiver_url}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=20) as response:
        return response.read()


def get_json(example: Example, path: str, **query: str) -> Any:
    return json.loads(get(example, path, **query))


def require_complete(example: Example) -> None:
    """The table holds what the server's log does: each event once, in every bucket, and no other."""
    example.wait_until_told()
    for bucket in BUCKETS:
        assert recorded(example, bucket) == [event.id for event in example.client.events(bucket, follow=False)]
    proofs = {proof["bucket"]: proof for proof in get_json(example, "/proof")}
    assert proofs.keys() == set(BUCKETS)
    for bucket, proof in proofs.items():
        last = example.client.buckets.get(bucket).sequence
        assert proof == {"bucket": bucket, "first": 1, "last": last, "recorded": last, "missing": 0}


def recorded(example: Example, bucket: str) -> list[str]:
    found = example.rows("audit.db", f"SELECT id FROM audit WHERE bucket = '{bucket}' ORDER BY sequence")
    return [str(row[0]) for row in found]


def test_the_third_command_proves_that_all_is_recorded(example: Example) -> None:
    shown = example.try_it()
    for bucket in BUCKETS:
        assert f"{bucket}: 1 to 5 recorded, 0 missing; the server's log says the same" in shown
    require_complete(example)


def test_the_page_shows_what_is_searched_for(example: Example) -> None:
    assert b"<title>Audit log</title>" in get(example, "/")
    found = get_json(example, "/entries", key="<script>")
    assert {(entry["key"], entry["action"]) for entry in found} == {
        (MARKUP, "object:created"),
        (MARKUP, "object:updated"),
    }
    assert len(found) == 4
    assert [entry["sequence"] for entry in found if entry["bucket"] == BUCKETS[0]] == [4, 3]
    assert get_json(example, "/entries", key="%") == []


def test_crashes_duplicates_and_replays_leave_each_event_once(example: Example) -> None:
    for number in range(40):
        example.s3.put_object(Bucket=BUCKETS[number % 2], Key=f"many/{number} ☂+%2F.txt", Body=b"x")
        if number in (10, 25):
            example.kill("application")
    require_complete(example)
    example.replay()
    example.replay(fresh_ids=True)
    example.backfill()
    require_complete(example)


def test_a_row_that_is_taken_out_is_missed_and_put_back_by_a_replay(example: Example) -> None:
    with closing(sqlite3.connect(example.folder / "data/audit.db")) as database, database:
        database.execute("DELETE FROM audit WHERE bucket = ? AND sequence = 3", (BUCKETS[0],))
    assert {proof["bucket"]: proof["missing"] for proof in get_json(example, "/proof")} == {
        BUCKETS[0]: 1,
        BUCKETS[1]: 0,
    }
    example.replay(bucket=BUCKETS[0])
    require_complete(example)


def test_it_uses_the_server_and_the_secret_that_are_named(example: Example) -> None:
    assert not (example.folder / "data/lake").exists()
    assert not (example.folder / "data/webhook-secret").exists()
    assert all(value not in example.output for value in THEIRS.values())


def test_to_set_it_up_again_makes_nothing_twice(example: Example) -> None:
    start = runpy.run_path(str(ROOT / "examples/_start.py"))
    before = example.webhook
    start["make_buckets"](example.client, *BUCKETS)
    for endpoint in ("http://127.0.0.1:9/hook", before.endpoint):
        secret = THEIRS["WEBHOOK_SECRET"]
        start["subscribe"](example.client, "audit", endpoint, secret, {"lake": "audited"}, events=before.events)
        assert (example.webhook.id, example.webhook.endpoint) == (before.id, endpoint)


def test_another_event_in_an_event_s_place_is_no_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the lake was restored from a backup: it counts on from there. The proof would not notice."""
    monkeypatch.setenv("AUDIT_DATABASE", str(tmp_path / "audit.db"))
    audit = runpy.run_path(str(ROOT / "examples/audit_log/audit.py"))
    event = Event("object:created", datetime(2026, 1, 1, tzinfo=UTC), "evt_1", "b", EventObject("k"), sequence=1)
    assert audit["record"](event)
    assert not audit["record"](replace(event, id="evt_2"))  # a replay with fresh ids
    for other in (replace(event, id="evt_3", object=EventObject("other")), replace(event, type="object:deleted")):
        with pytest.raises(audit["Contradiction"], match="b 1"):
            audit["record"](other)
    assert audit["ids"]("b") == ["evt_1"]
