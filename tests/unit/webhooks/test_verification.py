"""Verifying: what the server sends and nothing else; as Standard Webhooks' own library does."""

from __future__ import annotations

import base64
import hmac
import string
import time
from dataclasses import replace
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.webhooks.sent import SECRET, WEBHOOK, event, sent, webhook

from elasticlake import signing
from elasticlake.model.delivery_headers import delivery_headers
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.ids import DeliveryId
from elasticlake.model.rotation import rotated
from elasticlake.model.rules import FORMATS, Batch
from elasticlake.webhooks import (
    FutureTimestamp,
    HeaderError,
    InvalidSecret,
    MalformedHeader,
    MissingHeader,
    RepeatedHeader,
    SignatureMismatch,
    StaleTimestamp,
    WebhookVerificationError,
    verify,
)
from elasticlake.webhooks.verification import MAX_SIGNATURES

NOW = 1_761_834_200
BODY = b'{"event":"object:created"}'
PAGE = ("elasticlake",)
free_form = st.text(min_size=1, max_size=40).filter(
    lambda text: not text.startswith("whsec_") and text.isprintable() and max(text) < "\ud800"
)
generated = st.binary(min_size=1, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())
any_secret = free_form | generated
message_ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=40)


def headers_of(*secrets: str, body: bytes = BODY, at: int = NOW, message_id: str = "evt_1") -> dict[str, str]:
    """What a delivery has, by names in lower case."""
    found = delivery_headers(
        "object:created", message_id, DeliveryId(WEBHOOK.id, 1, 2), 1, secrets or (SECRET,), at * 1000, body
    )
    return {name.lower(): value for name, value in found}


def refused(headers: Any, secrets: Any = SECRET, body: bytes = BODY, **how: Any) -> WebhookVerificationError:
    with pytest.raises(WebhookVerificationError) as caught:
        verify(body, headers, secrets, **{"now": NOW, **how})
    assert str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


@given(any_secret, st.binary(max_size=2000), message_ids, st.integers(0, 99_999_999_999))
def test_what_is_sent_is_accepted_by_either_scheme(secret: str, body: bytes, message_id: str, at: int) -> None:
    headers = headers_of(secret, body=body, at=at, message_id=message_id)
    verify(body, headers, secret, now=at)
    verify(body, headers, ["another", secret], now=at)
    verify(body, headers, secret, now=at, schemes=PAGE)


@given(any_secret, any_secret, st.binary(max_size=200))
def test_another_secret_is_refused(secret: str, other: str, body: bytes) -> None:
    # HMAC fills a short key up with zeros.
    same = signing.secret_bytes(secret).rstrip(b"\0") == signing.secret_bytes(other).rstrip(b"\0")
    if not same:
        assert isinstance(refused(headers_of(secret, body=body), other, body), SignatureMismatch)
    if secret.rstrip("\0") != other.rstrip("\0"):
        assert isinstance(refused(headers_of(secret, body=body), other, body, schemes=PAGE), SignatureMismatch)


@given(any_secret, st.binary(max_size=200), message_ids, st.data())
def test_every_single_bit_counts(secret: str, body: bytes, message_id: str, data: st.DataObject) -> None:
    headers = headers_of(secret, body=body, message_id=message_id)
    schemes, covered = data.draw(
        st.sampled_from(
            [
                (("standard",), ["", "webhook-id", "webhook-timestamp", "webhook-signature"]),
                (PAGE, ["", "x-elasticlake-signature"]),
            ]
        )
    )
    name = data.draw(st.sampled_from([one for one in covered if one or body]))
    changed = bytearray(headers[name].encode() if name else body)
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    if name:
        refused(headers | {name: changed.decode("latin-1")}, secret, body, schemes=schemes)
    else:
        assert isinstance(refused(headers, secret, bytes(changed), schemes=schemes), SignatureMismatch)


def test_the_specifications_vector() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    verify(body, headers, secret, now=1614265330)
    for entries in ["v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {}", "{} v2,{}", "v1a,hnO3f9T8Ytu9 {}"]:
        several = entries.replace("{}", headers["webhook-signature"])
        verify(body, headers | {"webhook-signature": several}, secret, now=1614265330)
    assert isinstance(refused(headers, secret, body), StaleTimestamp)


