"""A receiver's answers, and who is handed what."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from tests.unit.webhooks.sent import SECRET, WEBHOOK, event, sent, webhook

from elasticlake import signing
from elasticlake.delivery.attempt import Request
from elasticlake.model.rules import FORMATS, Batch
from elasticlake.webhooks import Answer, BeingHandled, Claim, Event, InvalidSecret, MemoryGuard, Receiver
from elasticlake.webhooks.answer import BUSY, FAILED, HANDLED, NOT_POST, TOO_LARGE

BATCHES = webhook(batch=Batch(10))


class Deliver(Protocol):
    def __call__(self, receiver: Receiver, request: Request) -> Answer: ...


@pytest.fixture(params=["handle", "ahandle"])
def deliver(request: pytest.FixtureRequest) -> Deliver:
    """Both ways to hand a request to a receiver."""
    if request.param == "handle":
        return lambda receiver, given: receiver.handle(given.body, given.headers)
    return lambda receiver, given: asyncio.run(receiver.ahandle(given.body, given.headers))


class Seen:
    """A handler that remembers, and raises while it is told to."""

    def __init__(self, fails: Callable[[Event], bool] = lambda _: False) -> None:
        self.events: list[Event] = []
        self.fails = fails

    def __call__(self, told: Event) -> None:
        self.events.append(told)
        if self.fails(told):
            raise RuntimeError("the handler's own words")

    @property
    def sequences(self) -> list[int | None]:
        return [told.sequence for told in self.events]


def seeing(guard: Any = None, **conditions: Any) -> tuple[Receiver, Seen]:
    receiver, seen = Receiver(SECRET, guard), Seen()
    receiver.on(**conditions)(seen)
    return receiver, seen


def test_an_event_is_handed_to_all_that_want_it(deliver: Deliver) -> None:
    receiver, order = Receiver(SECRET), []

    @receiver.on("object:created")
    def created(told: Event) -> None:
        order.append("created")

    @receiver.on("object:deleted")
    def deleted(told: Event) -> None:
        order.append("deleted")

    @receiver.on()
    async def all_of_them(told: Event) -> None:
        await asyncio.sleep(0)
        order.append(f"all: {told.sequence}")

    @receiver.on("object:created", "object:updated", prefix="Grüße", content_type="image/*", bucket=WEBHOOK.scope.name)
    def images(told: Event) -> str:
        order.append("image")
        return "ignored"

    assert deliver(receiver, sent()) == HANDLED == Answer(204)
    assert order == ["created", "all: 42", "image"]
    assert created.__name__ == "created"


def test_nobody_wants_it(deliver: Deliver) -> None:
    receiver, seen = seeing(prefix="other/")
    assert deliver(receiver, sent()) == deliver(Receiver(SECRET), sent()) == HANDLED
    assert seen.events == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_envelope_and_each_event_of_a_batch(deliver: Deliver, form: Any) -> None:
    receiver, seen = seeing()
    assert deliver(receiver, sent(to=webhook(format=form))) == HANDLED
    assert deliver(receiver, sent(event(43), event(44), to=webhook(format=form, batch=Batch(10)))) == HANDLED
    assert seen.sequences == [42, 43, 44]


def test_what_is_not_verified_is_401(deliver: Deliver) -> None:
    receiver, seen = seeing()
    request = sent()
    changed = Request(request.url, request.headers, request.body + b" ", 1)
    answer = deliver(receiver, changed)
    assert (answer.status, answer.text[:24]) == (401, "No signature matches: th")
    assert deliver(receiver, sent(at_ms=0)).status == 401
    assert deliver(receiver, Request(request.url, (), request.body, 1)).status == 401
    assert seen.events == []


def test_what_is_no_event_is_400(deliver: Deliver) -> None:
    body = b'{"event": "object:created"}'
    headers = signing.standard_headers([SECRET], "evt_1", sent_seconds(), body)
    answer = deliver(seeing()[0], Request("", tuple(headers), body, 1))
    assert (answer.status, answer.text) == (400, "timestamp must be a string, and required.")


def sent_seconds() -> int:
    return int(dict(sent().headers)["webhook-timestamp"])


def test_a_handler_that_raises_is_500_and_logged(deliver: Deliver, caplog: pytest.LogCaptureFixture) -> None:
    receiver, seen = seeing()
    seen.fails = lambda _: True
    assert deliver(receiver, sent()) == FAILED
    assert "own words" not in FAILED.text
    (logged,) = caplog.records
    assert (logged.name, logged.levelno) == ("elasticlake.webhooks", logging.ERROR)
    assert event(42).id not in logged.getMessage()
    assert sent_id() in logged.getMessage()
    assert logged.exc_info is not None
    assert "own words" in str(logged.exc_info[1])


def sent_id() -> str:
    return dict(sent().headers)["webhook-id"]


def test_it_verifies_as_it_is_told(deliver: Deliver) -> None:
    request = sent(at_ms=1_000_000)
    assert deliver(Receiver(["another", SECRET], tolerance_seconds=float("inf")), request) == HANDLED
    assert deliver(Receiver(SECRET, schemes=("elasticlake",)), request) == HANDLED
    assert deliver(Receiver("another", schemes=("elasticlake",)), request).status == 401


def test_a_body_that_nobody_sends_is_413(deliver: Deliver) -> None:
    request = sent()
    size_bytes = len(request.body)
    assert deliver(Receiver(SECRET, max_body_bytes=size_bytes - 1), request) == TOO_LARGE
    assert deliver(Receiver(SECRET, max_body_bytes=size_bytes), request) == HANDLED


def test_what_need_not_be_read() -> None:
    receiver = Receiver(SECRET, max_body_bytes=10)
    assert receiver.refusal("GET") == receiver.refusal("PUT", 11) == NOT_POST
    assert ("Allow", "POST") in NOT_POST.headers
    assert receiver.refusal("POST", 11) == TOO_LARGE
    assert receiver.refusal("POST", 10) is receiver.refusal("POST") is None


@pytest.mark.parametrize("secrets", ["", [], ["x", ""], "whsec_%"])
def test_a_receiver_without_a_secret_is_none(secrets: Any) -> None:
    with pytest.raises(InvalidSecret):
        Receiver(secrets)


def test_what_is_wrong_with_a_registration_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"object:create'"):
        Receiver(SECRET).on("object:create")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"There is no event <function"):
        Receiver(SECRET).on(lambda told: None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^The schemes are"):
        Receiver(SECRET, schemes=())


def generator(told: Event) -> Any:
    yield told


async def async_generator(told: Event) -> Any:
    yield told


class Generating:
    def __call__(self, told: Event) -> Any:
        yield told


@pytest.mark.parametrize("function", [generator, async_generator, functools.partial(generator), Generating()])
def test_a_handler_that_would_never_run_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="must not yield"):
        Receiver(SECRET).on()(function)


@pytest.mark.parametrize("function", [generator, async_generator])
def test_a_generator_that_is_returned_is_no_work_done(deliver: Deliver, function: Any) -> None:
    receiver = Receiver(SECRET, MemoryGuard())
    receiver.on()(lambda told: function(told))
    assert [deliver(receiver, sent()) for _ in range(2)] == [FAILED, FAILED]


class TestGuarded:
    """With a guard each event is handled once, however often and however it comes."""

    def test_a_repeated_delivery_is_handled_once(self, deliver: Deliver) -> None:
        receiver, seen = seeing(MemoryGuard())
        answers = [deliver(receiver, sent(attempt=attempt)) for attempt in (1, 2)]
        answers += [deliver(receiver, sent(generation=1)), deliver(receiver, sent(replay="job_1"))]
        assert answers == [HANDLED] * 4
        assert seen.sequences == [42]

    def test_a_failed_event_is_handled_again(self, deliver: Deliver) -> None:
        receiver, seen = seeing(MemoryGuard())
        seen.fails = lambda _: len(seen.events) < 3
        assert [deliver(receiver, sent()).status for _ in range(4)] == [500, 500, 204, 204]
        assert seen.sequences == [42, 42, 42]

    def test_a_batch_goes_on_where_it_failed(self, deliver: Deliver) -> None:
        receiver, seen = seeing(MemoryGuard())
        seen.fails = lambda told: told.sequence == 42 and len(seen.events) < 3
        request = sent(event(41), event(42), event(43), to=BATCHES)
        assert deliver(receiver, request) == FAILED
        assert seen.sequences == [41, 42]
        assert deliver(receiver, request) == HANDLED
        assert seen.sequences == [41, 42, 42, 43]

    def test_without_a_guard_a_batch_begins_anew(self, deliver: Deliver) -> None:
        receiver, seen = seeing()
        seen.fails = lambda told: told.sequence == 42 and len(seen.events) < 3
        request = sent(event(41), event(42), to=BATCHES)
        assert [deliver(receiver, request).status for _ in range(2)] == [500, 204]
        assert seen.sequences == [41, 42, 41, 42]

    def test_what_nobody_wants_is_not_even_claimed(self, deliver: Deliver) -> None:
        receiver, _ = seeing(Broken("begin"), prefix="other/")
        assert deliver(receiver, sent()) == HANDLED

    def test_while_another_is_at_it_is_409(self, deliver: Deliver) -> None:
        guard = MemoryGuard()
        receiver, seen = seeing(guard)
        claim = guard.begin(sent_id())
        assert claim is not None
        assert deliver(receiver, sent()) == BUSY
        assert (BUSY.status, seen.events) == (409, [])
        guard.release(claim)
        assert deliver(receiver, sent()) == HANDLED

    @pytest.mark.parametrize(("broken", "handled"), [("begin", 0), ("complete", 1)])
    def test_a_guard_that_fails_is_500(self, deliver: Deliver, broken: str, handled: int) -> None:
        receiver, seen = seeing(Broken(broken))
        assert deliver(receiver, sent()) == FAILED
        assert len(seen.events) == handled

    def test_a_guard_that_cannot_release_hides_no_failure(
        self, deliver: Deliver, caplog: pytest.LogCaptureFixture
    ) -> None:
        receiver, seen = seeing(Broken("release"))
        seen.fails = lambda _: True
        assert deliver(receiver, sent()) == FAILED
        assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
        assert "own words" in str(caplog.records[1].exc_info)

    def test_deliveries_at_once_are_handled_once(self) -> None:
        receiver, started = Receiver(SECRET, MemoryGuard()), []

        @receiver.on()
        async def slow(told: Event) -> None:
            started.append(told.sequence)
            await asyncio.sleep(0.05)

        async def all_at_once() -> list[int]:
            requests = [sent(attempt=attempt) for attempt in range(1, 6)]
            answers = await asyncio.gather(*(receiver.ahandle(one.body, one.headers) for one in requests))
            return sorted(answer.status for answer in answers)

        assert asyncio.run(all_at_once()) == [204, 409, 409, 409, 409]
        assert started == [42]

    @pytest.mark.parametrize("wrapped", [False, True])
    def test_a_coroutine_that_is_canceled_releases_its_event(self, wrapped: bool) -> None:
        guard = MemoryGuard()
        receiver = Receiver(SECRET, guard)

        async def endless(told: Event) -> None:
            await asyncio.Event().wait()

        receiver.on()((lambda told: endless(told)) if wrapped else endless)
        cancel(receiver)
        assert guard.begin(sent_id()) is not None

    def test_a_function_goes_on_in_its_thread_and_keeps_its_event(self) -> None:
        guard, end = MemoryGuard(), threading.Event()
        receiver = Receiver(SECRET, guard)
        receiver.on()(lambda told: end.wait(10))
        cancel(receiver, end.set)
        with pytest.raises(BeingHandled):
            guard.begin(sent_id())

    def test_an_interrupted_program_releases_what_it_awaited(self) -> None:
        guard = MemoryGuard()
        receiver = Receiver(SECRET, guard)

        @receiver.on()
        async def interrupted(told: Event) -> None:
            raise KeyboardInterrupt

        request = sent()
        with pytest.raises(KeyboardInterrupt):
            receiver.handle(request.body, request.headers)
        assert guard.begin(sent_id()) is not None


def cancel(receiver: Receiver, then: Callable[[], None] = lambda: None) -> None:
    """Begin a delivery, and cancel it while its handler is at it."""

    async def begin_and_cancel() -> None:
        request = sent()
        task = asyncio.create_task(receiver.ahandle(request.body, request.headers))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        then()

    asyncio.run(begin_and_cancel())


class TestShared:
    """Receivers that share a guard."""

    def test_each_of_them_handles_the_event(self, deliver: Deliver) -> None:
        guard, seen = MemoryGuard(), Seen()
        receivers = [Receiver(SECRET, guard, name=name) for name in ("", "thumbnails", "search")]
        for receiver in receivers:
            receiver.on()(seen)
        assert [deliver(receiver, sent()) for receiver in receivers * 2] == [HANDLED] * 6
        assert seen.sequences == [42, 42, 42]

    def test_a_name_means_the_same_after_a_restart(self, deliver: Deliver) -> None:
        guard, seen = MemoryGuard(), Seen()
        for _ in range(2):
            receiver = Receiver(SECRET, guard, name="thumbnails")
            receiver.on()(seen)
            assert deliver(receiver, sent()) == HANDLED
            del receiver
            gc.collect()
        assert seen.sequences == [42]

    @pytest.mark.parametrize("name", ["", "thumbnails"])
    def test_two_of_one_name_are_refused(self, name: str) -> None:
        guard = MemoryGuard()
        first = Receiver(SECRET, guard, name=name)
        with pytest.raises(ValueError, match=f"Another receiver has this guard under the name '{name}'"):
            Receiver(SECRET, guard, name=name)
        others = Receiver(SECRET, MemoryGuard(), name=name), Receiver(SECRET, name=name), Receiver(SECRET, name=name)
        assert first not in others

    def test_a_name_cannot_pass_for_a_name_and_an_id(self) -> None:
        with pytest.raises(ValueError, match="no slash"):
            Receiver(SECRET, MemoryGuard(), name="a/b")


class Broken:
    """A guard whose storage fails at one thing."""

    def __init__(self, method: str) -> None:
        self._method = method

    def _try(self, method: str) -> None:
        if method == self._method:
            raise ConnectionError("the storage is away")

    def begin(self, event_id: str) -> Claim | None:
        self._try("begin")
        return Claim(event_id, "token")

    def complete(self, claim: Claim) -> None:
        self._try("complete")

    def release(self, claim: Claim) -> None:
        self._try("release")
