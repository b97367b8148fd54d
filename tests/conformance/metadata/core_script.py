"""Every query of the core schema: accounts, places, objects and their log, uploads, blobs and webhooks."""

from __future__ import annotations

from typing import Any

from tests.conformance.metadata.script import Found, Script, Step

from elasticlake.metadata import (
    accounts,
    activity,
    audit,
    blob_records,
    buckets,
    chosen,
    events,
    facts,
    heads,
    hierarchy,
    objects,
    overview,
    retention,
    uploads,
    webhooks,
)
from elasticlake.metadata.accounts import StoredKey
from elasticlake.metadata.activity import Place, Sought
from elasticlake.metadata.audit import AuditedBucket, AuditedPart, LastEvent
from elasticlake.metadata.heads import Head
from elasticlake.metadata.hierarchy import Lake, Pond
from elasticlake.metadata.overview import Totals
from elasticlake.metadata.retention import Log
from elasticlake.metadata.uploads import CompletedUpload
from elasticlake.metadata.webhooks import BucketPlace, ListenedLog, StoredWebhook
from elasticlake.model.accounts import AccessKey, Account, Actor, Scope, Token
from elasticlake.model.activity import Activity, Done
from elasticlake.model.events import Event, Previous
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.notifications import Notification
from elasticlake.model.objects import (
    Attributes,
    BlobPart,
    Bucket,
    Checksum,
    Content,
    ListedObject,
    ObjectVersion,
    Part,
    Upload,
)
from elasticlake.model.rules import Rules
from elasticlake.model.webhooks import Webhook, WebhookScope

BIG = 2**62

ACME = Account("acme", "Acme ü", "a@example.com", 5)
KEY = AccessKey("AK1", "acme", Scope(buckets=("my-bucket",)), 6)
TOKEN = Token("tok_1", "ci", ("acme", "other"), "write", 7)
FREE_TOKEN = Token("tok_2", "", None, "read", 8)
LAKE = Lake(1, "lake", "acme", "Lake", 10, 0, 0, 0)
POND = Pond(1, 1, "lake", "pond", "Pond", 11, 0, 0, 0)
BUCKET = Bucket(1, parse_bucket_name("my-bucket"), "acme", "private", 12, 0, 0, 0, "Lake", "Pond")
OTHER = Bucket(2, parse_bucket_name("other-bucket"), "acme", "public-read", 13, 0, 0, 0, "Lake", "Pond")
SMALL = ObjectVersion(
    b"a\x00\xff",
    1,
    4,
    "etag-a",
    20,
    Attributes("text/plain", {"cache-control": "no-store"}, {"colour": "grün"}),
    "public-read",
    Checksum("CRC32", "AAAAAA=="),
    Content(inline_id=1),
)
LARGE = ObjectVersion(
    b"b", 2, BIG, "etag-b-2", 21, Attributes(), "private", None, Content(manifest_id="m1"), 2, "version"
)
LARGE_PARTS = [BlobPart(1, "blob1", 5), BlobPart(3, "blob3", BIG, "sum")]
UPLOAD = Upload("up1", 1, b"b", 30, Attributes("a/b", {}, {"k": "v"}), "private", "CRC32C", "COMPOSITE", "acme")
UPLOAD_2 = Upload("up2", 1, b"b", 31, Attributes(), "public-read", None, None, "")
UPLOAD_3 = Upload("up3", 1, b"\xff", 32, Attributes(), "private", None, None, "")
PART = Part(1, "e1", BIG, "pb1", 33, "c1")
PART_2 = Part(10_000, "e2", 0, "", 34, None)
DONE = CompletedUpload(1, b"b", "etag", Checksum("SHA256", "AA-2", "COMPOSITE"))


def event(sequence: int, key: bytes, kind: str = "object:created", **more: Any) -> Event:
    described = {
        "id": f"evt_{sequence}",
        "bucket_id": 1,
        "bucket": "my-bucket",
        "sequence": sequence,
        "type": kind,
        "time_ms": 100 + sequence,
        "key": key,
        "size_bytes": BIG,
        "etag": "etag",
        "content_type": "text/plain",
        "lake": "Lake",
        "pond": "Pond",
        "reason": "PutObject",
        "metadata": {},
        **more,
    }
    return Event(**described)


