"""What answers mean, and when a call is made again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from elasticlake import errors
from elasticlake.client import (
    AccessDenied,
    Conflict,
    ConnectionFailed,
    EventsExpired,
    InvalidInput,
    NotFound,
    Refused,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    models,
)
from elasticlake.client.call import Call, make_call
from elasticlake.client.errors import connection_failed
from elasticlake.client.exchange import LONGEST_WAIT_SECONDS, NOT_NOW, Answer, Server, attempting, next_page, read

GET = make_call("GET", "/v1/health", models.Health)
POST = make_call("POST", "/v1/lakes", models.Lake, body={"lake": "a"})
WELL = Answer(200, {}, b'{"status": "ok", "version": "1", "role": "all"}')


def refused(status: int, headers: dict[str, str] | None = None, **members: Any) -> Answer:
    return Answer(status, headers or {}, json.dumps({"detail": "Because.", "errors": [], **members}).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput), (401, Unauthenticated), (403, AccessDenied), (404, NotFound), (409, Conflict),
        (410, EventsExpired), (412, Conflict), (413, InvalidInput), (418, Refused), (422, InvalidInput),
        (429, TooManyRequests), (500, Unavailable), (503, Unavailable),
    ],
)  # fmt: skip
def test_each_status_is_an_error_of_its_kind(status: int, kind: type[Refused]) -> None:
    with pytest.raises(kind, match="Because") as caught:
        read(GET, refused(status, {"x-request-id": "R1"}))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.request_id) == (status, "R1")


def test_the_fields_at_fault_are_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(POST, refused(422, errors=[{"field": "lake", "detail": "No slug."}, "nonsense"]))
    assert caught.value.faults == [("lake", "No slug.")]
    assert caught.value.field == "lake"


def test_the_first_event_of_the_log_is_told() -> None:
    with pytest.raises(EventsExpired) as caught:
        read(GET, refused(410, firstSequence=77))
    assert caught.value.first_sequence == 77


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"\xff"])
def test_a_proxy_that_refuses_in_its_own_words_is_understood(body: bytes) -> None:
    with pytest.raises(Unavailable, match="502"):
        read(GET, Answer(502, {}, body))


@pytest.mark.parametrize("answer", [Answer(302, {}, b""), Answer(200, {}, b"<html>"), Answer(200, {}, b"[]")])
def test_what_is_not_elasticlake_is_told(answer: Answer) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(GET, answer)


def play(call: Call[Any], outcomes: list[Answer | ConnectionFailed], retries: int = 3) -> tuple[Any, list[float]]:
    """What the call came to (or its error), and the waits before each attempt."""
    steps, waits = attempting(call, retries), []
    try:
        waits.append(next(steps))
        for outcome in outcomes:
            waits.append(steps.send(outcome))
    except StopIteration as done:
        return done.value, waits
    except Exception as error:
        return error, waits
    raise AssertionError("more attempts than outcomes")


def test_a_call_that_may_be_repeated_is() -> None:
    result, waits = play(GET, [ConnectionFailed("lost"), refused(503), refused(500), WELL])
    assert result.status == "ok"
    assert waits[0] == 0
    assert 0 < waits[1] < waits[2] * 2
    assert len(waits) == 4


def test_what_the_server_may_have_done_is_not_done_again() -> None:
    unknown = refused(504, type="/v1/problems/outcome-unknown")
    proxies = Answer(503, {"retry-after": "1"}, b"<html>")
    full = refused(503, type="/v1/problems/insufficient-storage")
    for outcome in (ConnectionFailed("lost"), refused(500), unknown, refused(503), proxies, full):
        result, waits = play(POST, [outcome])
        assert isinstance(result, ConnectionFailed | Unavailable)
        assert len(waits) == 1


def test_what_the_server_refused_to_begin_is_sent_again() -> None:
    lake = {"lake": "a", "name": "a", "account": "root", "createdAt": "2026-01-02T03:04:05Z"}
    counts = {"buckets": 0, "objects": 0, "bytes": 0}
    made = Answer(201, {}, json.dumps(lake | counts).encode())
    result, _ = play(POST, [refused(503, type=NOT_NOW), refused(429), made])
    assert isinstance(result, models.Lake)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_a_refusal_is_final(status: int) -> None:
    result, waits = play(GET, [refused(status)])
    assert isinstance(result, Refused)
    assert len(waits) == 1


def test_the_type_is_the_one_that_the_server_sends() -> None:
    assert f"/v1/problems/{errors.Unavailable.__name__.lower()}" == NOT_NOW


LOST = ConnectionFailed("lost")
NEVER_SENT = connection_failed("http://127.0.0.1:9", httpx.ConnectError("refused"))
DELETE = make_call("DELETE", "/v1/lakes/{lake}", None, path={"lake": "a"})
DELETE_WEBHOOK = make_call("DELETE", "/v1/webhooks/{id}", models.Deleted, path={"id": "wh_1"})


@pytest.mark.parametrize(
    "unconfirmed",
    [
        [LOST], [LOST, refused(429)], [NEVER_SENT, LOST, NEVER_SENT], [refused(504)], [Answer(503, {}, b"")],
        [connection_failed("http://127.0.0.1:9", httpx.ReadTimeout("slow"))],
    ],
)  # fmt: skip
def test_what_a_lost_answer_told_to_be_deleted_is_deleted(unconfirmed: list[Answer | ConnectionFailed]) -> None:
    assert play(DELETE, [*unconfirmed, refused(404)])[0] is None
    assert play(DELETE_WEBHOOK, [*unconfirmed, refused(404)])[0] == models.Deleted(canceled=0)


@pytest.mark.parametrize("before", [[], [NEVER_SENT], [refused(503, type=NOT_NOW)], [refused(429)]])
def test_what_was_never_there_is_not_found(before: list[Answer | ConnectionFailed]) -> None:
    assert isinstance(play(DELETE, [*before, refused(404)])[0], NotFound)


def test_only_a_deletion_is_done_by_what_is_gone() -> None:
    assert isinstance(play(GET, [LOST, refused(404)])[0], NotFound)


def test_patience_ends() -> None:
    result, waits = play(GET, [refused(503)] * 3, retries=2)
    assert isinstance(result, Unavailable)
    assert len(waits) == 3


def test_the_server_says_for_how_long_to_wait_within_reason() -> None:
    _, waits = play(GET, [refused(503, {"retry-after": "7"}), WELL])
    assert waits[1] == 7
    _, waits = play(GET, [refused(429, {"retry-after": "86400"}), WELL])
    assert waits[1] == LONGEST_WAIT_SECONDS
    _, waits = play(GET, [refused(429, {"retry-after": "soon"}), WELL])
    assert waits[1] < 1


def test_a_list_that_leads_round_in_a_circle_is_told() -> None:
    call = make_call("GET", "/v1/lakes", models.LakePage)
    following = next_page(call, models.LakePage(items=[], next_cursor="c"))
    assert following is not None
    assert following.query == {"cursor": "c"}
    assert next_page(following, models.LakePage(items=[], next_cursor=None)) is None
    with pytest.raises(UnexpectedAnswer):
        next_page(following, models.LakePage(items=[], next_cursor="c"))


def test_a_server_is_named_by_arguments_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICLAKE_URL", "https://lake.example/v1/")
    monkeypatch.setenv("ELASTICLAKE_API_TOKEN", "from the environment")
    assert Server.named(None, None) == Server("https://lake.example", "from the environment")
    assert Server.named("http://127.0.0.1:9000/", "given") == Server("http://127.0.0.1:9000", "given")
    assert "given" not in repr(Server("http://127.0.0.1:9000", "given"))
    for wrong in ("ftp://x", "127.0.0.1:9000", "http://", "http://x/?a=b"):
        with pytest.raises(ValueError, match="not a server's URL"):
            Server.named(wrong, "")


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="not JSON"):
        read(GET, Answer(200, {}, body))
