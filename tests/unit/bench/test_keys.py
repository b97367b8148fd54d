from collections import Counter

from bench.keys import KeyPool


def test_a_borrowed_key_is_not_taken_until_it_is_given_back() -> None:
    pool = KeyPool(["a"])
    assert pool.borrow() == "a"
    assert pool.borrow() == "a"
    pool.give_back("a")
    assert pool.take() is None
    pool.give_back("a")
    assert pool.take() == "a"
    assert len(pool) == 0


def test_a_taken_key_never_comes_again() -> None:
    pool = KeyPool([str(number) for number in range(50)])
    assert Counter(pool.take() for _ in range(50)) == Counter(str(number) for number in range(50))
    assert pool.any() is None
    assert pool.borrow() is None
    assert pool.take() is None


def test_an_added_key_is_found() -> None:
    pool = KeyPool()
    pool.add("a")
    assert pool.any() == "a"