@given(
    generated,
    message_ids,
    st.text(max_size=200),
    st.integers(-400, 400),
    st.lists(st.sampled_from(["right", "wrong", "v2", "v1a", "short"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_the_standard_library_agrees(
    secret: str, message_id: str, text: str, age: int, entries: list[str], is_changed: bool
) -> None:
    body, at = text.encode(errors="replace"), int(time.time()) - age
    right = signing.standard_signature(secret, message_id, at, body)
    kinds = {
        "right": right,
        "wrong": signing.standard_signature("other", message_id, at, body),
        "v2": right.replace("v1", "v2"),
        "v1a": right.replace("v1", "v1a"),
        "short": right[:-4],
    }
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(kinds[entry] for entry in entries),
    }
    body += b"!" if is_changed else b""
    # At the very limit the two look at the clock at different moments.
    if abs(abs(age) - 300) > 2:
        assert _accepts(lambda: verify(body, headers, secret)) == _accepts(
            lambda: standardwebhooks.Webhook(secret).verify(body, headers)
        )


def _accepts(check: Any) -> bool:
    try:
        check()
    except (WebhookVerificationError, standardwebhooks.WebhookVerificationError):
        return False
    except ValueError:  # the library has verified, and finds no JSON
        return True
    return True


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("batch", [None, Batch(10)], ids=["single", "batch"])
@pytest.mark.parametrize(
    "secret", ["my-webhook-secret", "pässwörd ☂", signing.generate_secret()], ids=["plain", "Unicode", "generated"]
)
def test_all_that_the_server_sends(form: Any, batch: Batch | None, secret: str) -> None:
    to = replace(webhook(format=form, batch=batch, include_metadata=True), secret=secret)
    ways: list[dict[str, Any]] = [{}, {"attempt": 9}, {"generation": 1}, {"replay": "job_1"}, {"backfill": True}]
    for how in ways:
        for told in [event(type=kind) for kind in EVENT_TYPES] + [event(0)]:
            also = [event(43), event(44)] if batch and not how else []
            request = sent(told, *also, to=to, **how)
            verify(request.body, request.headers, secret)
            verify(request.body, request.headers, secret, schemes=PAGE)


def test_either_secret_verifies_while_one_follows_the_other() -> None:
    now_ms = time.time_ns() // 1_000_000
    old, new = "old-secret", signing.generate_secret()
    to = rotated(replace(WEBHOOK, secret=old), new, 3600, now_ms)
    request = sent(to=to)
    for secrets in (old, new, [old, new], [new, old], ["another", new]):
        verify(request.body, request.headers, secrets)
    assert isinstance(refused(request.headers, "another", request.body, now=None), SignatureMismatch)
    # This header has room for one signature, and it stays with the old secret.
    verify(request.body, request.headers, [new, old], schemes=PAGE)
    assert isinstance(refused(request.headers, new, request.body, schemes=PAGE), SignatureMismatch)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_standard_header_is_needed_once(name: str) -> None:
    headers = headers_of()
    missing = refused({other: value for other, value in headers.items() if other != name})
    assert isinstance(missing, MissingHeader)
    repeated = refused([*headers.items(), (name.upper(), headers[name])])
    assert isinstance(repeated, RepeatedHeader)
    empty = refused(headers | {name: ""})
    assert isinstance(empty, MalformedHeader)
    assert isinstance(empty, HeaderError)
    assert {missing.name, repeated.name, empty.name} == {name}


def test_the_page_signature_alone_is_not_enough() -> None:
    stripped = {"x-elasticlake-signature": headers_of()["x-elasticlake-signature"]}
    assert isinstance(refused(stripped), MissingHeader)
    verify(BODY, stripped, SECRET, now=NOW + 1_000_000, schemes=PAGE)
    assert isinstance(refused({}, schemes=PAGE), MissingHeader)
    assert isinstance(refused([*stripped.items()] * 2, schemes=PAGE), RepeatedHeader)


def test_of_two_schemes_the_first_that_is_there_decides() -> None:
    headers, both = headers_of(), ("standard", "elasticlake")
    verify(BODY, headers, SECRET, now=NOW, schemes=both)
    assert isinstance(refused(headers, now=NOW + 301, schemes=both), StaleTimestamp)
    without_id = {name: value for name, value in headers.items() if name != "webhook-id"}
    assert isinstance(refused(without_id, schemes=both), MissingHeader)
    verify(BODY, {"x-elasticlake-signature": headers["x-elasticlake-signature"]}, SECRET, schemes=both)


@pytest.mark.parametrize(("tolerance", "age"), [(300, 300), (300, -300), (0, 0), (float("inf"), 10**9)])
def test_as_old_as_may_be(tolerance: float, age: int) -> None:
    verify(BODY, headers_of(), SECRET, now=NOW + age, tolerance_seconds=tolerance)


@pytest.mark.parametrize(("age", "kind"), [(300.5, StaleTimestamp), (-300.5, FutureTimestamp), (10**9, StaleTimestamp)])
def test_too_old_or_too_young(age: float, kind: type[WebhookVerificationError]) -> None:
    error = refused(headers_of(), now=NOW + age)
    assert type(error) is kind
    assert error.age_seconds == pytest.approx(age)


def test_without_a_time_it_is_now() -> None:
    verify(BODY, headers_of(at=int(time.time())), SECRET)
    assert isinstance(refused(headers_of(), now=None), StaleTimestamp)


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "+1", "1.5", "1e9", "01", "1_0", "٣", "0x10", "9" * 13, "9" * 5000, "now", "1 1"]
)
def test_a_timestamp_that_is_none(timestamp: str) -> None:
    assert isinstance(refused(headers_of() | {"webhook-timestamp": timestamp}), MalformedHeader)


@pytest.mark.parametrize("message_id", ["evt.1", "a b", "é", "\x00", "x" * 257])
def test_an_id_that_is_none(message_id: str) -> None:
    assert isinstance(refused(headers_of() | {"webhook-id": message_id}), MalformedHeader)


def test_what_is_signed_cannot_be_divided_anew() -> None:
    """`evt_1.NOW.NOW.{…}` is one text, whether the first or the second time belongs to the body."""
    body = f"{NOW}.{{}}".encode()
    headers = headers_of(body=body)
    moved = headers | {"webhook-id": f"evt_1.{NOW}"}
    digest = hmac.digest(SECRET.encode(), f"evt_1.{NOW}.{NOW}.".encode() + b"{}", "sha256")
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert isinstance(refused(moved, body=b"{}"), MalformedHeader)


@pytest.mark.parametrize(
    "change",
    [
        lambda right: right[:-1],
        lambda right: right[:10],
        lambda right: "v1,",
        lambda right: right + "=",
        lambda right: right.replace("v1,", "v1a,"),
        lambda right: right.replace("v1,", "v2,"),
        lambda right: right.replace("v1,", "V1,"),
        lambda right: right.removeprefix("v1,"),
        lambda right: right.replace(",", ":"),
        lambda right: f"{right},{right}",
        lambda right: "v1," + base64.b64decode(right.removeprefix("v1,")).hex(),
    ],
)
def test_a_signature_that_is_not_quite_one(change: Any) -> None:
    headers = headers_of()
    changed = headers | {"webhook-signature": change(headers["webhook-signature"])}
    assert isinstance(refused(changed), SignatureMismatch)


@pytest.mark.parametrize(
    "change", [lambda right: right[:-1], lambda right: right.upper(), lambda right: right.removeprefix("sha256=")]
)
def test_a_page_signature_that_is_not_quite_one(change: Any) -> None:
    headers = headers_of()
    changed = headers | {"x-elasticlake-signature": change(headers["x-elasticlake-signature"])}
    assert isinstance(refused(changed, schemes=PAGE), SignatureMismatch)


def test_the_right_signature_may_stand_anywhere_among_a_few() -> None:
    headers = headers_of()
    wrong = ["v1," + "A" * 43 + "="] * (MAX_SIGNATURES - 1)
    for place in (0, 30, MAX_SIGNATURES - 1):
        entries = [*wrong[:place], headers["webhook-signature"], *wrong[place:]]
        verify(BODY, headers | {"webhook-signature": " ".join(entries)}, SECRET, now=NOW)


def test_thousands_of_signatures_are_not_even_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(b) or False)
    headers = headers_of()
    hostile = " ".join([headers["webhook-signature"]] * 100_000)
    assert isinstance(refused(headers | {"webhook-signature": hostile}), MalformedHeader)
    assert compared == []


