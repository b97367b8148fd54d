"""What the page on S3 notifications says is what is taken and sent."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.docs.documents import Document, blocks, codes, rows
from tests.docs.test_deliveries import event

from elasticlake.model.notifications import EVENT_NAMES, event_types
from elasticlake.model.s3_records import s3_test_event
from elasticlake.s3.notification_document import read_configuration

PAGE = Document("docs/notifications.md")


def test_the_events_in_the_table_are_known_and_happen() -> None:
    named = [codes(name)[0] for name, _ in rows(PAGE.section("Events"), "event", "is told when")]
    assert set(named) <= EVENT_NAMES
    assert all(event_types([name]) for name in named)


def test_the_test_event_shown_is_what_is_sent() -> None:
    (shown,) = (block.text for block in blocks(PAGE.section("What a configuration does")) if block.language == "json")
    test = replace(event(), id="evt_019a357fb4287736c896b33f5fb6d6")
    assert json.dumps(json.loads(shown)) == json.dumps(s3_test_event(test))


def test_the_example_is_a_configuration() -> None:
    (shown,) = (block.text for block in blocks(PAGE.section("An example")) if block.language == "sh")
    given = json.loads(
        shown.partition("--notification-configuration '")[2].strip().strip("'").replace("'$WEBHOOK'", "wh_a")
    )
    (entry,) = given["QueueConfigurations"]
    (rule,) = entry["Filter"]["Key"]["FilterRules"]
    body = (
        f"<NotificationConfiguration><QueueConfiguration><Id>{entry['Id']}</Id><Queue>{entry['QueueArn']}</Queue>"
        f"<Event>{entry['Events'][0]}</Event><Filter><S3Key><FilterRule><Name>{rule['Name']}</Name>"
        f"<Value>{rule['Value']}</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"
    )
    (read,) = read_configuration(body.encode())
    assert (read.id, read.webhook_id, read.key_rules) == ("uploads", "wh_a", (("prefix", "uploads/"),))
