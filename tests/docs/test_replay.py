"""What docs/replay.md says of jobs is what the API takes, and what is sent."""

from __future__ import annotations

import json
import re
from typing import get_args

from tests.docs.documents import Document, blocks, codes, rows

from elasticlake.api.jobs import ReplayBody
from elasticlake.delivery.composer import Delivery, document
from elasticlake.delivery.jobs import AT_ONCE_PER_WEBHOOK
from elasticlake.model.ids import DeliveryId, new_event_id
from elasticlake.model.jobs import JOB_STATUSES, JobParameters, Only, generation_of
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.objects import Attributes, Bucket, Content, ObjectVersion
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.service import jobs
from elasticlake.service.job_source import backfill_event
from elasticlake.service.reconcile import State

PAGE = Document("docs/replay.md")
BUCKET = Bucket(
    1, parse_bucket_name("lake1--pond1--my-bucket"), "root", "private", 0, 42, 1, 1048576, "production", "documents"
)
OBJECT = ObjectVersion(
    b"uploads/document.pdf",
    42,
    1048576,
    "d41d8cd98f00b204e9800998ecf8427e",
    1_761_834_153_000,
    Attributes("application/pdf"),
    "private",
    None,
    Content(),
)


def test_the_fields_of_a_replay_are_the_ones_in_the_table() -> None:
    table = rows(PAGE.section("Replay"), "field", "default", "meaning")
    named = [name for fields, _, _ in table for name in codes(fields)]
    taken = [field.alias for field in ReplayBody.model_fields.values()]
    assert named == taken
    meanings = {codes(fields)[0]: (default, meaning) for fields, default, meaning in table}
    assert codes(meanings["only"][0]) == [JobParameters().only]
    assert {*codes(meanings["only"][0]), *codes(meanings["only"][1])} == set(get_args(Only))
    assert jobs.MOST_COUNTED == 10**6
    assert jobs.COUNTING_SECONDS == 10


def test_the_payload_of_a_backfill_is_the_one_shown() -> None:
    shown = next(block.text for block in blocks(PAGE.text) if block.language == "json")
    event = backfill_event("job_1", BUCKET, OBJECT)
    webhook = Webhook("wh_mfrggzdfmztwq2lk", "root", WebhookScope("bucket", 1, event.bucket), "https://a/", ())
    identity = DeliveryId(webhook.id, 1, 42, generation_of(1, "backfill"))
    sent = document(Delivery(webhook, event, identity, backfill=True))
    example = json.loads(shown)
    assert list(example) == list(sent)
    assert len(example["id"]) == len(new_event_id(0))
    assert example | {"id": sent["id"]} == sent


def test_statuses_states_and_limits_are_the_ones_named() -> None:
    assert re.findall(r"`(\w+)`", PAGE.section("Jobs").split("A job is ")[1].split(" (`error`")[0]) == list(
        JOB_STATUSES
    )
    states = [codes(state)[0] for state, _ in rows(PAGE.section("Reconcile"), "state", "meaning")]
    assert states == list(get_args(State))
    assert AT_ONCE_PER_WEBHOOK == 3
    assert "oldest three jobs" in PAGE.text
    assert jobs.MAX_RUNNING == 20
    assert "twenty may wait or run" in PAGE.text