PLAIN = event(1, b"a\x00\xff")
FULL = event(
    2,
    b"b",
    "object:updated",
    version_id="v",
    metadata={"größe": "1"},
    previous=Previous(3, "before", "v0"),
    principal="AK1",
    request_id="R",
    trace="00-ab-cd-01",
)
LAST = event(3, b"a\x00\xff", "object:updated")
GONE = event(4, b"c", "object:created")


def webhook(number: int, scope: WebhookScope, **more: Any) -> Webhook:
    return Webhook(f"wh_{number}", "acme", scope, "https://a/b?c=d", ("object:created", "object:deleted"), **more)


ON_BUCKET = webhook(1, WebhookScope("bucket", 1, "my-bucket"), timeout_seconds=2.5, retry_schedule_seconds=(0.5, 60))
ON_POND = webhook(2, WebhookScope("pond", 1, "lake--pond"), name="ü", ordering="none", created_at_ms=BIG)
ON_LAKE = webhook(3, WebhookScope("lake", 1, "lake"), status="disabled", disabled_reason="gone", revision=7)
DERIVED = StoredWebhook(
    webhook(
        4,
        WebhookScope("bucket", 1, "my-bucket"),
        rules=Rules(notification=Notification("i", "queue", "wh_3", ("s3:ObjectCreated:*",), (("prefix", "ü"),))),
    ),
    b"sealed",
    None,
)
PLACE = BucketPlace(1, 1, "acme", 1, 1, False)
OTHER_PLACE = BucketPlace(2, 0, "acme", 1, 1, False)


def core_script() -> list[Step]:
    step = Script()
    _accounts(step)
    _places(step)
    _objects(step)
    _log(step)
    _uploads(step)
    _blobs(step)
    _webhooks(step)
    _audit(step)
    _retention(step)
    _activity(step)
    _ends(step)
    return step.steps


def _accounts(step: Script) -> None:
    step(facts.put, "name", "value")
    step(facts.put, "name", "ü")
    step.gives("ü", facts.get, "name")
    step.gives(None, facts.get, "none")
    step(accounts.put_account, Account("acme", "before", "b@example.com", 5))
    step(accounts.put_account, ACME)
    step(accounts.put_account, Account("zeta", "Z", "z@example.com", BIG))
    step.gives(ACME, accounts.get_account, "acme")
    step.gives(None, accounts.get_account, "Acme")
    step.gives([ACME], accounts.list_accounts, "", 1)
    step.gives([Account("zeta", "Z", "z@example.com", BIG)], accounts.list_accounts, "acme", 10)
    step(accounts.insert_key, KEY, b"\x00\xff")
    step.gives(StoredKey(KEY, b"\x00\xff"), accounts.get_key, "AK1")
    step.gives(None, accounts.get_key, "ak1")
    step.gives([KEY], accounts.list_keys, "acme", "", 10)
    step.gives([], accounts.list_keys, "acme", "AK1", 10)
    step.gives(False, accounts.owns_anything, "acme")
    step(accounts.insert_token, TOKEN, b"hash\x00")
    step(accounts.insert_token, FREE_TOKEN, b"hash2")
    step.gives(TOKEN, accounts.get_token_by_hash, b"hash\x00")
    step.gives(None, accounts.get_token_by_hash, b"hash")
    step.gives([TOKEN, FREE_TOKEN], accounts.list_tokens, "", 10)


