"""The documents of notification configurations."""

from __future__ import annotations

import pytest

from elasticlake.errors import ElasticLakeError
from elasticlake.model.notifications import Notification
from elasticlake.s3 import xml
from elasticlake.s3.errors import S3Error, as_s3_error
from elasticlake.s3.notification_document import read_configuration, write_configuration

ARN = "arn:elasticlake:webhook:::wh_a"
EVENT = "<Event>s3:ObjectCreated:*</Event>"
QUEUE = f"<Queue>{ARN}</Queue>"


def document(content: str) -> bytes:
    return f'<NotificationConfiguration xmlns="{xml.NAMESPACE}">{content}</NotificationConfiguration>'.encode()


def queue(content: str) -> bytes:
    return document(f"<QueueConfiguration>{content}</QueueConfiguration>")


def rule(name: str, value: str) -> str:
    return f"<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>"


def filtered(*rules: str) -> bytes:
    return queue(f"{QUEUE}{EVENT}<Filter><S3Key>{''.join(rules)}</S3Key></Filter>")


def refusal(body: bytes) -> S3Error:
    with pytest.raises((S3Error, ElasticLakeError)) as caught:
        read_configuration(body)
    error = as_s3_error(caught.value)
    assert error is not None
    return error


def test_there_and_back() -> None:
    entries = [
        Notification("1", "topic", "wh_t", ("s3:ObjectRemoved:*",)),
        Notification(
            "2",
            "queue",
            "wh_a",
            ("s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"),
            (("prefix", "a&b/"), ("Suffix", "")),
        ),
        Notification("ä 3", "queue", "wh_b", ("s3:ObjectRestore:*",)),
        Notification("4", "cloudFunction", "wh_f", ("s3:ObjectAcl:Put",), (("suffix", ".jpg"),)),
    ]
    body = write_configuration(reversed(entries))
    assert read_configuration(body) == [entries[0], entries[2], entries[1], entries[3]]
    assert read_configuration(write_configuration(entries)) == entries


def test_the_document_is_s3s() -> None:
    body = write_configuration([Notification("u", "queue", "wh_a", ("s3:ObjectCreated:*",), (("prefix", "in/"),))])
    assert body.decode().endswith(
        '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>u</Id>'
        f"<Queue>{ARN}</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name>"
        "<Value>in/</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"
    )


def test_nothing_is_an_empty_document() -> None:
    assert read_configuration(document("")) == []
    assert read_configuration(write_configuration([])) == []


def test_what_may_be_left_out_or_said_twice() -> None:
    (entry,) = read_configuration(queue(f"{QUEUE}{EVENT}{EVENT}<Filter><S3Key/></Filter>"))
    assert entry == Notification("", "queue", "wh_a", ("s3:ObjectCreated:*",))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "MalformedXML", ""),
        (b"<Other/>", "MalformedXML", ""),
        (queue(QUEUE), "MalformedXML", ""),
        (queue(EVENT), "MalformedXML", ""),
        (queue(f"<Topic>{ARN}</Topic>{EVENT}"), "MalformedXML", ""),
        (queue(f"{QUEUE}{EVENT}<Filter><S3Tags/></Filter>"), "MalformedXML", ""),
        (queue(f"{QUEUE}{EVENT}<Filter><S3Key><Rule/></S3Key></Filter>"), "MalformedXML", ""),
        (filtered("<FilterRule><Name>prefix</Name></FilterRule>"), "MalformedXML", ""),
        (document("<Unknown/>"), "MalformedXML", ""),
        (document("<EventBridgeConfiguration/>"), "NotImplemented", "EventBridge"),
        (queue(f"<Id>{'i' * 256}</Id>{QUEUE}{EVENT}"), "InvalidArgument", "ID length exceeded allowed limit of 255"),
        (
            document(2 * f"<QueueConfiguration><Id>i</Id>{QUEUE}{EVENT}</QueueConfiguration>"),
            "InvalidArgument",
            "Same ID used",
        ),
        (document(101 * f"<QueueConfiguration>{QUEUE}{EVENT}</QueueConfiguration>"), "InvalidRequest", "Too many"),
        (filtered(rule("prefix", "a"), rule("Prefix", "b")), "InvalidArgument", "more than one prefix rule"),
        (filtered(rule("suffix", "a"), rule("suffix", "a")), "InvalidArgument", "more than one suffix rule"),
        (filtered(rule("prefix", "ä" * 513)), "InvalidArgument", "cannot exceed 1024 bytes"),
    ],
)
def test_what_is_refused(body: bytes, code: str, message: str) -> None:
    error = refusal(body)
    assert error.code == code
    assert message in error.message


@pytest.mark.parametrize(
    ("body", "message", "name", "value"),
    [
        (
            queue(f"{QUEUE}<Event>s3:ObjectMoved</Event>"),
            "The event 's3:ObjectMoved' is not supported for notifications",
            "Event",
            "s3:ObjectMoved",
        ),
        (
            filtered(rule("infix", "a")),
            "filter rule name must be either prefix or suffix, not 'infix'",
            "FilterRule.Name",
            "infix",
        ),
        (
            queue(f"<Queue>arn:aws:sqs:us-east-1:123456789012:q</Queue>{EVENT}"),
            "Unable to validate the following destination configurations: arn:aws:sqs:us-east-1:123456789012:q "
            "must be a webhook, written arn:elasticlake:webhook:::wh_…",
            "arn:aws:sqs:us-east-1:123456789012:q",
            "The destination must be a webhook, written arn:elasticlake:webhook:::wh_…",
        ),
    ],
)
def test_a_refusal_names_the_argument(body: bytes, message: str, name: str, value: str) -> None:
    error = refusal(body)
    assert (error.code, error.status, error.message) == ("InvalidArgument", 400, message)
    assert error.details == {"ArgumentName": name, "ArgumentValue": value}
