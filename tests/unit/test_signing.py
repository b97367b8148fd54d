"""Signatures, checked by those who will check them: the founding page's function and the Standard Webhooks library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.signing import (
    generate_secret,
    page_signature,
    secret_bytes,
    standard_headers,
    standard_signature,
    validate_secret,
)

BODY = '{"event":"object:created","object":{"key":"Grüße ☂.pdf"}}'


def verify_webhook(payload, signature, secret):
    """The founding page's own function, letter for letter."""
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)


@pytest.mark.parametrize("secret", ["my-webhook-secret", "pässwörd", "whsec_" + "QUJD" * 8])
def test_the_founding_pages_function_accepts_the_page_signature(secret):
    signature = page_signature(secret, BODY.encode())
    assert verify_webhook(BODY, signature, secret)
    assert not verify_webhook(BODY + " ", signature, secret)
    assert not verify_webhook(BODY, signature, secret + "x")


def test_page_signature_is_a_known_value():
    # RFC 4231, test case 2.
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert page_signature("Jefe", b"what do ya want for nothing?") == expected


def test_standard_signature_is_the_specifications_example():
    # The worked example of the Standard Webhooks reference libraries.
    secret, message_id, timestamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    signature = standard_signature(secret, message_id, timestamp, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_standard_library_verifies_a_generated_secret():
    secret = generate_secret()
    headers = dict(standard_headers([secret], "evt_1", int(time.time()), BODY.encode()))
    standardwebhooks.Webhook(secret).verify(BODY, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(BODY + " ", headers)


def test_the_standard_library_verifies_a_plain_secret_given_as_bytes():
    headers = dict(standard_headers(["my-webhook-secret"], "evt_1", int(time.time()), BODY.encode()))
    standardwebhooks.Webhook(b"my-webhook-secret").verify(BODY, headers)


def test_during_rotation_either_secret_verifies():
    old, new = generate_secret(), generate_secret()
    headers = dict(standard_headers([old, new], "evt_1", int(time.time()), BODY.encode()))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(BODY, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(generate_secret()).verify(BODY, headers)


@given(st.binary(min_size=1, max_size=64))
def test_a_whsec_secret_is_its_decoded_bytes(key):
    secret = "whsec_" + base64.b64encode(key).decode()
    validate_secret(secret)
    assert secret_bytes(secret) == key


def test_any_other_secret_is_its_utf8_bytes():
    assert secret_bytes("pässwörd") == "pässwörd".encode()
    assert secret_bytes("WHSEC_QUJD") == b"WHSEC_QUJD"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!!!!",
        "whsec_QUJ",
        "whsec_QUJD-_==",
        "whsec_QUJD\n",
        "whsec_Grüße",
        "x" * 1025,
        "é" * 513,
        "\ud800",
    ],
)
def test_a_malformed_secret_is_refused(secret):
    with pytest.raises(ValueError, match=r"^A secret .*\.$"):
        validate_secret(secret)


@pytest.mark.parametrize("secret", ["x", "x" * 1024, "é" * 512, "whsec_QQ=="])
def test_a_secret_of_any_useful_size_is_accepted(secret):
    validate_secret(secret)


def test_a_generated_secret_is_32_bytes_from_the_given_source():
    asked: list[int] = []

    def zeros(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    assert secret_bytes(generate_secret(zeros)) == bytes(32)
    assert asked == [32]
    validate_secret(generate_secret())
    assert generate_secret() != generate_secret()