def _places(step: Script) -> None:
    step(hierarchy.insert_lake, "lake", "acme", "before", 10)
    step(hierarchy.insert_lake, "zz", "acme", "Z", 10)
    step(hierarchy.insert_pond, 1, "pond", "before", 11)
    step(hierarchy.insert_pond, 1, "zz", "Z", 11)
    step(hierarchy.rename_lake, "lake", "Lake")
    step(hierarchy.rename_pond, 1, "Pond")
    step.gives(LAKE, hierarchy.get_lake, "lake")
    step.gives(None, hierarchy.get_lake, "none")
    step.gives([LAKE], hierarchy.list_lakes, "", 1)
    step.gives(POND, hierarchy.get_pond, "lake", "pond")
    step.gives(None, hierarchy.get_pond, "zz", "pond")
    step.gives([POND], hierarchy.list_ponds, 1, "", 1)
    step.gives(True, hierarchy.is_used, lake_id=1)
    step.gives(False, hierarchy.is_used, pond_id=1)
    step.gives(None, buckets.find, "my-bucket")
    step(buckets.get, "my-bucket")
    step.gives(BUCKET, buckets.insert, "my-bucket", 1, 1, "acme", "private", 12)
    step(buckets.insert, "other-bucket", 1, 1, "acme", "private", 13)
    step(buckets.set_acl, Found(lambda view: buckets.get(view, "other-bucket")), "public-read")
    step.gives(OTHER, buckets.get, "other-bucket")
    step.gives(BUCKET, buckets.find, "my-bucket")
    step.gives(BUCKET, buckets.get_by_id, 1)
    step.gives([BUCKET, OTHER], buckets.page, "", 10)
    step.gives([OTHER], buckets.page, "my-bucket", 10, account_id="acme")
    step.gives([BUCKET], buckets.page, "", 1, lake_id=1)
    step.gives([], buckets.page, "", 10, pond_id=2)
    step.gives(1, buckets.first_sequence, 1)
    step.gives(0, buckets.origin, 1)
    step.gives(True, accounts.owns_anything, "acme")
    step.gives(True, hierarchy.is_used, pond_id=1)


def _objects(step: Script) -> None:
    first = Found(lambda view: buckets.get(view, "my-bucket"))
    step.gives(True, objects.is_empty, 1)
    step.gives(1, objects.insert_inline, b"\x00\x01\x02\x03")
    step.gives(2, objects.insert_inline, b"")
    step.gives(b"\x00\x01\x02\x03", objects.get_inline, 1)
    step.gives(None, objects.get_inline, 99)
    step(objects.put, 1, ObjectVersion(b"b", 1, 0, "x", 1, Attributes(), "private", None, Content()))
    step(objects.put, 1, SMALL)
    step(objects.insert_manifest, "m1", LARGE_PARTS)
    step(objects.put, 1, LARGE)
    step(objects.put, 2, SMALL)
    step(buckets.advance, first, objects=2, size_bytes=BIG + 4)
    step(buckets.forget)
    step.gives(SMALL, objects.get, 1, b"a\x00\xff")
    step.gives(LARGE, objects.get, 1, b"b")
    step.gives(None, objects.get, 1, b"a")
    step.gives((SMALL, b"\x00\x01\x02\x03"), objects.get_with_body, 1, b"a\x00\xff")
    step.gives((LARGE, None), objects.get_with_body, 1, b"b")
    step.gives(None, objects.get_with_body, 1, b"")
    listed = [
        ListedObject(b"a\x00\xff", 4, "etag-a", 20, "CRC32", "FULL_OBJECT"),
        ListedObject(b"b", BIG, "etag-b-2", 21, None, None),
    ]
    step.gives(listed, objects.list_from, 1, b"", 10)
    step.gives(listed[1:], objects.list_from, 1, b"a\xff", 10)
    step.gives([SMALL], objects.versions_from, 1, b"a", 1)
    step.gives(LARGE_PARTS, objects.get_manifest, "m1")
    step.gives([], objects.get_manifest, "m2")
    step(objects.insert_manifest, "m2", [BlobPart(1, "", 0)])
    step(objects.delete_manifest, "m2")
    step(objects.delete, 2, b"a\x00\xff")
    step.gives(False, objects.is_empty, 1)
    step.gives(True, objects.is_empty, 2)
    step.gives((2, 2, BIG + 4), hierarchy.sums_of_accounts, ("acme", "none"), lake_id=1)
    step.gives((0, 0, 0), hierarchy.sums_of_accounts, ("acme",), pond_id=2)
    step(hierarchy.get_lake, "lake")
    step(hierarchy.get_pond, "lake", "pond")


