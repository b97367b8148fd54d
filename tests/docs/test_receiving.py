"""Every snippet of docs/receiving.md runs, and takes a delivery; its tables name what there is."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import inspect
import re
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref import simple_server

import pytest
from django.test import RequestFactory, override_settings
from django.urls import resolve
from tests.docs.documents import Document, blocks, codes, rows
from tests.unit.webhooks.sent import SECRET, WEBHOOK, event, sent
from tests.webhook_hosts import configure_django, serve_aiohttp, serve_asgi, serve_wsgi

from elasticlake import webhooks
from elasticlake.delivery.attempt import Request
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS
from elasticlake.webhooks import Event, EventObject, MemoryGuard, Previous, RedisGuard, SqliteGuard
from elasticlake.webhooks import answer as answers
from elasticlake.webhooks.guards.guard import CLAIM_SECONDS, KEEP_SECONDS
from elasticlake.webhooks.guards.memory import MAX_COMPLETED
from elasticlake.webhooks.verification import TOLERANCE_SECONDS

PAGE = Document("docs/receiving.md")
README = Document("README.md")
SNIPPETS = {block.title: block.text for block in blocks(PAGE.text) if block.language == "python"}
SAID = "a thumbnail of uploads/photo.jpg\n42 object:created\n"

Load = Callable[[str], Any]


def delivery(sequence: int = 42, **changed: Any) -> Request:
    return sent(event(sequence, key=b"uploads/photo.jpg", **changed))


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Saves the snippets as files in an empty folder, and imports one."""
    for title, text in SNIPPETS.items():
        (tmp_path / title).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("NEXT_WEBHOOK_SECRET", "the-next-one")
    names = [title.removesuffix(".py") for title in SNIPPETS]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def post(url: str, request: Request) -> int:
    asked = urllib.request.Request(url, request.body, dict(request.headers), method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=20) as response:
        return int(response.status)


def test_every_snippet_is_tried_below() -> None:
    assert set(SNIPPETS) == {
        "verify.py",
        "receiver.py",
        "flask_app.py",
        "urls.py",
        "fastapi_app.py",
        "aiohttp_app.py",
        "wsgi_app.py",
        "anywhere.py",
        "exactly_once.py",
        "two_receivers.py",
        "rotation.py",
    }


