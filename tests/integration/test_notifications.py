"""S3's notification configurations on a real server: what boto3 and the AWS CLI put is delivered, and read back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.integration.programs import aws_environment, run
from tests.integration.receiver import Received, Receiver, eventually
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines
SECRET = "my-webhook-secret"


@pytest.fixture
def webhook(server: Server, bucket: str, receiver: Receiver) -> str:
    """The id of a webhook on the bucket that is itself told of nothing that these tests do."""
    body = {"bucket": bucket, "endpoint": receiver.url(), "events": ["multipart:completed"], "secret": SECRET}
    return str(server.request("POST", "/v1/webhooks", body)["id"])


def arn(webhook: str) -> str:
    return f"arn:elasticlake:webhook:::{webhook}"


def names(received: list[Received]) -> list[str]:
    """What each request tells of: S3's test event, or an event's name and key."""
    told = []
    for one in received:
        document = one.event
        told += (
            [document["Event"]]
            if "Event" in document
            else [f"{record['eventName']} {record['s3']['object']['key']}" for record in document["Records"]]
        )
    return told


def put(s3: Any, bucket: str, *queues: dict[str, Any], **more: Any) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(queues)}, **more
    )


def get(s3: Any, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket=bucket)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def test_what_is_put_is_delivered_and_read_back(s3: Any, bucket: str, webhook: str, receiver: Receiver) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]
    wanted = {
        "Id": "texts",
        "QueueArn": arn(webhook),
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    assert get(s3, bucket) == {}
    put(s3, bucket, wanted)
    assert get(s3, bucket) == {"QueueConfigurations": [wanted]}
    (test,) = receiver.wait_for(1)
    assert {name: test.event[name] for name in ("Service", "Event", "Bucket")} == {
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket,
    }  # fmt: skip
    for key in ("in/a.txt", "in/a.jpg", "out/a.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    s3.put_object_acl(Bucket=bucket, Key="in/a.txt", ACL="public-read")
    s3.copy_object(Bucket=bucket, Key="in/b c.txt", CopySource={"Bucket": bucket, "Key": "in/a.jpg"})
    s3.delete_object(Bucket=bucket, Key="in/a.txt")
    came = receiver.wait_for(4)[1:]
    assert sorted(names(came)) == [
        "ObjectCreated:Copy in/b+c.txt",
        "ObjectCreated:Put in/a.txt",
        "ObjectRemoved:Delete in/a.txt",
    ]
    assert {record["s3"]["configurationId"] for one in came for record in one.event["Records"]} == {"texts"}
    assert all(one.headers["x-elasticlake-signature"].startswith("sha256=") for one in came)


def test_only_the_finer_event_and_only_once(s3: Any, bucket: str, webhook: str, receiver: Receiver) -> None:
    put(
        s3,
        bucket,
        {"Id": "copies", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:Copy"]},
        {"Id": "uploads", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:CompleteMultipartUpload"]},
        SkipDestinationValidation=True,
    )
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"c")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="c", UploadId=upload, MultipartUpload=parts)

    def told() -> list[str]:
        return sorted(names([one for one in receiver.requests if "event" not in one.event]))

    # The named webhook goes on with its own events in its own form.
    eventually(lambda: len(receiver.requests) == 3 and told())
    assert told() == ["ObjectCreated:CompleteMultipartUpload c", "ObjectCreated:Copy b"]


def test_webhooks_made_elsewhere_stay(server: Server, s3: Any, bucket: str, webhook: str) -> None:
    """A tool that applies its configuration again and again must not end what others made."""
    entry = {"Id": "a", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:*"]}
    path = f"/v1/webhooks?bucket={bucket}"
    put(s3, bucket, entry)
    (first,) = (one for one in server.request("GET", path)["items"] if "managedBy" in one)
    put(s3, bucket, entry, {"QueueArn": arn(webhook), "Events": ["s3:ObjectRemoved:*"]})
    again = server.request("GET", path)["items"]
    assert first in again
    assert len(again) == 3
    put(s3, bucket)
    assert [one["id"] for one in server.request("GET", path)["items"]] == [webhook]
    assert get(s3, bucket) == {}


def test_all_three_elements_name_webhooks(s3: Any, bucket: str, webhook: str) -> None:
    wanted = {
        "TopicConfigurations": [{"Id": "t", "TopicArn": arn(webhook), "Events": ["s3:ObjectRestore:*"]}],
        "QueueConfigurations": [{"Id": "q", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:*"]}],
        "LambdaFunctionConfigurations": [
            {"Id": "f", "LambdaFunctionArn": arn(webhook), "Events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:*"]}
        ],
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    assert get(s3, bucket) == wanted


@pytest.mark.parametrize(
    ("changes", "message", "name"),
    [
        ({"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q"}, "Unable to validate the following destination", None),
        (
            {"QueueArn": "arn:elasticlake:webhook:::wh_none"},
            "Unable to validate the following destination configurations: arn:elasticlake:webhook:::wh_none names no "
            "webhook of this bucket's account",
            None,
        ),
        ({"Events": ["s3:ObjectMoved:*"]}, "The event 's3:ObjectMoved:*' is not supported for notifications", "Event"),
        (
            {"Filter": {"Key": {"FilterRules": [{"Name": "x", "Value": "y"}]}}},
            "filter rule name must be",
            "FilterRule.Name",
        ),
    ],
)
def test_refusals_change_nothing(
    s3: Any, bucket: str, webhook: str, changes: dict[str, Any], message: str, name: str | None
) -> None:
    entry = {"Id": "a", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:*"]}
    put(s3, bucket, entry)
    with pytest.raises(ClientError) as caught:
        put(s3, bucket, {**entry, **changes}, SkipDestinationValidation=True)
    error = caught.value.response["Error"]
    assert (error["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == ("InvalidArgument", 400)
    assert error["Message"].startswith(message)
    assert error["ArgumentName"] == (name or changes["QueueArn"])
    assert get(s3, bucket) == {"QueueConfigurations": [entry]}


def test_the_aws_cli(server: Server, bucket: str, webhook: str, receiver: Receiver, tmp_path: Path, s3: Any) -> None:
    aws, environment = Path(sys.executable).with_name("aws"), aws_environment(server, tmp_path)
    wanted = {"QueueConfigurations": [{"Id": "a", "QueueArn": arn(webhook), "Events": ["s3:ObjectCreated:*"]}]}
    put_it = ("put-bucket-notification-configuration", "--notification-configuration", json.dumps(wanted))
    run(aws, "s3api", *put_it, "--bucket", bucket, env=environment)
    shown = run(aws, "s3api", "get-bucket-notification-configuration", "--bucket", bucket, env=environment)
    assert json.loads(shown) == wanted
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert sorted(names(receiver.wait_for(2))) == ["ObjectCreated:Put a", "s3:TestEvent"]