def _log(step: Script) -> None:
    for logged in (PLAIN, FULL, LAST, GONE):
        step(events.append, logged)
    _heads(step)
    step.gives([PLAIN, FULL, LAST, GONE], events.after, 1, 0, 10)
    step.gives([FULL], events.after, 1, 1, 1)
    step.gives(FULL, events.get, 1, 2)
    step.gives(None, events.get, 2, 2)
    step.gives(103, events.time_from, 1, 3)
    step.gives(None, events.time_from, 1, 5)
    step.gives([LAST], events.of_key, 1, b"a\x00\xff", 1, 9, 10)
    step.gives([], events.of_key, 1, b"a\x00\xff", 1, 2, 10)
    step.gives([LAST], events.before, 1, LAST.sequence + 1, 1)
    step.gives([PLAIN], events.before, 1, PLAIN.sequence + 1, 10)
    step.gives([], events.before, 1, 1, 10)
    step.gives([LAST, PLAIN], events.of_key_backwards, 1, b"a\x00\xff", 0, 9, 10)
    step.gives([LAST], events.of_key_backwards, 1, b"a\x00\xff", 0, 9, 1)
    step.gives([PLAIN], events.of_key_backwards, 1, b"a\x00\xff", 0, LAST.sequence - 1, 10)
    step.gives(LAST, events.last_of_key, 1, b"a\x00\xff")
    step.gives(None, events.last_of_key, 1, b"a")


def _heads(step: Script) -> None:
    mine, other = Head(1, "my-bucket", "acme", 1, 1, 101), Head(2, "other-bucket", "acme", 1, 0, None)
    step.gives([mine, other], heads.page, "lake", 1, ("", 0), 10)
    step.gives([mine], heads.page, "pond", 1, ("my-bucket", 0), 1)
    step.gives([other], heads.page, "pond", 1, ("my-bucket", 1), 10)
    step.gives([], heads.page, "lake", 2, ("", 0), 10)
    for time_ms, sequence in ((0, 0), (101, 0), (102, 1), (104, 3), (BIG, 4)):
        step.gives(sequence, heads.last_before, Head(1, "my-bucket", "acme", 1, 4, 104), time_ms)
    step.gives(0, heads.last_before, other, BIG)


def _uploads(step: Script) -> None:
    step.gives(False, uploads.any_in_bucket, 1)
    step.gives(False, uploads.hold_of_bucket, 1)
    for begun in (UPLOAD_3, UPLOAD_2, UPLOAD):
        step(uploads.insert, begun)
    step(uploads.insert, Upload("up4", 2, b"x", 1, Attributes(), "private", None, None, ""))
    step.gives(UPLOAD, uploads.get, "up1")
    step.gives(None, uploads.get, "none")
    step.gives(True, uploads.any_in_bucket, 1)
    step.gives(True, uploads.hold_of_bucket, 1)
    step.gives([UPLOAD, UPLOAD_2, UPLOAD_3], uploads.list_from, 1, b"", "", 10)
    step.gives([UPLOAD_2], uploads.list_from, 1, b"b", "up1", 1)
    step.gives([UPLOAD_2], uploads.others_of_key, 1, b"b", "up1")
    step(uploads.put_part, "up1", Part(1, "before", 1, "before", 1, None))
    step(uploads.put_part, "up1", PART)
    step(uploads.put_part, "up1", PART_2)
    step(uploads.put_part, "up4", Part(1, "e4", 4, "pb4", 4, None))
    step.gives(PART, uploads.get_part, "up1", 1)
    step.gives(None, uploads.get_part, "up1", 2)
    step.gives([PART, PART_2], uploads.list_parts, "up1", 0, -1)
    step.gives([PART_2], uploads.list_parts, "up1", 1, 10)
    step.gives([PART], uploads.list_parts, "up1", 0, 1)
    step.gives([], uploads.delete, "up3")
    step(uploads.remember_completed, "done1", DONE, 50)
    step(uploads.remember_completed, "done2", CompletedUpload(1, b"c", "e", None), 60)
    step.gives(DONE, uploads.get_completed, "done1")
    step(uploads.forget_completed, 60)
    step.gives(None, uploads.get_completed, "done1")
    step.gives(CompletedUpload(1, b"c", "e", None), uploads.get_completed, "done2")