def test_verify(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    received = load("verify").received
    request = delivery()
    received(request.body, dict(request.headers))
    assert capsys.readouterr().out == "object:created lake1--pond1--my-bucket uploads/photo.jpg\n"
    with pytest.raises(webhooks.SignatureMismatch):
        received(request.body + b" ", dict(request.headers))


def test_the_receiver(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    receiver = load("receiver").receiver
    for request in [delivery(), delivery(), delivery(43, type="object:deleted")]:
        assert receiver.handle(request.body, request.headers).status == 204
    # The second is a repetition.
    assert capsys.readouterr().out == SAID + "forgotten: uploads/photo.jpg\n43 object:deleted\n"
    assert Path("webhooks.db").exists()


@pytest.mark.parametrize(
    ("name", "serve"),
    [("flask_app", serve_wsgi), ("fastapi_app", serve_asgi), ("aiohttp_app", serve_aiohttp)],
)
def test_in_a_framework(load: Load, capsys: pytest.CaptureFixture[str], name: str, serve: Any) -> None:
    with serve(load(name).app) as port:
        assert post(f"http://127.0.0.1:{port}/hook", delivery()) == 204
    assert capsys.readouterr().out == SAID


def test_django(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    configure_django()
    urls, request = load("urls"), delivery()
    with override_settings(ROOT_URLCONF=urls):
        view = resolve("/hook").func
        given = RequestFactory(enforce_csrf_checks=True).post(
            "/hook", request.body, "application/json", headers=dict(request.headers)
        )
        assert view.csrf_exempt
        assert view(given).status_code == 204
    assert capsys.readouterr().out == SAID


def test_asgi_alone(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    assert "`uvicorn receiver:receiver`" in PAGE.text
    with serve_asgi(load("receiver").receiver) as port:
        assert post(f"http://127.0.0.1:{port}/any/path", delivery()) == 204
    assert capsys.readouterr().out == SAID


def test_wsgi_alone(load: Load, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The snippet serves for ever, so here its server is stopped, and its port is a free one."""
    made: list[Any] = []
    really = simple_server.make_server

    def make(host: str, port: int, app: Any) -> Any:
        made.append(really(host, 0, app))
        return made[-1]

    monkeypatch.setattr(simple_server, "make_server", make)
    serving = threading.Thread(target=load, args=("wsgi_app",), daemon=True)
    serving.start()
    give_up_at = time.monotonic() + 20
    while not made:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    assert post(f"http://127.0.0.1:{made[0].server_port}/", delivery()) == 204
    made[0].shutdown()
    made[0].server_close()
    serving.join(20)
    assert capsys.readouterr().out == SAID


def test_anywhere(load: Load) -> None:
    module, request = load("anywhere"), delivery()
    assert module.lambda_handler(request.body, request.headers) == (204, [], b"")
    assert "await receiver.ahandle(body, headers)" in SNIPPETS["anywhere.py"]
    assert asyncio.run(module.receiver.ahandle(request.body, request.headers)).status == 204


def test_exactly_once(load: Load) -> None:
    handle, request = load("exactly_once").handle, delivery()
    told = webhooks.parse(request.body, request.headers, SECRET)
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript("CREATE TABLE handled (id TEXT PRIMARY KEY); CREATE TABLE audit (key, type)")
        handle(told, database)
        handle(told, database)
        assert database.execute("SELECT * FROM audit").fetchall() == [("uploads/photo.jpg", "object:created")]


def test_two_receivers(load: Load) -> None:
    module, seen, secrets = load("two_receivers"), list[int | None](), (SECRET, "the-next-one")
    for receiver, secret in zip((module.thumbnails, module.search), secrets, strict=True):
        receiver.on()(lambda told: seen.append(told.sequence))
        request = sent(to=replace(WEBHOOK, secret=secret))
        assert [receiver.handle(request.body, request.headers).status for _ in range(2)] == [204, 204]
    assert seen == [42, 42]
    module.guard.close()


@pytest.mark.parametrize("secret", [SECRET, "the-next-one"])
def test_rotation(load: Load, secret: str) -> None:
    request = sent(to=replace(WEBHOOK, secret=secret))
    assert load("rotation").receiver.handle(request.body, request.headers).status == 204


def test_the_readmes_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = README.section("Receive in Python")
    (shown,) = blocks(section)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(shown.text, names)
    for request in [delivery(content_type="application/pdf"), delivery(43)]:
        assert names["receiver"].handle(request.body, request.headers).status == 204
    assert capsys.readouterr().out == "uploads/photo.jpg 1048576\n"
    mounts = re.findall(r"`((?:receiver|path|app)\S*\([^`]+\))`", section)
    assert len(mounts) == 4
    for line in mounts:
        assert line in PAGE.text.replace('"', "'"), line


def test_the_errors_are_the_ones_named() -> None:
    named = {name for cell, _ in rows(PAGE.text, "error", "when") for name in codes(cell)}
    root = webhooks.WebhookVerificationError
    kinds = [kind for _, kind in inspect.getmembers(webhooks, inspect.isclass) if issubclass(kind, root)]
    assert named == {kind.__name__ for kind in kinds if not kind.__subclasses__()}


def test_the_fields_of_an_event_are_the_ones_named() -> None:
    table = rows(PAGE.text, "field", "meaning", "in S3's records")
    assert {name for cell, *_ in table for name in codes(cell)} == {one.name for one in dataclasses.fields(Event)}
    described = {codes(cell)[0]: codes(meaning) for cell, meaning, _ in table}
    for name, kind in [("object", EventObject), ("previous", Previous), ("delivery", webhooks.Delivery)]:
        assert described[name] == [one.name for one in dataclasses.fields(kind)]


def test_the_answers_are_the_ones_named() -> None:
    named = [
        status for cell, *_ in rows(PAGE.text, "status", "when", "what ElasticLake does") for status in cell.split(", ")
    ]
    constants = {one.status for one in vars(answers).values() if isinstance(one, webhooks.Answer)}
    assert {int(status) for status in named} == constants | {400, 401}


def test_the_numbers_are_the_ones_named() -> None:
    assert f"`tolerance_seconds={TOLERANCE_SECONDS:g}`" in PAGE.text
    assert f"`claim_seconds={CLAIM_SECONDS:g}`" in PAGE.text
    assert f"`MemoryGuard(max_completed={MAX_COMPLETED:_})`" in PAGE.text
    assert PAGE.text.count(f"after {KEEP_SECONDS / 86_400:g} days (`keep_seconds`)") == 2
    assert f"waits {DEFAULT_TIMEOUT_SECONDS:g} s for" in " ".join(PAGE.text.split())
    for guard, parameters in [(MemoryGuard, {"max_completed", "claim_seconds"}), (SqliteGuard, {"keep_seconds"})]:
        assert parameters <= set(inspect.signature(guard).parameters)
    assert {"keep_seconds", "claim_seconds"} <= set(inspect.signature(RedisGuard).parameters)
