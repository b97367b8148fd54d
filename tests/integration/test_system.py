"""The installation at a glance, and the audit log, of a real server that is used by S3, REST and the command line."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import ACCESS_KEY, Server

pytestmark = pytest.mark.both_engines


def state(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.request("GET", "/v1/system")
    return found


def test_what_a_server_says_of_itself(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn("--activity-retention-days", "7").start()
    client = s3_client(server)
    client.create_bucket(Bucket="lake1--pond1--seen")
    hook = {"bucket": "lake1--pond1--seen", "endpoint": receiver.url(), "events": ["object:created"]}
    server.request("POST", "/v1/webhooks", hook)
    client.put_object(Bucket="lake1--pond1--seen", Key="key", Body=b"four")
    receiver.wait_for(1)
    eventually(lambda: (found := state(server)["backlog"]) is not None and found["events"] == 0)
    # A look at the logs is remembered for a minute, so the first one may have come before the event.
    found = eventually(lambda: (seen := state(server))["objects"] == 1 and seen)
    engine = found["engine"]
    if server.metadata is None:
        assert engine["name"] == "SQLite"
        assert all(engine["databases"][name] > 0 for name in ("core", "delivery", "history"))
    else:
        assert (engine["name"], engine["databases"]) == ("PostgreSQL", {})
    assert engine["version"].split(".")[0].isdigit()
    assert sorted(node["role"] for node in found["nodes"] if node["isAlive"]) == ["dispatcher", "gateway"]
    assert (found["role"], found["publicUrl"], found["blobs"]["place"]) == ("all", server.url, "DATA/blobs")
    assert found["activity"] == {"retentionDays": 7}
    assert (found["buckets"], found["bytes"], found["webhooks"]["enabled"]) == (1, 4, 1)


def test_changes_by_s3_are_in_the_audit_log(server: Server, s3: Any, bucket: str) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    s3.delete_object(Bucket=bucket, Key="key")
    answer = s3.delete_bucket(Bucket=bucket)
    found = server.request("GET", f"/v1/activity?subject=bucket:{bucket}")["items"]
    assert [entry["action"] for entry in found] == [
        "bucket:deleted", "bucket:notificationsChanged", "bucket:aclChanged", "bucket:created",
    ]  # fmt: skip
    assert {(entry["actor"]["kind"], entry["actor"]["id"]) for entry in found} == {("accessKey", ACCESS_KEY)}
    assert found[0]["requestId"] == answer["ResponseMetadata"]["RequestId"]