def _blobs(step: Script) -> None:
    for number, owner in enumerate(("a", "a", "b", "b", "c", "c")):
        step(blob_records.insert_intent, f"i{number}", owner, 100 + number)
    step.gives_any_order(["a", "b", "c"], blob_records.owners)
    step(blob_records.consume_intent, "i0")
    step(blob_records.consume_intent, "i0")
    step(blob_records.drop_intent, "i1")
    step(blob_records.abandon_intent, "i2", 200)
    step(blob_records.abandon_intent, "i2", 200)
    step.gives(0, blob_records.abandon_of_owner, "b", 103, 201)
    step.gives(1, blob_records.abandon_of_owner, "b", 104, 201)
    step.gives(2, blob_records.abandon_intents, 106, 202)
    step.gives_any_order([], blob_records.owners)
    step(blob_records.delete_later, ["d1", "d2"], 300)
    step(objects.insert_manifest, "m3", [BlobPart(1, "mb1", 1), BlobPart(2, "", 0), BlobPart(3, "d1", 1)])
    step(blob_records.delete_manifest_later, "m3", 301)
    step(objects.delete_manifest, "m3")
    step(blob_records.delete_uploads_later, 2, 302)
    step(uploads.delete_of_bucket, 2)
    step.gives(["i2", "i3"], blob_records.due_deletions, 201, 10)
    step.gives(["i2"], blob_records.due_deletions, 300, 1)
    step.gives_any_order(["d1", "d2", "i2", "i3", "i4", "i5", "mb1", "pb4"], blob_records.due_deletions, 400, 10)
    step(blob_records.forget_deletions, ["i2", "i3", "i4", "i5", "d1", "d2", "none"])
    step.gives(["mb1", "pb4"], blob_records.due_deletions, 400, 10)
    step.gives(["x", "y"], blob_records.unknown, ["blob1", "x", "pb1", "mb1", "y"])
    step.gives([], blob_records.unknown, [])
    step.gives(3, blob_records.count_named)
    step.gives([["blob1", "blob3", "pb1"]], blob_records.named)
    step.gives([[("blob3", BIG), ("pb1", BIG)]], blob_records.named_with_sizes, "blob1")


