"""The rotation of a secret, as rules over values."""

from dataclasses import replace

import pytest

from elasticlake.errors import Conflict, InvalidWebhook
from elasticlake.model.rotation import (
    DEFAULT_OVERLAP_SECONDS,
    MAX_OVERLAP_SECONDS,
    promoted,
    rotated,
    settled,
    signing_secrets,
    with_secret,
)
from elasticlake.model.webhooks import Sealed, Webhook, WebhookScope

NOW = 1_767_323_045_678
HEADERS = (("Authorization", "Bearer x"),)
WEBHOOK = Webhook(
    id="wh_1",
    account_id="root",
    scope=WebhookScope("bucket", 7, "bucket"),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
    secret="old",
    sealed=Sealed(headers=HEADERS),
)


def test_both_sign_until_the_overlap_ends_and_the_old_one_first() -> None:
    rotating = rotated(WEBHOOK, "new", 60, NOW)
    assert rotating.overlap_ends_at_ms == NOW + 60_000
    assert signing_secrets(WEBHOOK, NOW) == ("old",)
    assert signing_secrets(rotating, NOW) == signing_secrets(rotating, NOW + 59_999) == ("old", "new")
    assert signing_secrets(rotating, NOW + 60_000) == ("new",)


def test_what_is_stored_follows_with_the_next_change() -> None:
    rotating = rotated(WEBHOOK, "new", 60, NOW)
    assert settled(rotating, NOW + 59_999) is rotating
    ended = settled(rotating, NOW + 60_000)
    assert (ended.secret, ended.sealed, ended.overlap_ends_at_ms) == ("new", Sealed(headers=HEADERS), None)
    assert settled(WEBHOOK, NOW) is WEBHOOK


def test_another_rotation_replaces_the_next_secret() -> None:
    again = rotated(rotated(WEBHOOK, "new", 60, NOW), "newer", 60, NOW + 30_000)
    assert signing_secrets(again, NOW + 89_999) == ("old", "newer")
    assert signing_secrets(again, NOW + 90_000) == ("newer",)
    later = rotated(rotated(WEBHOOK, "new", 60, NOW), "newer", 60, NOW + 60_000)
    assert signing_secrets(later, NOW + 60_000) == ("new", "newer")


def test_promotion_ends_the_overlap() -> None:
    ended = promoted(rotated(WEBHOOK, "new", 60, NOW))
    assert ended == replace(WEBHOOK, secret="new")
    with pytest.raises(Conflict, match="No rotation"):
        promoted(ended)


def test_a_secret_that_is_set_ends_a_rotation() -> None:
    assert with_secret(rotated(WEBHOOK, "new", 60, NOW), "third") == replace(WEBHOOK, secret="third")


def test_without_an_overlap_the_secret_is_replaced_at_once() -> None:
    assert rotated(WEBHOOK, "new", 0, NOW) == replace(WEBHOOK, secret="new")


@pytest.mark.parametrize("seconds", [-1, MAX_OVERLAP_SECONDS + 1])
def test_an_overlap_has_bounds(seconds: int) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        rotated(WEBHOOK, "new", seconds, NOW)
    assert caught.value.field == "overlapSeconds"
    assert rotated(WEBHOOK, "new", MAX_OVERLAP_SECONDS, NOW).overlap_ends_at_ms == NOW + 30 * 86_400_000
    assert DEFAULT_OVERLAP_SECONDS == 24 * 3600


def test_the_same_secret_is_no_other() -> None:
    for known, now_ms in ((WEBHOOK, NOW), (rotated(replace(WEBHOOK, secret="older"), "old", 60, NOW), NOW + 60_000)):
        with pytest.raises(InvalidWebhook, match="already") as refused:
            rotated(known, "old", 60, now_ms)
        assert refused.value.field == "secret"
    assert rotated(rotated(WEBHOOK, "new", 60, NOW), "new", 90, NOW).overlap_ends_at_ms == NOW + 90_000
