"""Who delivers for which webhook: exactly one does, once all have acted, and few move when one comes or goes."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from elasticlake.delivery.sharing import chosen, plan

WEBHOOKS = st.frozensets(st.integers(0, 10_000).map("wh_{}".format), max_size=30)
EPOCHS = st.lists(st.integers(1, 60), min_size=1, max_size=6, unique=True)
MANY = [f"wh_{number:04d}" for number in range(1000)]


class Dispatchers:
    """A world of dispatchers that do what their plans say, and of the assignments that they share."""

    def __init__(self, webhook_ids: frozenset[str], living: list[int]) -> None:
        self.webhook_ids = webhook_ids
        self.owners: dict[str, int] = {}
        self.held: dict[int, set[str]] = {epoch: set() for epoch in living}
        self.waiting = dict.fromkeys(living, True)

    def act(self, epoch: int) -> None:
        """One look around, and whatever follows from it."""
        planned = plan(self.webhook_ids, dict(self.owners), list(self.held), epoch, frozenset(self.held[epoch]))
        assert not planned.claims & planned.releases
        assert planned.claims <= self.webhook_ids
        for webhook_id in planned.claims:
            assert self.owners.get(webhook_id) not in set(self.held) - {epoch}, "taken from one who lives"
            self.owners[webhook_id] = epoch
            self.held[epoch].add(webhook_id)
        for webhook_id in planned.releases:
            del self.owners[webhook_id]
            self.held[epoch].discard(webhook_id)
        self.waiting[epoch] = planned.is_waiting
        assert not any(self.held[one] & self.held[two] for one in self.held for two in self.held if one < two)

    def settle(self, chance: random.Random) -> None:
        """Everybody acts in any order, twice: gives back, then takes."""
        for _ in range(2):
            for epoch in chance.sample(sorted(self.held), len(self.held)):
                self.act(epoch)

    def assert_settled(self) -> None:
        assert set(self.owners) == self.webhook_ids
        for webhook_id, owner in self.owners.items():
            assert [epoch for epoch, held in self.held.items() if webhook_id in held] == [owner]
        before = dict(self.owners)
        for epoch in list(self.held):
            self.act(epoch)
        assert self.owners == before
        assert not any(self.waiting.values())


@given(WEBHOOKS, EPOCHS, st.randoms(use_true_random=False))
def test_every_webhook_has_exactly_one_owner_once_all_have_acted(
    webhook_ids: frozenset[str], living: list[int], chance: random.Random
) -> None:
    dispatchers = Dispatchers(webhook_ids, living)
    dispatchers.settle(chance)
    dispatchers.assert_settled()


@given(WEBHOOKS, EPOCHS, st.integers(61, 99), st.randoms(use_true_random=False))
def test_also_after_one_came_and_another_died(
    webhook_ids: frozenset[str], living: list[int], newcomer: int, chance: random.Random
) -> None:
    dispatchers = Dispatchers(webhook_ids, living)
    dispatchers.settle(chance)
    dispatchers.held[newcomer] = set()
    dispatchers.settle(chance)
    dispatchers.assert_settled()
    del dispatchers.held[living[0]]
    dispatchers.settle(chance)
    dispatchers.assert_settled()


@given(WEBHOOKS, EPOCHS, st.randoms(use_true_random=False))
def test_also_where_an_owner_forgot_what_it_held(
    webhook_ids: frozenset[str], living: list[int], chance: random.Random
) -> None:
    """A claim whose answer was lost: the assignment is there, and its owner does not know of it."""
    dispatchers = Dispatchers(webhook_ids, living)
    dispatchers.settle(chance)
    for held in dispatchers.held.values():
        held.clear()
    dispatchers.settle(chance)
    dispatchers.assert_settled()


@given(WEBHOOKS, EPOCHS, st.integers(61, 99))
def test_a_newcomer_takes_its_share_and_nothing_else_moves(
    webhook_ids: frozenset[str], living: list[int], newcomer: int
) -> None:
    for webhook_id in webhook_ids:
        before, after = chosen(webhook_id, living), chosen(webhook_id, [*living, newcomer])
        assert after in (before, newcomer)


def test_the_order_of_the_living_does_not_matter() -> None:
    assert all(chosen(webhook_id, [1, 2, 3]) == chosen(webhook_id, (3, 1, 2)) for webhook_id in MANY)


def test_shares_are_fair() -> None:
    shares = Counter(chosen(webhook_id, range(1, 6)) for webhook_id in MANY)
    assert len(shares) == 5
    assert all(140 <= share <= 260 for share in shares.values())


def test_nothing_is_taken_from_one_who_lives() -> None:
    owners = dict.fromkeys(MANY, 2)
    planned = plan(MANY, owners, [1, 2], 1, frozenset())
    assert (planned.claims, planned.releases, planned.is_waiting) == (frozenset(), frozenset(), True)
    theirs = plan(MANY, owners, [1, 2], 2, frozenset(MANY))
    assert theirs.releases == {webhook_id for webhook_id in MANY if chosen(webhook_id, [1, 2]) == 1}
    assert not theirs.claims
