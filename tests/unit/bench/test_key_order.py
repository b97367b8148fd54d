from bench.key_order import KeyOrder


def fed(*events: tuple[int, str]) -> KeyOrder:
    order = KeyOrder()
    for sequence, key in events:
        order.add(b'{"sequence":%d,"object":{"key":"%s"}}' % (sequence, key.encode()))
    return order


def test_keys_may_overtake_each_other() -> None:
    order = fed((2, "b"), (1, "a"), (4, "a"), (3, "b"))
    assert (order.distinct, order.out_of_order) == (4, 0)


def test_an_event_behind_a_later_one_of_its_key_is_out_of_order() -> None:
    order = fed((1, "a"), (3, "a"), (2, "a"), (4, "a"))
    assert (order.distinct, order.out_of_order) == (4, 1)


def test_a_repeat_is_known_and_no_breach() -> None:
    order = fed((1, "a"), (2, "a"), (1, "a"))
    assert (order.distinct, order.out_of_order) == (2, 0)


def test_sequences_may_be_far_apart() -> None:
    order = fed((1, "a"), (5_000, "a"), (5_001, "a"), (5_000, "a"))
    assert order.distinct == 3
