"""Every query of the delivery schema: positions, lanes, deliveries, jobs, what is known of webhooks, and nodes."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.metadata.script import Found, Script, Step

from elasticlake.metadata import (
    audit,
    breakers,
    deliveries,
    failing_webhooks,
    jobs,
    nodes,
    operational_events,
    where_errors,
)
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Parked, Position, RequestedDelivery
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.metadata.jobs import Job
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.model.events import Event
from elasticlake.model.jobs import JOB_GENERATIONS, Cursor, JobParameters, Span, Tally

BIG = 2**62


def delivery_script() -> list[Step]:
    step = Script()
    _positions(step)
    _lanes(step)
    _dead(step)
    _requested(step)
    _jobs(step)
    _where_errors(step)
    _failing(step)
    _breakers(step)
    _operational_events(step)
    _remembered(step)
    _nodes(step)
    return step.steps


def _positions(step: Script) -> None:
    step(deliveries.put_position, Position("wh_1", 1, 5))
    step(deliveries.put_position, Position("wh_1", 1, BIG, 1, 2, 3, 4))
    step(deliveries.put_position, Position("wh_1", 2, 3))
    step.gives(Position("wh_1", 1, BIG, 1, 2, 3, 4), deliveries.get_position, "wh_1", 1)
    step.gives(None, deliveries.get_position, "wh_2", 1)
    both = [Position("wh_1", 1, BIG, 1, 2, 3, 4), Position("wh_1", 2, 3)]
    step.gives_any_order(both, deliveries.positions, "wh_1")
    step.gives_any_order(both, deliveries.positions_of, ["wh_2", "wh_1"])


def _lanes(step: Script) -> None:
    low, high = Lane("wh_1", 1, b"\x00", 7, 2, BIG, "key"), Lane("wh_1", 1, b"\xff", 8, 1, 5, "none")
    other = Lane("wh_1", 2, b"", 1, 1, 1, "bucket")
    step(deliveries.put_lane, Lane("wh_1", 1, b"\x00", 1, 1, 1))
    for lane in (low, high, other):
        step(deliveries.put_lane, lane)
    step.gives_any_order([low, high, other], deliveries.lanes, "wh_1")
    step.gives_any_order([low, high], deliveries.lanes_of_feed, "wh_1", 1)
    step.gives_any_order([("wh_1", 1), ("wh_1", 2)], deliveries.feeds_with_lanes)
    step.gives(low, deliveries.get_lane, "wh_1", 1, b"\x00")
    step.gives(None, deliveries.get_lane, "wh_1", 1, b"")
    step.gives([low, high, other], deliveries.list_lanes, "wh_1", (0, b""), 10)
    step.gives([high], deliveries.list_lanes, "wh_1", (1, b"\x00"), 1)
    step.gives([(b"\x00", 7), (b"\xff", 8)], jobs.parked_heads, "wh_1", 1, b"", 10)
    step.gives([(b"\xff", 8)], jobs.parked_heads, "wh_1", 1, b"\x00\x00", 10)
    step.gives([(b"", 1)], jobs.parked_heads, "wh_1", 2, b"", 1)
    step.gives({1: 2, 2: 1}, jobs.count_lanes, "wh_1")
    step(deliveries.delete_lane, "wh_1", 2, b"")
    step.gives([low, high], deliveries.list_lanes, "wh_1", (0, b""), 10)


def _dead(step: Script) -> None:
    first, again = DeadDelivery("wh_1", 1, 3, 0, b"k\x00", 10, BIG), DeadDelivery("wh_1", 1, 3, 1, b"k\x00", 1, 5)
    later = DeadDelivery("wh_1", 1, 9, 0, b"", 1, 5)
    for dead in (first, first._replace(attempts=99), again, later):
        step(deliveries.put_dead, dead)
    step.gives(first, deliveries.get_dead, "wh_1", 1, 3, 0)
    step.gives(None, deliveries.get_dead, "wh_1", 1, 3, 2)
    step.gives([first, again, later], deliveries.list_dead, "wh_1", (0, 0, 0), 10)
    step.gives([again], deliveries.list_dead, "wh_1", (1, 3, 0), 1)
    step.gives([first, later], deliveries.dead_events, "wh_1", 1, 0, 10)
    step.gives([], deliveries.dead_events, "wh_1", 1, 9, 10)
    step.gives([3, 9], jobs.dead_sequences, "wh_1", 1, 0, 9, 7, 10)
    step.gives([3], jobs.dead_sequences, "wh_1", 1, 0, BIG, 0, 10)
    step.gives([9], jobs.dead_sequences, "wh_1", 1, 3, 9, 7, 1)
    step.gives({1: 2}, jobs.count_dead, "wh_1")
    step.gives({}, jobs.count_dead, "wh_2")
    step(deliveries.delete_dead, "wh_1", 1, 9)
    step.gives([first, again], deliveries.list_dead, "wh_1", (0, 0, 0), 10)


def _requested(step: Script) -> None:
    step.gives(1, deliveries.next_generation, "wh_1", 1, 3)
    waiting = RequestedDelivery("wh_1", 1, 3, 1, "pending", 0, 100, 200)
    of_job = RequestedDelivery("wh_1", 1, 4, JOB_GENERATIONS + 3, "retrying", 1, 100, None, b"k\x00\xff")
    ended = RequestedDelivery("wh_1", 1, 3, 2, "delivered", 1, 101, None)
    test = RequestedDelivery("wh_2", 0, 0, 1, "pending", 0, 102, 150)
    step(deliveries.put_requested, ended._replace(status="pending", next_attempt_at_ms=1))
    for requested in (waiting, ended, test, of_job):
        step(deliveries.put_requested, requested)
    step.gives(3, deliveries.next_generation, "wh_1", 1, 3)
    step.gives(1, deliveries.next_generation, "wh_1", 1, 4)
    step.gives(of_job, deliveries.get_requested, "wh_1", 1, 4, JOB_GENERATIONS + 3)
    step.gives(ended, deliveries.get_requested, "wh_1", 1, 3, 2)
    step.gives(None, deliveries.get_requested, "wh_1", 1, 3, 9)
    step.gives([], deliveries.due_requested, 1, 1000, 10)
    step(nodes.claim, ["wh_1", "wh_2"], 1)
    step.gives([test, waiting], deliveries.due_requested, 1, 200, 10)
    step.gives([test], deliveries.due_requested, 1, 199, 10)
    step.gives([], deliveries.due_requested, 2, 200, 10)
    step.gives([waiting], deliveries.list_requested, "wh_1", "pending", (0, 0, 0), 10)
    step.gives([], deliveries.list_requested, "wh_1", "pending", (1, 3, 1), 10)
    step(deliveries.put_requested, waiting._replace(bucket_id=2))
    waits = [Parked("wh_1", 1, 2, 7, 0), Parked("wh_1", 1, 0, None, 1), Parked("wh_1", 2, 0, None, 1)]
    step.gives_any_order([*waits, Parked("wh_2", 0, 0, None, 1)], deliveries.parked, ["wh_2", "none", "wh_1"])
    step.gives_any_order([], deliveries.parked, ["none"])
    step(deliveries.put_requested, waiting._replace(bucket_id=2, next_attempt_at_ms=None))


def _jobs(step: Script) -> None:
    spans = (Span(1, 1, BIG), Span(2, 3, 2))
    asked = JobParameters("my-bucket", "ü/", ("object:created",), "dead", 1, BIG, rate_limit=0.5, spans=spans)
    step.gives(1, jobs.next_number, "wh_1")
    first = Job("job_1", "wh_1", 1, "replay", asked, BIG, 10, 10)
    second = Job("job_2", "wh_1", 2, "backfill", JobParameters(spans=(Span(1),)), None, 11, 11)
    other = Job("job_3", "wh_3", 1, "replay", JobParameters(), 0, 12, 12)
    for job in (first, second, other):
        step(jobs.insert, job)
    step.gives(3, jobs.next_number, "wh_1")
    step.gives(first, jobs.get, "job_1")
    step.gives(None, jobs.get, "job_9")
    step.gives(second, jobs.numbered, "wh_1", 2)
    step.gives(None, jobs.numbered, "wh_2", 1)
    step.gives([("job_1", "wh_1", 1), ("job_2", "wh_1", 2)], jobs.running, 1)
    step.gives([], jobs.running, 2)
    going = replace(second, cursor=Cursor(0, 1, b"\x00\xff"), tally=Tally(5, 4, 1, 2, 1), updated_at_ms=20)
    step(jobs.put_progress, going)
    step.gives(going, jobs.get, "job_2")
    done = replace(going, status="failed", ended_at_ms=30, updated_at_ms=30, error="It could not go on.")
    step(jobs.put_progress, done)
    step.gives(done, jobs.get, "job_2")
    step(jobs.cancel, "job_1", 40)
    step(jobs.cancel, "job_2", 41)
    # What was under way when it was canceled is still counted.
    step(jobs.put_progress, replace(first, tally=Tally(1, 1, 1), status="completed", updated_at_ms=50, ended_at_ms=50))
    ended = replace(first, tally=Tally(1, 1, 1), status="canceled", updated_at_ms=50, ended_at_ms=40)
    step.gives(ended, jobs.get, "job_1")
    step.gives(0, jobs.count_running, "wh_1")
    step.gives(1, jobs.count_running, "wh_3")
    step.gives([other, done, ended], jobs.page, "", 10)
    step.gives([done], jobs.page, "job_3", 1)
    step.gives([ended], jobs.page, "", 10, "wh_1", "canceled")
    step.gives([done, ended], jobs.page, "", 10, "wh_1")
    step.gives([other], jobs.page, "", 10, None, "running")


def _remembered(step: Script) -> None:
    step.gives_any_order(["wh_1", "wh_2", "wh_3"], deliveries.known_webhooks)
    step.gives_any_order([("wh_1", 1, BIG), ("wh_1", 2, 3)], deliveries.furthest)
    step(deliveries.clamp_position, "wh_1", 1, 6)
    step(deliveries.clamp_position, "wh_1", 2, 6)
    step.gives_any_order([Position("wh_1", 1, 6, 1, 2, 3, 4), Position("wh_1", 2, 3)], deliveries.positions, "wh_1")
    step.gives(1, deliveries.drop_lanes_beyond, "wh_1", 1, 7)
    step.gives(0, deliveries.drop_dead_beyond, "wh_1", 1, 3)
    step.gives(2, deliveries.drop_dead_beyond, "wh_1", 1, 2)
    step.gives(1, deliveries.expire_requested_beyond, "wh_1", 1, 2)
    step.gives(RequestedDelivery("wh_1", 1, 3, 1, "expired", 0, 100, None), deliveries.get_requested, "wh_1", 1, 3, 1)
    step(deliveries.forget_webhook, "wh_1")
    step.gives_any_order(["wh_2", "wh_3"], deliveries.known_webhooks)
    step.gives(None, jobs.get, "job_1")


def _where_errors(step: Script) -> None:
    step.gives({}, where_errors.of_webhooks, ["wh_1"])
    step(where_errors.add, WhereErrors("wh_1", 1, 2, "there is no a", "my-bucket", 5))
    step(where_errors.add, WhereErrors("wh_1", 1, BIG, "there is no b", "other-bucket", BIG))
    both = WhereErrors("wh_1", 1, BIG + 2, "there is no b", "other-bucket", BIG)
    step.gives({"wh_1": both}, where_errors.of_webhooks, ["wh_2", "wh_1"])
    step(where_errors.add, both._replace(revision=2, errors=1))
    step.gives({"wh_1": both._replace(revision=2, errors=1)}, where_errors.of_webhooks, ["wh_1"])


def _failing(step: Script) -> None:
    failing, other = FailingWebhook("wh_1", 2, BIG, False, "größe"), FailingWebhook("wh_2", 1, 5, True)
    step.gives({}, failing_webhooks.of_webhooks, ["wh_1"])
    step(failing_webhooks.put, failing._replace(revision=1, since_ms=1, is_notified=True))
    for known in (failing, other):
        step(failing_webhooks.put, known)
    step.gives({"wh_1": failing}, failing_webhooks.of_webhooks, ["wh_1", "none"])
    step.gives_any_order([failing, other], failing_webhooks.everyone)
    step(failing_webhooks.forget, "wh_1")
    step(failing_webhooks.forget, "wh_1")
    step.gives([other], failing_webhooks.everyone)


def _breakers(step: Script) -> None:
    step(nodes.claim, ["wh_1", "wh_2", "wh_3"], 5)
    opened, probed = OpenBreaker("wh_1", 5, "open", BIG), OpenBreaker("wh_2", 5, "half_open", None)
    left_behind = OpenBreaker("wh_3", 4, "open", 1)
    for told in (opened._replace(epoch=4, state="half_open"), opened, probed, left_behind):
        step(breakers.put, told)
    step.gives({"wh_1": opened, "wh_2": probed}, breakers.of_webhooks, ["wh_3", "wh_2", "wh_1", "none"])
    step(nodes.claim, ["wh_3"], 4)
    step.gives({"wh_3": left_behind}, breakers.of_webhooks, ["wh_3"])
    step(nodes.claim, ["wh_3"], 5)
    step(breakers.forget_untrue)
    step(nodes.claim, ["wh_3"], 4)
    step.gives({"wh_2": probed}, breakers.of_webhooks, ["wh_3", "wh_2"])
    step(breakers.forget, "wh_2")
    step.gives({"wh_1": opened}, breakers.of_webhooks, ["wh_1", "wh_2"])
    step(breakers.forget, "wh_1")
    step(nodes.release, ["wh_3"], 4)
    step(nodes.claim, ["wh_1", "wh_2"], 1)
    step(nodes.release, ["wh_3"], 5)


def _operational_events(step: Script) -> None:
    told = Event("evt_1", 0, "", 1, "webhook:failing", 100, b"", 0, "", "", "", "", "", about={"größe": [1]})
    step.gives(None, operational_events.get, 1)
    step.gives(0, operational_events.first_sequence)
    step(operational_events.announce, "evt_1", "acme", "webhook:failing", {"größe": [1]}, ("wh_5", "wh_6"), 100)
    step.gives(told, operational_events.get, 1)
    for subscriber in ("wh_5", "wh_6"):
        delivery = RequestedDelivery(subscriber, 0, 1, 1, "pending", 0, 100, 100)
        step.gives(delivery, deliveries.get_requested, subscriber, 0, 1, 1)
        step(deliveries.forget_webhook, subscriber)
    later_ms = 101 + operational_events.KEPT_MS
    step(operational_events.announce, "evt_2", "acme", "webhook:disabled", {}, (), later_ms)
    step.gives(None, operational_events.get, 1)
    step.gives(2, operational_events.first_sequence)
    step.gives(
        replace(told, id="evt_2", sequence=2, type="webhook:disabled", time_ms=later_ms, about={}),
        operational_events.get,
        2,
    )


def _nodes(step: Script) -> None:
    step.gives({"wh_2": 1}, nodes.owners)
    step.gives(1, audit.unowned_webhooks)
    step.gives_some(int, nodes.register, "dispatcher", "a")
    step.gives(1, audit.unowned_webhooks)
    step(nodes.claim, ["wh_2"], _epoch_of("a"))
    step.gives(0, audit.unowned_webhooks)
    step.gives_some(int, nodes.register, "gateway", "b")
    step.gives(True, nodes.beat, _epoch_of("a"))
    step.gives(False, nodes.beat, 9)
    step.gives([], nodes.reap)
    step.gives(set(), nodes.hold_owned, ["wh_1", "wh_2"], _epoch_of("b"))
    step.gives({"wh_2"}, nodes.hold_owned, ["wh_1", "wh_2"], _epoch_of("a"))
    step(nodes.release, ["wh_2"], _epoch_of("a"))
    step.gives({}, nodes.owners)
    step(nodes.leave, _epoch_of("a"))
    step(nodes.leave, _epoch_of("b"))
    step.gives([], nodes.all_nodes)


def _epoch_of(name: str) -> Found:
    return Found(lambda reader: next(node.epoch for node in nodes.all_nodes(reader) if node.name == name))
