"""The REST reference is that of the present description, and each call that it shows is the operation's."""

from __future__ import annotations

import json
import re
import shlex
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.docs.documents import Document, blocks
from tools import generate_rest_reference as reference
from tools.generate_client import description

from elasticlake.client.call import Call
from elasticlake.client.sync_resources import SyncResources

PAGE = Document("docs/rest.md")
API = description()
OPERATIONS = reference.operations(API)


class Recorder:
    """A transport that keeps the call; every list is empty."""

    def __init__(self) -> None:
        self.calls: list[Call[Any]] = []

    def send(self, call: Call[Any]) -> Any:
        self.calls.append(call)
        return SimpleNamespace(items=[], next_cursor=None)


def section(one: reference.Described) -> str:
    """What the page says of the operation: summaries are unique, as its anchors must be."""
    text = PAGE.text
    begin = text.index(f"\n`{one.method} {one.path}`\n")
    return text[begin : text.index("\n#", begin)]


def by_curl(command: str) -> tuple[str, str, dict[str, str], Any]:
    """Method, path, query and body of what curl would send."""
    *names, curl = command.replace(" \\\n", " ").strip().split("curl ", 1)
    for name, value in re.findall(r"^(\w+)=(.+)$", "".join(names), re.MULTILINE):
        curl = curl.replace(f"${name}", value)
    words = shlex.split(curl)
    (url,) = [word for word in words if word.startswith("$ELASTICLAKE_URL/")]
    split = urlsplit(url.removeprefix("$ELASTICLAKE_URL"))
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if body is not None else "GET"
    return method, split.path, dict(parse_qsl(split.query)), body


def test_what_was_made_is_what_would_be_made_now() -> None:
    assert PAGE.text == reference.generate(API), "run: python -m tools.generate_rest_reference"


def test_every_operation_is_on_the_page_once() -> None:
    shown = re.findall(r"^`([A-Z]+) (/v1\S*)`$", PAGE.text, re.MULTILINE)
    described = [(method.upper(), path) for path, found in API["paths"].items() for method in found]
    assert sorted(shown) == sorted(described)
    assert len(PAGE.headings) == len({heading.lower() for heading in PAGE.headings})


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.document["operationId"])
def test_both_calls_are_the_operation(one: reference.Described) -> None:
    shell, *python = blocks(section(one))
    method, path, query, body = by_curl(shell.text)
    assert method == one.method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one.path), path)
    assert ("Authorization" in shell.text) == (one.tag != "health")
    needed = {p["name"] for p in one.document.get("parameters", ()) if p.get("required") and p["in"] == "query"}
    assert set(query) == needed
    assert "None" not in path
    if one.call is None:
        assert not python
        return
    recorder = Recorder()
    exec(python[0].text, {"client": SyncResources(recorder), "print": lambda *_: None})
    (call,) = recorder.calls
    assert (call.method, call.path, dict(call.query)) == (method, path, query)
    assert (call.body or None) == (body or None)


def test_the_beginning_that_the_python_examples_go_on_from_is_one() -> None:
    assert next(block.text for block in blocks(PAGE.text)).startswith("from elasticlake import Client\n")
