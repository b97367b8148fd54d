"""Statistics over real histories of both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import ROOT, START_MS, World, attempt

from elasticlake.errors import InvalidInput, NoSuchWebhook
from elasticlake.metadata.history import Attempt
from elasticlake.model.accounts import Token
from elasticlake.service.statistics import MAX_STEPS, StepLength
from elasticlake.service.webhook_definitions import NewWebhook, Place

pytestmark = pytest.mark.both_engines
NEW = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", ("object:created",), secret="s")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
NOW_HOUR_MS = START_MS // HOUR_MS * HOUR_MS
ACME = Token("t", "", ("acme",), "write", 0)


async def begin(world: World) -> str:
    await world.bucket("bucket")
    return (await world.webhooks.create(ROOT, NEW))[0].id


def at(webhook_id: str, time_ms: int, duration_ms: float = 20.0) -> Attempt:
    return replace(attempt(webhook_id, 1, 1), started_at_ms=time_ms, duration_ms=duration_ms)


def failed(webhook_id: str, time_ms: int, error_class: str = "timeout") -> Attempt:
    return replace(at(webhook_id, time_ms), status="retrying", error_class=error_class, status_code=None)


async def test_the_last_day_by_the_hour_is_what_is_told_without_asking(world: World) -> None:
    webhook = await begin(world)
    world.record(
        at(webhook, START_MS - 10, 20.0),
        failed(webhook, START_MS - 10),
        at(webhook, START_MS - 23 * HOUR_MS, 3000.0),
        at(webhook, START_MS - 26 * HOUR_MS),
        at("wh_other", START_MS - 10),
    )
    series = await world.statistics.of_webhook(ROOT, webhook, None, None)
    assert (series.since_ms, series.until_ms) == (NOW_HOUR_MS - DAY_MS, NOW_HOUR_MS + HOUR_MS)
    starts = [step.start_ms for step in series.steps]
    assert starts == list(range(series.since_ms, series.until_ms, HOUR_MS))
    attempts = {step.start_ms: step.counts.attempts for step in series.steps if step.counts.attempts}
    assert attempts == {NOW_HOUR_MS - 23 * HOUR_MS: 1, NOW_HOUR_MS: 2}
    assert (series.totals.attempts, series.totals.failures_by_kind) == (3, {"timeout": 1})
    assert series.totals.success_ratio == pytest.approx(2 / 3)
    assert series.steps[-1].counts.percentile_ms(99) == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize(
    ("step", "length_ms", "steps"), [("5m", 5 * MINUTE_MS, 13), ("1h", HOUR_MS, 2), ("1d", DAY_MS, 1)]
)
async def test_times_are_widened_to_whole_steps(world: World, step: StepLength, length_ms: int, steps: int) -> None:
    webhook = await begin(world)
    world.record(at(webhook, START_MS - 30 * MINUTE_MS))
    series = await world.statistics.of_webhook(ROOT, webhook, START_MS - HOUR_MS, START_MS, step)
    assert (series.since_ms % length_ms, series.until_ms % length_ms) == (0, 0)
    assert series.since_ms <= START_MS - HOUR_MS < START_MS <= series.until_ms
    assert (len(series.steps), series.totals.delivered) == (steps, 1)


async def test_what_makes_no_sense_or_is_too_much_is_refused(world: World) -> None:
    webhook = await begin(world)
    longest = 5 * MINUTE_MS * (MAX_STEPS - 1)
    assert len((await world.statistics.of_webhook(ROOT, webhook, START_MS - longest, None, "5m")).steps) == MAX_STEPS
    questions: list[tuple[int, int | None, str]] = [
        (START_MS - longest - 5 * MINUTE_MS, None, "step"),
        (0, None, "step"),
        (START_MS - 1, START_MS - 1, "since"),
        (START_MS + HOUR_MS, START_MS + 2 * HOUR_MS, "since"),
        (-(2**60), 0, "since"),
    ]
    for since_ms, until_ms, field in questions:
        with pytest.raises(InvalidInput) as refused:
            await world.statistics.of_webhook(ROOT, webhook, since_ms, until_ms, "5m")
        assert refused.value.field == field


async def test_another_account_s_webhook_has_none(world: World) -> None:
    webhook = await begin(world)
    world.record(at(webhook, START_MS))
    for token, asked in ((ACME, webhook), (ROOT, "wh_none")):
        with pytest.raises(NoSuchWebhook):
            await world.statistics.of_webhook(token, asked, None, None)
    assert await world.statistics.of_webhooks(ACME, [webhook]) == {}


async def test_many_webhooks_are_told_of_at_once(world: World) -> None:
    first = await begin(world)
    second = (await world.webhooks.create(ROOT, NEW))[0].id
    world.record(
        at(first, START_MS),
        at(first, START_MS - 23 * HOUR_MS),
        failed(first, START_MS - 24 * HOUR_MS),
        at("wh_x", START_MS),
    )
    found = await world.statistics.of_webhooks(ROOT, [first, second, "wh_x"])
    assert set(found) == {first, second}
    assert [hour.counts.delivered for hour in found[first].hours] == [1, *[0] * 22, 1]
    assert (found[first].totals.success_ratio, found[first].totals.percentile_ms(95)) == (1.0, pytest.approx(24.5))
    assert [hour.counts.attempts for hour in found[second].hours] == [0] * 24
    assert found[second].totals.success_ratio is None
    lately = await world.statistics.of_webhooks(ROOT, [first], hours=1)
    assert [(hour.start_ms, hour.counts.delivered) for hour in lately[first].hours] == [(NOW_HOUR_MS, 1)]


async def test_without_a_history_there_are_none(world: World) -> None:
    webhook = await begin(world)
    assert (await world.statistics.of_webhook(ROOT, webhook, None, None)).totals.attempts == 0
