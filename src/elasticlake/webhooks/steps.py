"""Work in steps that may wait, so that one description of it runs with and without an event loop.

A generator yields calls, and is given what each returned or raised. Whoever runs it decides how to wait.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call returned, or raised."""

    value: Any = None
    error: BaseException | None = None

    def resume(self, steps: Steps[Any]) -> Call:
        """The next call."""
        return steps.send(self.value) if self.error is None else steps.throw(self.error)


@dataclass(frozen=True, slots=True)
class Call:
    """A function that may block, or return what is to be awaited."""

    function: Callable[[Any], Any]
    argument: Any
    is_cleanup: bool = False
    """Whether it is to be done even if nobody waits for it any more."""

    def outcome(self) -> Outcome:
        """Never raises an Exception: one that leaves a thread may be lost on the way (StopIteration is)."""
        try:
            return Outcome(self.function(self.argument))
        except Exception as error:
            return Outcome(error=error)


Steps = Generator[Call, Any, T]


def run(steps: Steps[T]) -> T:
    """Run to the end in this thread; what is to be awaited gets an event loop of its own."""
    try:
        call = next(steps)
        while True:
            call = _blocking(call).resume(steps)
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(steps: Steps[T]) -> T:
    """Run to the end in the running event loop; what may block runs in threads."""
    try:
        call = next(steps)
        while True:
            call = (await _waiting(call)).resume(steps)
    except StopIteration as done:
        result: T = done.value
        return result


def _blocking(call: Call) -> Outcome:
    outcome = call.outcome()
    if not inspect.isawaitable(outcome.value):
        return outcome
    # Most receivers that never await would pay for the import alone.
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run_awaited(outcome.value)
    if inspect.iscoroutine(outcome.value):
        outcome.value.close()
    return Outcome(error=RuntimeError("What is to be awaited needs ahandle here: this thread runs an event loop."))


async def _waiting(call: Call) -> Outcome:
    import asyncio

    if inspect.iscoroutinefunction(call.function):
        outcome = call.outcome()
    else:
        # A thread cannot be interrupted: what is canceled here goes on there, and the steps end without hearing of it.
        # As `to_thread`, but a future and no task, which a loop that ends would cancel although it is shielded.
        in_context = contextvars.copy_context().run
        beside = asyncio.get_running_loop().run_in_executor(None, in_context, call.outcome)
        outcome = await (asyncio.shield(beside) if call.is_cleanup else beside)
    if not inspect.isawaitable(outcome.value):
        return outcome
    try:
        return await _awaited(outcome.value)
    except BaseException as error:
        # A coroutine that is canceled has ended: the steps may clean up after it, and raise this again.
        return Outcome(error=error)


def _run_awaited(value: Awaitable[Any]) -> Outcome:
    import asyncio

    try:
        return asyncio.run(_awaited(value))
    except BaseException as error:
        return Outcome(error=error)


async def _awaited(value: Awaitable[Any]) -> Outcome:
    try:
        return Outcome(await value)
    except Exception as error:
        return Outcome(error=error)
