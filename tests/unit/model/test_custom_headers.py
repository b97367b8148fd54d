"""A webhook's own headers."""

import pytest

from elasticlake.errors import InvalidWebhook
from elasticlake.model.custom_headers import MASK, MAX_HEADERS, MAX_VALUE_BYTES, RESERVED, masked, require_headers
from elasticlake.model.delivery_headers import delivery_headers, standing_headers
from elasticlake.model.ids import DeliveryId


def test_good_ones_keep_their_order_and_case() -> None:
    given = {"Authorization": "Bearer a.b~c", "x-api-key": "k", "A!#$%&'*+.^_`|~9": 'two words, "quoted"; ~', "C": "!"}
    assert require_headers(given) == tuple(given.items())
    assert require_headers({"X": "v" * MAX_VALUE_BYTES}) == (("X", "v" * MAX_VALUE_BYTES),)
    assert len(require_headers({f"X-{number}": "v" for number in range(MAX_HEADERS)})) == MAX_HEADERS


@pytest.mark.parametrize("name", ["", " ", "X Y", "X:", "X\r\nY", "Ü", "X\n", "(x)", "x" * 129])
def test_a_name_is_a_token(name: str) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        require_headers({name: "v"})
    assert caught.value.field == "headers"


@pytest.mark.parametrize("value", ["", " v", "v ", "a\r\nB: c", "a\n", "a\tb", "ü", "a\x00", "a\x7f", "v" * 1025, MASK])
def test_a_value_is_printable_ascii(value: str) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        require_headers({"X-Key": value})
    assert caught.value.field == "headers"
    assert "X-Key" in str(caught.value)


def test_a_refusal_does_not_quote_the_value() -> None:
    with pytest.raises(InvalidWebhook) as caught:
        require_headers({"X-Key": "Bearer hunter2\n"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "name", [*sorted(RESERVED), "Webhook-Id", "WEBHOOK-ANY", "X-ElasticLake-Signature", "x-elasticlake-"]
)
def test_what_the_delivery_sets_itself_cannot_be_given(name: str) -> None:
    for spelt in (name, name.upper(), name.title()):
        with pytest.raises(InvalidWebhook, match="set by the delivery itself"):
            require_headers({spelt: "v"})


def test_none_of_what_a_delivery_sends_can_be_given() -> None:
    ours = delivery_headers("object:created", "evt_1", DeliveryId("wh_mfrggzdfmztwq2lk", 1, 1), 1, ("s",), 0, b"")
    for name, _ in (*ours, *standing_headers("1"), ("Host", ""), ("traceparent", "")):
        with pytest.raises(InvalidWebhook):
            require_headers({name: "v"})


def test_there_are_not_too_many_nor_any_twice() -> None:
    with pytest.raises(InvalidWebhook, match="at most 20"):
        require_headers({f"X-{number}": "v" for number in range(MAX_HEADERS + 1)})
    with pytest.raises(InvalidWebhook, match="once"):
        require_headers({"X-A": "1", "x-a": "2"})


def test_values_are_masked() -> None:
    assert masked((("A", "secret"), ("B", "other"))) == (("A", MASK), ("B", MASK))


def test_one_that_is_given_as_it_is_shown_keeps_its_value() -> None:
    known = (("X-Key", "hunter2"), ("X-Other", "b"))
    assert require_headers({"x-key": MASK, "X-New": "n"}, known) == (("x-key", "hunter2"), ("X-New", "n"))
    with pytest.raises(InvalidWebhook):
        require_headers({"X-New": MASK}, known)
