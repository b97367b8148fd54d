"""Names and words that a shell is offered, and that nothing is offered rather than an error shown."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Spawn
from tests.unit.cli.rest_server import TOKEN, RestServer

from elasticlake.cli import candidates
from elasticlake.cli.candidates import Candidates, Offer


class Context:
    """What typer knows of a half-written line."""

    def __init__(self, **params: str) -> None:
        self.params = params

    def find_root(self) -> Context:
        return self


def names(offer: Offer, server: RestServer | str, incomplete: str = "", **params: str) -> Candidates:
    url = server if isinstance(server, str) else server.url
    return offer(Context(url=url, token=TOKEN, **params), incomplete)  # type: ignore[arg-type]


def test_words_and_lists_of_them() -> None:
    assert names(candidates.words("key", "bucket"), "", "k") == [("key", "")]
    events = candidates.listed_words("object:created", "object:deleted")
    assert names(events, "", "object:created,object:d") == [("object:created,object:deleted", "")]


def test_every_page_is_read(server: RestServer) -> None:
    for number in range(5):  # the pages have two
        server.put("buckets", bucket=f"b{number}")
    assert [name for name, _ in names(candidates.buckets, server)] == ["b0", "b1", "b2", "b3", "b4"]
    assert names(candidates.buckets, server, "b3") == [("b3", "private")]


@pytest.mark.parametrize(
    "name", ["$(id)", "`id`", "a;id", "a b", "a\nb", "*", "-x", "--token=x", "~root", "'", "", "é"]
)
def test_no_name_is_offered_that_a_shell_would_take_for_more(server: RestServer, name: str) -> None:
    """Bash puts what is offered on the line as it is, to be run by the next Enter."""
    server.put("lakes", lake=name, name="")
    server.put("lakes", lake="lake1", name="a\tb\x1b[2J")
    assert names(candidates.lakes, server) == [("lake1", "a\\tb\\x1b[2J")]


def test_a_pond_is_completed_in_two_steps(server: RestServer) -> None:
    server.put("lakes", lake="lake1", name="Production")
    server.put("lakes/lake1/ponds", pond="papers", name="Papers")
    assert names(candidates.ponds, server, "la") == [("lake1--", "Production")]
    assert names(candidates.ponds, server, "lake1--p") == [("lake1--papers", "Papers")]


def test_keys_are_those_of_the_account_before_them(server: RestServer) -> None:
    server.put("accounts", id="ann", displayName="Ann")
    server.put("accounts/ann/keys", accessKeyId="AK7")
    assert names(candidates.accounts, server) == [("ann", "Ann")]
    assert [name for name, _ in names(candidates.keys, server, account="ann")] == ["AK7"]
    assert names(candidates.keys, server, account="bob") == []


def test_the_others_are_named_by_their_ids(server: RestServer) -> None:
    server.put("tokens", id="tok_1", name="ci")
    server.put("webhooks", id="wh_1", endpoint="https://a.example")
    server.looks.append({"id": "job_1", "status": "running"})
    assert names(candidates.tokens, server) == [("tok_1", "ci")]
    assert names(candidates.webhooks, server) == [("wh_1", "https://a.example")]
    assert names(candidates.jobs, server) == [("job_1", "running")]


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_is_silent_is_not_waited_for(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "PATIENCE_SECONDS", 0.2)
    began = time.monotonic()
    assert names(candidates.lakes, silent) == []
    assert time.monotonic() - began < 5


def test_what_goes_wrong_offers_nothing(server: RestServer) -> None:
    assert names(candidates.lakes, "nonsense") == []
    server.refusals["/v1/lakes"] = (200, {"items": 7})
    assert names(candidates.lakes, server) == []
    server.refusals["/v1/lakes"] = (200, b"<html>")
    assert names(candidates.lakes, server) == []


def test_without_the_server_s_libraries_a_shell_is_offered_nothing(spawn: Spawn) -> None:
    blocked = "raise ModuleNotFoundError('No module', name='pydantic_settings')\n"
    Path("pydantic_settings.py").write_text(blocked)
    env = {"_ELASTICLAKE_COMPLETE": "complete_bash", "COMP_WORDS": "elasticlake serve --da", "COMP_CWORD": "2"}
    ran = spawn(env={**env, "PYTHONPATH": "."})
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