def test_every_pair_is_compared_whatever_matched_before(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    really = hmac.compare_digest

    def counting(a: Any, b: Any) -> bool:
        compared.append((a, b))
        return really(a, b)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    verify(BODY, headers_of(SECRET, "new"), [SECRET, "new", "third"], now=NOW)
    assert len(compared) == len(set(compared)) == 6


@pytest.mark.parametrize(
    "secrets", ["", [], (), [""], [SECRET, ""], "whsec_", "whsec_%", "whsec_QUJ", b"bytes", [b"x"], [None], "x" * 1025]
)
def test_a_secret_that_cannot_be_one(secrets: Any) -> None:
    assert isinstance(refused(headers_of(), secrets), InvalidSecret)
    assert isinstance(refused(headers_of(), secrets, schemes=PAGE), InvalidSecret)


@pytest.mark.parametrize("body", ["text", None, {}, 1])
def test_a_body_that_is_not_as_it_came(body: Any) -> None:
    with pytest.raises(TypeError, match=r"bytes that were received"):
        verify(body, headers_of(), SECRET, now=NOW)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_bytes_will_do(kind: Any) -> None:
    verify(kind(BODY), headers_of(), SECRET, now=NOW)
    verify(kind(BODY), headers_of(), SECRET, now=NOW, schemes=PAGE)


@pytest.mark.parametrize("schemes", [(), "standard", ("v1",), ("standard", "page")])
def test_schemes_that_there_are_not(schemes: Any) -> None:
    with pytest.raises(ValueError, match=r"^The schemes are some of standard, elasticlake"):
        verify(BODY, headers_of(), SECRET, now=NOW, schemes=schemes)
