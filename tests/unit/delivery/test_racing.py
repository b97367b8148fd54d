"""Several addresses: in turn, together, and nothing left open."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque

import pytest

from elasticlake.delivery.racing import interleaved, race

STAGGER_SECONDS = 0.05


class Addresses:
    """Addresses that connect, fail or hang after a while, as `outcomes` says; and when each was dialled."""

    def __init__(self, **outcomes: tuple[float, OSError | None]) -> None:
        self.outcomes = outcomes
        self.began = time.monotonic()
        self.dialled: dict[str, float] = {}
        self.sockets: list[socket.socket] = []

    async def connect(self, address: str) -> socket.socket:
        self.dialled[address] = time.monotonic() - self.began
        seconds, error = self.outcomes[address]
        opened = socket.socket()
        self.sockets.append(opened)
        try:
            await asyncio.sleep(seconds)
            if error is not None:
                raise error
        except BaseException:
            opened.close()
            raise
        return opened

    async def race(self) -> str:
        left = deque(self.outcomes)
        winner, opened = await race(left, self.connect, STAGGER_SECONDS)
        self.left = list(left)
        opened.close()
        await asyncio.sleep(0)
        assert self.open == 0
        return winner

    @property
    def open(self) -> int:
        return sum(opened.fileno() >= 0 for opened in self.sockets)


REFUSED = ConnectionRefusedError(111, "refused")


@pytest.mark.parametrize(
    ("addresses", "order"),
    [
        (["1", "2"], ["1", "2"]),
        (["::1", "::2", "1", "2"], ["::1", "1", "::2", "2"]),
        (["1", "2", "3", "::1"], ["1", "::1", "2", "3"]),
        ([], []),
    ],
)
def test_families_take_turns(addresses, order):
    assert list(interleaved(addresses)) == order


async def test_the_first_that_answers_at_once_is_the_only_one_dialled():
    addresses = Addresses(a=(0.0, None), b=(0.0, None))
    assert await addresses.race() == "a"
    assert (list(addresses.dialled), addresses.left) == (["a"], ["b"])


async def test_a_silent_one_holds_up_the_next_for_the_staggers_time_alone():
    addresses = Addresses(a=(60.0, None), b=(0.0, None))
    assert await addresses.race() == "b"
    assert STAGGER_SECONDS * 0.9 < addresses.dialled["b"] < 1
    assert addresses.left == ["a"]


async def test_a_failed_one_holds_up_nobody():
    addresses = Addresses(a=(0.0, REFUSED), b=(0.0, None), c=(0.0, None))
    assert await addresses.race() == "b"
    assert addresses.dialled["b"] < STAGGER_SECONDS
    assert addresses.left == ["c"]


async def test_a_slow_one_may_still_win():
    addresses = Addresses(a=(STAGGER_SECONDS * 2, None), b=(60.0, None), c=(60.0, None))
    assert await addresses.race() == "a"


async def test_all_reasons_are_told():
    with pytest.raises(ConnectionRefusedError, match=r"^\[Errno 111\] refused$"):
        await Addresses(a=(0.0, REFUSED), b=(0.0, REFUSED)).race()
    with pytest.raises(OSError, match="refused; no route") as told:
        await Addresses(a=(0.0, REFUSED), b=(0.0, OSError("no route"))).race()
    assert told.value.errno is None


@pytest.mark.parametrize("after_seconds", [0.0, STAGGER_SECONDS / 2, STAGGER_SECONDS * 1.5])
async def test_giving_up_closes_all(after_seconds):
    addresses = Addresses(a=(60.0, None), b=(60.0, None))
    racing = asyncio.create_task(addresses.race())
    await asyncio.sleep(after_seconds)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    await asyncio.sleep(0)
    assert addresses.open == 0


async def test_two_that_answer_together_are_not_both_kept():
    gate = asyncio.Event()
    opened: list[socket.socket] = []

    async def connect(address: str) -> socket.socket:
        await gate.wait()
        opened.append(socket.socket())
        return opened[-1]

    racing = asyncio.create_task(race(deque(["a", "b"]), connect, 0.01))
    await asyncio.sleep(0.1)
    gate.set()
    _, won = await racing
    await asyncio.sleep(0)
    assert [one.fileno() >= 0 for one in opened] == [one is won for one in opened]
    won.close()
