"""Looking names up: shared, remembered, bounded, and never in anybody else's way."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

import pytest

from elasticlake.delivery.resolver import BoundedResolver


@dataclass
class Names:
    """A name server of our own: answers, failures, and names that it answers only once `release` is set."""

    known: dict[str, list[str]] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    release: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if name in self.hanging:
                self.release.wait(10)
            if name not in self.known:
                raise OSError(-2, "Name or service not known")
            return self.known[name]
        finally:
            self.running -= 1


class SteppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds


async def addresses(resolver: BoundedResolver, name: str) -> list[str]:
    return list(await resolver.resolve(name))


async def test_an_answer_serves_everybody_for_thirty_seconds():
    names, clock = Names({"a.test": ["192.0.2.1", "2001:db8::1"]}), SteppedClock()
    resolver = BoundedResolver(names, clock)
    together = await asyncio.gather(*(addresses(resolver, "a.test") for _ in range(50)))
    assert together == [["192.0.2.1", "2001:db8::1"]] * 50
    clock.seconds += 29
    await addresses(resolver, "a.test")
    assert names.asked == ["a.test"]
    clock.seconds += 2
    await addresses(resolver, "a.test")
    assert names.asked == ["a.test", "a.test"]


async def test_a_failure_is_remembered_briefly():
    names, clock = Names(), SteppedClock()
    resolver = BoundedResolver(names, clock)
    for _ in range(2):
        with pytest.raises(OSError, match="not known"):
            await addresses(resolver, "gone.test")
    assert names.asked == ["gone.test"]
    names.known["gone.test"] = ["192.0.2.1"]
    clock.seconds += 4
    assert await addresses(resolver, "gone.test") == ["192.0.2.1"]


async def test_a_name_without_addresses_or_beyond_encoding_is_a_failure():
    with pytest.raises(OSError, match="no address"):
        await addresses(BoundedResolver(Names({"empty.test": []})), "empty.test")

    def unencodable(name: str) -> list[str]:
        return [name.encode("ascii").decode()]

    with pytest.raises(OSError, match="ascii"):
        await addresses(BoundedResolver(unencodable), "ü.test")


async def test_giving_up_on_a_lookup_ends_it_for_nobody_else():
    names = Names({"slow.test": ["192.0.2.1"]}, hanging={"slow.test"})
    resolver = BoundedResolver(names)
    patient = asyncio.create_task(addresses(resolver, "slow.test"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(addresses(resolver, "slow.test"), 0.05)
    names.release.set()
    assert await patient == ["192.0.2.1"]
    assert names.asked == ["slow.test"]


async def test_threads_are_bounded():
    names = Names(hanging={f"{n}.test" for n in range(20)})
    resolver = BoundedResolver(names, fast_slots=3, slow_slots=1)
    lookups = [asyncio.create_task(addresses(resolver, name)) for name in names.hanging]
    await asyncio.sleep(0.1)
    assert names.running == 3
    names.release.set()
    assert all(isinstance(result, OSError) for result in await asyncio.gather(*lookups, return_exceptions=True))
    assert names.most_running == 3


async def test_names_that_hang_again_and_again_leave_the_fast_slots_to_others():
    bad = {f"{n}.bad.test" for n in range(10)}
    names, clock = Names({"good.test": ["192.0.2.1"]}), SteppedClock()
    resolver = BoundedResolver(names, clock, fast_slots=2, slow_slots=2)
    await asyncio.gather(*(addresses(resolver, name) for name in bad), return_exceptions=True)
    clock.seconds += 60
    names.hanging |= bad
    hung = [asyncio.create_task(addresses(resolver, name)) for name in bad]
    await asyncio.sleep(0.05)
    assert names.running == 2
    assert await asyncio.wait_for(addresses(resolver, "good.test"), 2) == ["192.0.2.1"]
    names.release.set()
    await asyncio.gather(*hung, return_exceptions=True)


async def test_localhost_names_ask_nobody():
    names = Names()
    for name in ("localhost", "app.localhost", "localhost."):
        assert await addresses(BoundedResolver(names), name) == ["127.0.0.1", "::1"]
    assert names.asked == []


async def test_the_machines_resolver_knows_a_literal():
    assert await addresses(BoundedResolver(), "127.0.0.1") == ["127.0.0.1"]


def test_a_hung_lookup_does_not_hold_up_the_end_of_the_loop():
    names = Names(hanging={"hung.test"})

    async def give_up() -> None:
        resolver = BoundedResolver(names)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(addresses(resolver, "hung.test"), 0.05)
        await resolver.close()

    started = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - started < 5
    assert any(thread.name == "webhook-dns" and thread.daemon for thread in threading.enumerate())
    names.release.set()