def _webhooks(step: Script) -> None:
    step.gives(0, webhooks.version)
    for made in (ON_BUCKET, ON_POND, ON_LAKE):
        step(webhooks.put, StoredWebhook(made, b"sealed\x00", None))
    step(webhooks.put, StoredWebhook(ON_LAKE, b"sealed again", b"more"))
    step.gives(4, webhooks.version)
    step.gives(StoredWebhook(ON_BUCKET, b"sealed\x00", None), webhooks.get, "wh_1")
    step.gives(StoredWebhook(ON_LAKE, b"sealed again", b"more"), webhooks.get, "wh_3")
    step.gives(None, webhooks.get, "none")
    step.gives(7, webhooks.revision, "wh_3")
    step.gives(None, webhooks.revision, "none")
    step.gives(["wh_1", "wh_2", "wh_3"], webhooks.ids)
    both = [StoredWebhook(ON_BUCKET, b"sealed\x00", None), StoredWebhook(ON_LAKE, b"sealed again", b"more")]
    step.gives(both, webhooks.some, ["wh_3", "none", "wh_1"])
    step.gives([], webhooks.some, [])
    step.gives(both[:1], webhooks.some, [*(f"none_{number}" for number in range(120)), "wh_1"])
    step.gives([("wh_2",)], chosen.rows_of, "SELECT id FROM webhooks WHERE id IN ({webhooks})", ["wh_2", "none"])
    step.gives([StoredWebhook(ON_POND, b"sealed\x00", None)], webhooks.page, "wh_1", 1)
    for kind, made in (("bucket", ON_BUCKET), ("pond", ON_POND), ("lake", ON_LAKE)):
        step(webhooks.page, "", 10, (kind, 1))
        step.gives([], webhooks.page, made.id, 10, (kind, 1))
        step.gives_any_order(
            [PLACE] if kind == "bucket" else [PLACE, OTHER_PLACE], webhooks.places_in_scope, kind, 1, "acme"
        )
        step(webhooks.shown_place, made.scope)
        step(webhooks.shown_place, WebhookScope(made.scope.kind, 99, "gone"))
    step(webhooks.all_webhooks)
    step.gives(PLACE, webhooks.place, 1)
    step.gives(None, webhooks.place, 99)
    step.gives_any_order([PLACE, OTHER_PLACE], webhooks.all_places)
    step(webhooks.insert_starts, "wh_2", "lake", 1, "acme")
    step(webhooks.insert_starts, "wh_2", "bucket", 1, "acme")
    step(webhooks.insert_starts, "wh_2", "pond", 1, "somebody else")
    step.gives(1, webhooks.start, "wh_2", 1)
    listened = [ListenedLog("wh_1", 1, 1, 0), ListenedLog("wh_3", 1, 1, 0)]
    step.gives_any_order(listened, webhooks.listened_logs, ["wh_1", "wh_2", "wh_3", "none"])
    step.gives_any_order([], webhooks.listened_logs, ["wh_2"])
    known = [StoredWebhook(ON_BUCKET, b"sealed\x00", None), StoredWebhook(ON_POND, b"sealed\x00", None)]
    step.gives([*known, StoredWebhook(ON_LAKE, b"sealed again", b"more")], webhooks.listening, PLACE)
    step.gives([known[1]], webhooks.listening, PLACE._replace(id=9, lake_id=9))
    step.gives([], webhooks.listening, PLACE._replace(account_id="somebody else"))
    step.gives(0, webhooks.start, "wh_1", 1)
    step(webhooks.starts, "wh_2")
    step.gives({}, webhooks.starts, "wh_1")
    step(webhooks.delete, "wh_2")
    step.gives(0, webhooks.start, "wh_2", 1)
    step.gives(5, webhooks.version)
    step(webhooks.put, DERIVED)
    for query, known, unknown in ((webhooks.derived_from, "wh_3", "wh_1"), (webhooks.derived_in, 1, 2)):
        step.gives([DERIVED], query, known)
        step.gives([], query, unknown)
    step(webhooks.delete, "wh_4")


def _activity(step: Script) -> None:
    step.gives(Totals(2, 2, 2, BIG + 4), overview.totals)
    step.gives({"disabled": 1, "enabled": 1}, overview.webhooks_by_status)
    token, key = Actor("token", "tok_1", "R1"), Actor("accessKey", "AK1")
    renamed = Done("lake:renamed", "lake", "acme", detail={"name": "Größe"})
    made = Done("bucket:created", "my-bucket", "acme", "my-bucket")
    token_made = Done("token:created", "tok_2", None)
    first, second, third = (
        Activity(1, 500, token, renamed),
        Activity(2, 501, key, made),
        Activity(3, 501, token, token_made),
    )
    for entry in (first, second, third):
        step(activity.insert, entry.actor, entry.time_ms, entry.done)
    step.gives([third, second, first], activity.page, Sought(), None, 10)
    step.gives([third], activity.page, Sought(), None, 1)
    step.gives([first], activity.page, Sought(), Place(501, 2), 10)
    for sought, found in (
        (Sought(accounts=("acme", "other")), [second, first]),
        (Sought(accounts=("other",)), []),
        (Sought(actor_kind="token", actor_id="tok_1"), [third, first]),
        (Sought(actor_id="AK1"), [second]),
        (Sought(action_prefix="bucket:"), [second]),
        (Sought(action_prefix="lake:renamed"), [first]),
        (Sought(action_prefix="lake:renamedx"), []),
        (Sought(subject_kind="token"), [third]),
        (Sought(subject_kind="lake", subject="my-bucket"), []),
        (Sought(subject="my-bucket"), [second]),
        (Sought(since_ms=501), [third, second]),
        (Sought(until_ms=501), [first]),
    ):
        step.gives(found, activity.page, sought, None, 10)
    step(activity.disown, "acme")
    step.gives([], activity.page, Sought(accounts=("acme",)), None, 10)
    step.gives(0, activity.trim, 500, 10)
    step.gives(1, activity.trim, BIG, 1)
    step.gives(2, activity.trim, BIG, 10)
    step.gives([], activity.page, Sought(), None, 10)


