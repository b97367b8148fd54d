"""examples/search_index, end to end."""

from __future__ import annotations

import json
import shutil
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.examples.example import Example, running
from tests.integration.receiver import eventually

BUCKET = "examples--library--texts"
ODD = "../tête-à-tête + 1.txt"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    with running("search_index", tmp_path_factory.mktemp("search")) as started:
        yield started


def search(example: Example, words: str) -> list[dict[str, Any]]:
    asked = f"{example.receiver_url}/search?{urllib.parse.urlencode({'q': words})}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=20) as response:
        found: list[dict[str, Any]] = json.load(response)
    return found


def keys(example: Example, words: str) -> set[str]:
    """What is found when the webhook has been told of everything."""
    example.wait_until_told()
    return {hit["key"] for hit in search(example, words)}


def put(example: Example, key: str, text: str) -> None:
    example.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode(), ContentType="text/plain")


def edit(example: Example, old: str, new: str) -> None:
    """Change the handler, and have the application started with it. What was compiled before is taken for this by its
    time in seconds and its size, so it goes."""
    path = example.folder / "texts.py"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    shutil.rmtree(path.with_name("__pycache__"), ignore_errors=True)
    example.kill("application")
    eventually(lambda: is_listening(example))


def is_listening(example: Example) -> bool:
    port = urllib.parse.urlsplit(example.receiver_url).port
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_tour_shows_backfill_and_reconcile(example: Example) -> None:
    lines = example.try_it().splitlines()
    old = f"{ODD}, poems/lighthouse.txt"
    assert lines == [
        "What was there before the webhook is not found: nothing",
        f"A backfill tells the webhook of it: {old}",
        f"What is new comes by itself: {old}, poems/new.txt",
        "The index is lost: nothing",
        f"A backfill builds it anew: {old}, poems/new.txt",
        "Reconcile: 0 objects of which the index has not been told",
    ]


def test_it_finds_words_and_no_syntax(example: Example) -> None:
    (hit,) = search(example, "café table")
    assert hit == {"bucket": BUCKET, "key": ODD, "excerpt": hit["excerpt"]}
    assert "Café au" in hit["excerpt"]
    assert keys(example, "cafe") == {ODD}
    for words in ("", '"', "NOT", "lighthouse OR harbour", "text:lighthouse*", "NEAR(", "\0"):
        assert search(example, words) == []


def test_a_bug_is_mended_and_replayed(example: Example) -> None:
    edit(example, '"utf-8"', '"ascii"')
    put(example, "dessert.txt", "Crème brûlée")
    assert keys(example, "brulee") == set()
    edit(example, '"ascii"', '"utf-8"')
    assert example.replay(prefix="dessert").delivered == 1
    assert keys(example, "brulee") == {"dessert.txt"}


def test_crashes_duplicates_and_replays_bring_back_nothing_old(example: Example) -> None:
    put(example, "many/0 ☂+%2F.txt", "old words")
    example.kill("application")
    for number in range(5):
        put(example, f"many/{number} ☂+%2F.txt", f"new words {'x ' * 1_000_000}end")
    put(example, "many/picture.png", "old words")
    example.s3.delete_object(Bucket=BUCKET, Key="poems/new.txt")
    example.s3.delete_object(Bucket=BUCKET, Key="dessert.txt")
    expected = {f"many/{number} ☂+%2F.txt" for number in range(5)}
    assert keys(example, "new words") == expected
    example.replay()
    example.redeliver_all()
    example.backfill()
    assert keys(example, "new words") == expected
    assert keys(example, "old words") == keys(example, "brulee") == keys(example, "end") == set()
    assert keys(example, "lighthouse") == {ODD, "poems/lighthouse.txt"}


def test_an_old_deletion_that_is_sent_again_deletes_nothing(example: Example) -> None:
    put(example, "phoenix.txt", "ashes")
    example.s3.delete_object(Bucket=BUCKET, Key="phoenix.txt")
    put(example, "phoenix.txt", "feathers")
    assert keys(example, "feathers") == {"phoenix.txt"}
    told = {one.event: one.id for one in example.client.deliveries.list_object(BUCKET, "phoenix.txt")}
    again = example.client.deliveries.redeliver(told["object:deleted"]).id
    eventually(lambda: example.client.deliveries.get(again).status == "delivered")
    assert keys(example, "feathers") == {"phoenix.txt"}
