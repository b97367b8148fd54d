"""Why events match, or not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import InvalidInput, InvalidWebhook, NoSuchBucket, NoSuchWebhook
from elasticlake.model.accounts import Token
from elasticlake.model.filters import Filter, Refusal
from elasticlake.model.webhooks import Webhook
from elasticlake.service.explanations import Draft, Explanation, Explanations, Question, SampleObject
from elasticlake.service.webhook_definitions import NewWebhook, Place

BUCKET = "lake1--pond1--one"
OTHER = "lake1--pond2--two"
FOREIGN = Token("tok_1", "foreign", ("acme",), "write", 0)


async def webhook(world: World, **members: Any) -> Webhook:
    place = members.pop("place", Place(bucket=BUCKET))
    events = members.pop("events", ("object:created",))
    made, _ = await world.webhooks.create(ROOT, NewWebhook(place, "https://example.com/", events, rules=members))
    return made


async def filled(world: World) -> None:
    await world.bucket(BUCKET)
    await world.bucket(OTHER)
    for key in (b"a", b"photos/b", b"photos/b", b"c"):
        await world.put(BUCKET, key, key)


def answers(world: World) -> Explanations:
    return Explanations(world.core, world.clock)


def brief(found: Explanation) -> list[tuple[int, str | None]]:
    return [(one.event.sequence, one.refusal.clause if one.refusal else None) for one in found.events]


async def test_the_latest_events_come_first_each_with_what_refuses_it(world: World) -> None:
    await filled(world)
    made = await webhook(world, filter=Filter(prefix=("photos/",)), where="object.size > 1")
    found = await answers(world).of_webhook(ROOT, made.id, Question())
    assert brief(found) == [(4, "filter.prefix"), (3, "events"), (2, None), (1, "filter.prefix")]
    assert found.events[0].refusal == Refusal("filter.prefix", "c")
    assert brief(await answers(world).of_webhook(ROOT, made.id, Question(limit=2))) == brief(found)[:2]
    some = await answers(world).of_webhook(ROOT, made.id, Question(sequences=(2, 4)))
    assert brief(some) == [(2, None), (4, "filter.prefix")]


async def test_sequences_that_the_log_does_not_hold_are_named(world: World) -> None:
    await filled(world)
    made = await webhook(world)
    found = await answers(world).of_webhook(ROOT, made.id, Question(sequences=(999, 2, 7, 999)))
    assert (brief(found), found.missing) == ([(2, None)], [999, 7])
    assert (await answers(world).of_webhook(ROOT, made.id, Question())).missing == []
    with pytest.raises(InvalidInput, match="no event 7, 999"):
        await answers(world).of_webhook(ROOT, made.id, Question(sequences=(7, 999)))


async def test_a_trimmed_log_is_looked_at_where_it_begins(world: World) -> None:
    await filled(world)
    bucket = await world.hierarchy.get_bucket(ROOT, BUCKET)
    await world.trim_log(bucket, 4)
    found = await answers(world).of_draft(ROOT, Draft(Place(bucket=BUCKET)), Question())
    assert brief(found) == [(4, None)]
    with pytest.raises(InvalidInput, match="no event 1"):
        await answers(world).of_draft(ROOT, Draft(Place(bucket=BUCKET)), Question(sequences=(1,)))


async def test_another_buckets_events_are_out_of_scope(world: World) -> None:
    await filled(world)
    await world.put(OTHER, b"k")
    inside, outside = (
        await webhook(world, place=Place(lake="lake1")),
        await webhook(world, place=Place(pond="lake1--pond1")),
    )
    asked = Question(bucket=OTHER)
    assert brief(await answers(world).of_webhook(ROOT, inside.id, asked)) == [(1, None)]
    [found] = (await answers(world).of_webhook(ROOT, outside.id, asked)).events
    assert found.refusal == Refusal("scope", OTHER)


async def test_objects_need_not_exist(world: World) -> None:
    await filled(world)
    draft = Draft(
        Place(pond="lake1--pond1"),
        ("object:created", "object:deleted"),
        rules={"filter": Filter(content_type=("image/*",), metadata={"State": "final"}), "where": 'lake == "lake1"'},
    )
    objects = (
        SampleObject("a", 1, "image/png", {"State": "final"}),
        SampleObject("b", 1, "text/plain"),
        SampleObject("c", 1, "image/png", {"state": "draft"}, "object:deleted"),
        SampleObject("d", event="object:updated"),
    )
    found = await answers(world).of_draft(ROOT, draft, Question(objects=objects))
    assert brief(found) == [(0, None), (0, "filter.contentType"), (0, "filter.metadata"), (0, "events")]
    [sample] = (await answers(world).of_draft(ROOT, draft, Question(bucket=OTHER, objects=objects[:1]))).events
    assert (sample.refusal, sample.event.pond) == (Refusal("scope", OTHER), "pond2")


async def test_an_expression_without_an_answer_shows_why_and_is_not_counted(world: World) -> None:
    await filled(world)
    made = await webhook(world, where='object.metadata.state == "x"')
    [found] = (await answers(world).of_webhook(ROOT, made.id, Question(sequences=(1,)))).events
    assert found.refusal == Refusal("where", {}, "there is no state")
    assert (await world.webhooks.standing(made)).where_errors is None


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(Place()), "webhook.bucket"),
        (Draft(Place(bucket=BUCKET, lake="lake1")), "webhook.lake"),
        (Draft(Place(pond="pond")), "webhook.pond"),
        (Draft(Place(bucket=BUCKET), ("object:moved",)), "webhook.events"),
        (Draft(Place(bucket=BUCKET), rules={"filter": Filter(min_size=2, max_size=1)}), "webhook.filter.minSize"),
        (Draft(Place(bucket=BUCKET), rules={"where": "object.size >"}), "webhook.where"),
        (Draft(Place(bucket=BUCKET), rules={"where": "event == 'put'"}), "webhook.where"),
        (Draft(Place(bucket=BUCKET), account_id="acme"), "webhook.account"),
    ],
)
async def test_what_could_not_be_created_names_its_field(world: World, draft: Draft, field: str) -> None:
    await filled(world)
    with pytest.raises(InvalidWebhook) as refused:
        await answers(world).of_draft(ROOT, draft, Question())
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (Question(), "bucket"),
        (Question(limit=101), "limit"),
        (Question(sequences=(1,) * 101), "sequences"),
        (Question(objects=(SampleObject("a"),) * 101), "objects"),
        (Question(sequences=(1,), objects=(SampleObject("a"),)), "objects"),
    ],
)
async def test_a_question_that_has_no_answer_names_its_field(world: World, question: Question, field: str) -> None:
    await filled(world)
    with pytest.raises(InvalidInput) as refused:
        await answers(world).of_draft(ROOT, Draft(Place(lake="lake1")), question)
    assert refused.value.field == field


async def test_nobody_learns_of_what_is_not_theirs(world: World) -> None:
    await filled(world)
    made = await webhook(world)
    with pytest.raises(NoSuchWebhook):
        await answers(world).of_webhook(FOREIGN, made.id, Question())
    with pytest.raises(NoSuchBucket):
        await answers(world).of_draft(FOREIGN, Draft(Place(bucket=BUCKET)), Question())
    with pytest.raises(NoSuchBucket):
        await answers(world).of_webhook(ROOT, made.id, Question(bucket="lake1--pond1--none"))