def _retention(step: Script) -> None:
    step.gives([Log(1, 1, 1, 101)], retention.logs, 0, 10)
    step.gives([], retention.logs, 1, 10)
    step.gives({1: 326, 2: 367}, retention.sizes, 1, [1, 2, 99])
    step.gives(0, retention.trim, 1, 0, 1, 10)
    step.gives(1, retention.trim, 1, 102, 0, 10)
    step.gives(2, buckets.first_sequence, 1)
    step.gives(1, retention.trim, 1, 103, 0, 1)
    step.gives([3, 4], audit.sequences, 1)
    step.gives(1, retention.trim, 1, 0, 4, 10)
    step.gives(1, retention.trim, 1, 999, 0, 10)
    step.gives(0, retention.trim, 1, 999, 99, 10)
    step.gives(0, retention.trim, 99, 999, 99, 10)
    step.gives([], audit.sequences, 1)
    step.gives(5, buckets.first_sequence, 1)
    step.gives([], retention.logs, 0, 10)


def _audit(step: Script) -> None:
    step.gives(
        [AuditedBucket(1, "my-bucket", 1, 1, 2, BIG + 4), AuditedBucket(2, "other-bucket", 1, 0, 0, 0)], audit.buckets
    )
    step.gives([1, 2, 3, 4], audit.sequences, 1)
    step.gives([[SMALL, LARGE]], audit.versions, 1)
    step.gives({b"a\x00\xff": LastEvent(3, "etag"), b"b": LastEvent(2, "etag")}, audit.last_events, 1, [SMALL, LARGE])
    step.gives({1: b"\x00\x01\x02\x03"}, audit.inline_bodies, 1, [SMALL, LARGE])
    step.gives({"m1": LARGE_PARTS}, audit.manifests, 1, [SMALL, LARGE])
    step.gives([(b"c", "object:created")], audit.last_events_without_object, 1)
    step.gives(["1 inline bodies belong to no object"], audit.unreachable_rows)
    step(objects.delete_inline, 2)
    step.gives([], audit.unreachable_rows)
    step(objects.insert_manifest, "lost", [BlobPart(1, "blob9", 1), BlobPart(2, "blob9b", 1)])
    step.gives(["1 manifests belong to no object"], audit.unreachable_rows)
    step.gives([], audit.doomed_blobs)
    step(blob_records.delete_later, ["blob9"], 1)
    step.gives(["blob9"], audit.doomed_blobs)
    step.gives([[AuditedPart("up1", 1, "pb1", BIG), AuditedPart("up1", 10_000, "", 0)]], audit.parts)


def _ends(step: Script) -> None:
    step.gives([PART, PART_2], uploads.delete, "up1")
    step(buckets.mark_deleted, Found(lambda view: buckets.get(view, "other-bucket")), 70)
    step.gives(None, buckets.find, "other-bucket")
    step(buckets.get_by_id, 2)
    step.gives([], buckets.page, "my-bucket", 10)
    step.gives_any_order([PLACE, OTHER_PLACE._replace(is_deleted=True)], webhooks.all_places)
    step(buckets.insert, "other-bucket", 1, 1, "acme", "private", 80)
    step(hierarchy.delete_pond, 2)
    step(hierarchy.delete_lake, 2)
    step.gives(None, hierarchy.get_lake, "zz")
    step(accounts.remove_account_from_tokens, "acme")
    step(accounts.list_tokens, "", 10)
    step(accounts.remove_account_from_tokens, "other")
    step.gives([FREE_TOKEN], accounts.list_tokens, "", 10)
    step.gives(True, accounts.delete_token, "tok_2")
    step.gives(False, accounts.delete_token, "tok_2")
    step.gives(False, accounts.delete_key, "other", "AK1")
    step.gives(True, accounts.delete_key, "acme", "AK1")
    step(accounts.insert_key, KEY, b"again")
    step(accounts.delete_account, "acme")
    step.gives(None, accounts.get_account, "acme")
    step.gives(None, accounts.get_key, "AK1")
