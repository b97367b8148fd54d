"""Identifiers: their shapes, and a delivery's id as what it names."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import NoSuchDelivery
from elasticlake.model import ids
from elasticlake.model.ids import DeliveryId, new_event_id, new_webhook_id

NUMBERS = st.integers(0, 2**62)
WEBHOOK = "wh_mfrggzdfmztwq2lk"


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: new_event_id(1_767_323_045_678), r"evt_[0-9a-f]{30}"),
        (new_webhook_id, r"wh_[a-z2-7]{16}"),
        (ids.new_token_id, r"tok_[a-z2-7]{16}"),
        (ids.new_token, r"elt_[a-z2-7]{32}"),
        (ids.new_upload_id, r"[A-Za-z0-9_-]{27}"),
        (ids.new_blob_id, r"[0-9a-f]{32}"),
        (ids.new_access_key_id, r"EL[A-Z2-7]{18}"),
        (ids.new_secret_access_key, r"[A-Za-z0-9_-]{40}"),
    ],
)
def test_shapes_and_chance(make: Callable[[], str], shape: str) -> None:
    made = {make() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(shape, one) for one in made)


@given(st.integers(0, 2**47), st.integers(0, 2**47))
def test_event_ids_sort_by_time(one: int, other: int) -> None:
    assert (new_event_id(one)[:16] < new_event_id(other)[:16]) == (one < other)


@given(st.binary(min_size=10, max_size=10), NUMBERS, NUMBERS, NUMBERS)
def test_a_delivery_id_comes_back(chance: bytes, bucket_id: int, sequence: int, generation: int) -> None:
    made = DeliveryId("wh_" + ids._base32(chance), bucket_id, sequence, generation)
    text = str(made)
    assert re.fullmatch(r"dlv_[a-z2-7]+", text)
    assert DeliveryId.parse(text) == made


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=2, unique=True))
def test_different_deliveries_have_different_ids(numbers: list[tuple[int, int, int]]) -> None:
    one, other = (str(DeliveryId(WEBHOOK, *three)) for three in numbers)
    assert one != other


@given(st.text())
def test_garbage_names_no_delivery(text: str) -> None:
    for candidate in (text, f"dlv_{text}"):
        with pytest.raises(NoSuchDelivery):
            DeliveryId.parse(candidate)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", max_size=60))
def test_what_parses_is_written_in_one_way_alone(text: str) -> None:
    try:
        parsed = DeliveryId.parse(f"dlv_{text}")
    except NoSuchDelivery:
        return
    assert str(parsed) == f"dlv_{text}"


@pytest.mark.parametrize("change", [str.upper, lambda text: text + "a", lambda text: text[:-1], lambda text: text[4:]])
def test_another_writing_of_an_id_names_nothing(change: Callable[[str], str]) -> None:
    with pytest.raises(NoSuchDelivery):
        DeliveryId.parse(change(str(DeliveryId(WEBHOOK, 7, 300, 1))))


def test_a_number_with_padding_or_without_end_names_nothing() -> None:
    webhook = ids._unbase32(WEBHOOK.removeprefix("wh_"))
    for numbers in (b"\x07\x80\x00\x00", b"\x07\x01", b"\x80" * 12, b"\x07\x01\x00\x00", b""):
        with pytest.raises(NoSuchDelivery):
            DeliveryId.parse("dlv_" + ids._base32(webhook + numbers))
