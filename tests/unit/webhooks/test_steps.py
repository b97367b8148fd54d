"""Work in steps: the same with an event loop and without one."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from elasticlake.webhooks.steps import Call, Steps, run, run_async

Run = Callable[[Steps[Any]], Any]


@pytest.fixture(params=["sync", "async"])
def running(request: pytest.FixtureRequest) -> Run:
    return run if request.param == "sync" else lambda steps: asyncio.run(run_async(steps))


def twice(number: int) -> int:
    return number * 2


async def twice_later(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


class Twice:
    async def __call__(self, number: int) -> int:
        return await twice_later(number)


def fails(error: Exception) -> None:
    raise error


async def fails_later(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


def adding(*functions: Callable[[int], Any]) -> Steps[int]:
    total = 0
    for function in functions:
        total += yield Call(function, 1)
    return total


def test_every_kind_of_function(running: Run) -> None:
    partial = functools.partial(twice_later)
    assert running(adding(twice, twice_later, partial, Twice(), lambda number: twice_later(number))) == 10


def test_no_steps_at_all(running: Run) -> None:
    assert running(adding()) == 0


@pytest.mark.parametrize("function", [fails, fails_later])
@pytest.mark.parametrize("error", [ValueError("x"), StopIteration(1), StopAsyncIteration(), TimeoutError()], ids=repr)
def test_what_a_call_raises_is_raised_where_it_was_made(running: Run, function: Any, error: Exception) -> None:
    def careful() -> Steps[str]:
        try:
            yield Call(function, error)
        except Exception as caught:
            # A coroutine that ends in StopIteration is a RuntimeError (PEP 479).
            return repr(caught if type(error) is type(caught) else caught.__cause__)
        return "nothing"

    def careless() -> Steps[None]:
        yield Call(function, error)

    assert running(careful()) == repr(error)
    with pytest.raises(Exception) as caught:
        running(careless())
    assert error in (caught.value, caught.value.__cause__, getattr(caught.value.__cause__, "__cause__", None))


def test_the_next_step_sees_the_one_before(running: Run) -> None:
    def chained() -> Steps[int]:
        first = yield Call(twice, 3)
        return (yield Call(twice_later, first))

    assert running(chained()) == 12


def test_in_a_loop_what_may_block_runs_beside_it() -> None:
    where: list[int] = []

    def blocking(_: int) -> int:
        where.append(threading.get_ident())
        return 0

    async def waiting(_: int) -> int:
        where.append(threading.get_ident())
        return 0

    asyncio.run(run_async(adding(blocking, waiting)))
    assert where[0] != threading.get_ident() == where[1]
    where.clear()
    run(adding(blocking, waiting))
    assert where == [threading.get_ident()] * 2


def test_a_function_that_blocks_holds_up_nobody() -> None:
    release = threading.Event()

    async def both() -> None:
        blocked = asyncio.create_task(run_async(adding(lambda _: 1 if release.wait(10) else 0)))
        assert await run_async(adding(twice_later)) == 2
        assert not blocked.done()
        release.set()
        assert await blocked == 1

    asyncio.run(both())


def test_a_loop_that_runs_already_is_said_to_be_in_the_way() -> None:
    async def blocking() -> None:
        with pytest.raises(RuntimeError, match=r"needs ahandle"):
            run(adding(twice_later))
        assert run(adding(twice)) == 2

    asyncio.run(blocking())


def test_what_is_interrupted_stays_so() -> None:
    async def never(_: int) -> None:
        await asyncio.Event().wait()

    ended: list[bool] = []

    def steps() -> Steps[None]:
        try:
            yield Call(never, 0)
        except Exception:
            ended.append(True)

    async def interrupt() -> None:
        task = asyncio.create_task(run_async(steps()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupt())
    assert ended == []


@pytest.mark.parametrize("waits", [True, False], ids=["the loop goes on", "the loop ends meanwhile"])
def test_cleaning_up_is_done_though_it_is_canceled_itself(waits: bool) -> None:
    """Where every thread is busy, and whoever cancels does so again and again."""
    cleaned, busy = threading.Event(), threading.Event()

    begun = asyncio.Event()

    async def never(_: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    def steps() -> Steps[None]:
        try:
            yield Call(never, 0)
        finally:
            yield Call(lambda _: cleaned.set(), 0, is_cleanup=True)

    async def cancel_twice() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        occupied = asyncio.create_task(asyncio.to_thread(busy.wait, 10))
        task = asyncio.create_task(run_async(steps()))
        await begun.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not cleaned.is_set()
        if waits:
            busy.set()
            assert await occupied
        else:  # the loop cancels whatever task is left, and then waits for its threads
            threading.Timer(0.1, busy.set).start()

    asyncio.run(cancel_twice())
    assert cleaned.wait(10)
