"""What a key's scope and a token's access allow, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.conftest import s3_client
from tests.integration.server import Server
from tests.integration.test_boto3 import refused

DENIED = ("AccessDenied", 403)
LAKE = "scoped"
ONE, TWO, ELSEWHERE = "scoped--a--one", "scoped--b--two", "elsewhere--a--one"


@pytest.fixture(scope="module", autouse=True)
def account(server: Server) -> str:
    """An account with buckets in two lakes; each holds `in/x` and `out/x`."""
    server.request("POST", "/v1/accounts", {"id": "ann", "displayName": "Ann", "email": "ann@example.com"})
    key = server.request("POST", "/v1/accounts/ann/keys", {})
    s3 = s3_client(server, key["accessKeyId"], key["secretAccessKey"])
    for bucket in (ONE, TWO, ELSEWHERE):
        s3.create_bucket(Bucket=bucket)
        for name in ("in/x", "out/x"):
            s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    return "ann"


def client(server: Server, **scope: list[str]) -> Any:
    key = server.request("POST", "/v1/accounts/ann/keys", {"scope": scope})
    return s3_client(server, key["accessKeyId"], key["secretAccessKey"])


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ({"lakes": [LAKE]}, {ONE, TWO}),
        ({"ponds": ["scoped--a"]}, {ONE}),
        ({"buckets": [TWO]}, {TWO}),
        ({"buckets": [TWO], "lakes": ["elsewhere"]}, {TWO, ELSEWHERE}),
        ({}, {ONE, TWO, ELSEWHERE}),
    ],
)
def test_places(server: Server, scope: dict[str, list[str]], reached: set[str]) -> None:
    s3 = client(server, **scope)
    for bucket in (ONE, TWO, ELSEWHERE):
        if bucket in reached:
            assert s3.get_object(Bucket=bucket, Key="in/x")["Body"].read() == b"x"
            s3.put_object(Bucket=bucket, Key="in/new", Body=b"y")
            s3.delete_object(Bucket=bucket, Key="in/new")
            assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
        else:
            assert refused(s3.get_object, Bucket=bucket, Key="in/x") == DENIED
            assert refused(s3.put_object, Bucket=bucket, Key="in/new", Body=b"y") == DENIED
            assert refused(s3.delete_object, Bucket=bucket, Key="in/x") == DENIED
            assert refused(s3.list_objects_v2, Bucket=bucket) == DENIED


def test_prefixes(server: Server) -> None:
    s3 = client(server, prefixes=["in/"])
    assert s3.get_object(Bucket=ONE, Key="in/x")["Body"].read() == b"x"
    s3.put_object(Bucket=ONE, Key="in/new", Body=b"y")
    s3.delete_object(Bucket=ONE, Key="in/new")
    assert s3.list_objects_v2(Bucket=ONE, Prefix="in/")["KeyCount"] == 1
    assert refused(s3.get_object, Bucket=ONE, Key="out/x") == DENIED
    assert refused(s3.put_object, Bucket=ONE, Key="out/new", Body=b"y") == DENIED
    assert refused(s3.delete_object, Bucket=ONE, Key="out/x") == DENIED
    assert refused(s3.create_multipart_upload, Bucket=ONE, Key="out/new") == DENIED
    # The source of a copy is read, and its destination written.
    assert refused(s3.copy_object, Bucket=ONE, Key="in/stolen", CopySource=f"{ONE}/out/x") == DENIED
    assert refused(s3.copy_object, Bucket=ONE, Key="out/planted", CopySource=f"{ONE}/in/x") == DENIED
    result = s3.delete_objects(Bucket=ONE, Delete={"Objects": [{"Key": "out/x"}, {"Key": "in/none"}]})
    assert [(one["Key"], one["Code"]) for one in result["Errors"]] == [("out/x", "AccessDenied")]
    assert [one["Key"] for one in result["Deleted"]] == ["in/none"]


def test_a_key_of_prefixes_lists_only_below_them(server: Server) -> None:
    s3 = client(server, prefixes=["in/"])
    assert refused(s3.list_objects_v2, Bucket=ONE) == DENIED
    assert refused(s3.list_objects_v2, Bucket=ONE, Prefix="out/") == DENIED


def test_a_key_of_prefixes_has_no_say_over_buckets(server: Server) -> None:
    s3 = client(server, prefixes=["in/"])
    assert refused(s3.create_bucket, Bucket="scoped--a--new") == DENIED
    assert refused(s3.delete_bucket, Bucket=ONE) == DENIED
    assert refused(s3.put_bucket_acl, Bucket=ONE, ACL="public-read") == DENIED
    assert refused(s3.put_object_acl, Bucket=ONE, Key="out/x", ACL="public-read") == DENIED
    s3.put_object_acl(Bucket=ONE, Key="in/x", ACL="private")


@pytest.mark.parametrize("permission", ["read", "write", "delete", "list"])
def test_permissions(server: Server, permission: str) -> None:
    s3 = client(server, permissions=[permission])
    calls = {
        "read": lambda: s3.get_object(Bucket=ONE, Key="in/x"),
        "write": lambda: s3.put_object(Bucket=ONE, Key="in/x", Body=b"x"),
        "delete": lambda: s3.delete_object(Bucket=ONE, Key="in/none"),
        "list": lambda: s3.list_objects_v2(Bucket=ONE),
    }
    for name, call in calls.items():
        if name == permission:
            call()
        else:
            assert refused(call) == DENIED
    assert refused(s3.create_bucket, Bucket="scoped--a--new") == DENIED
    assert refused(s3.delete_bucket, Bucket=ONE) == DENIED


def test_another_accounts_buckets(server: Server, bucket: str) -> None:
    s3 = client(server)
    assert refused(s3.list_objects_v2, Bucket=bucket) == DENIED
    assert refused(s3.create_bucket, Bucket=bucket) == ("BucketAlreadyExists", 409)
    assert {one["Name"] for one in s3.list_buckets()["Buckets"]} == {ONE, TWO, ELSEWHERE}


def test_a_read_token_reads_and_an_account_token_sees_its_account(server: Server, bucket: str) -> None:
    reader = server.request("POST", "/v1/tokens", {"name": "r", "access": "read"})["token"]
    assert server.request("GET", f"/v1/buckets/{bucket}", token=reader)["bucket"] == bucket
    hook = {"bucket": bucket, "endpoint": "https://example.com/", "events": ["object:created"]}
    for method, path, body in [
        ("POST", "/v1/webhooks", hook),
        ("POST", "/v1/lakes", {"lake": "readers"}),
        ("PATCH", f"/v1/buckets/{bucket}", {"acl": "public-read"}),
        ("DELETE", f"/v1/buckets/{bucket}", None),
        ("POST", "/v1/tokens", {"access": "write"}),
    ]:
        assert server.refusal(method, path, body, token=reader)["status"] == 403
    anns = server.request("POST", "/v1/tokens", {"accounts": ["ann"], "access": "write"})["token"]
    assert {one["bucket"] for one in server.request("GET", "/v1/buckets", token=anns)["items"]} == {ONE, TWO, ELSEWHERE}
    assert server.refusal("GET", f"/v1/buckets/{bucket}", token=anns)["status"] == 404
    assert server.refusal("GET", f"/v1/buckets/{bucket}/events", token=anns)["status"] == 404
    assert server.refusal("POST", "/v1/tokens", {"access": "write"}, token=anns)["status"] == 403


def test_a_deleted_key_is_refused_at_once(server: Server) -> None:
    key = server.request("POST", "/v1/accounts/ann/keys", {})
    s3 = s3_client(server, key["accessKeyId"], key["secretAccessKey"])
    s3.head_object(Bucket=ONE, Key="in/x")
    server.request("DELETE", f"/v1/accounts/ann/keys/{key['accessKeyId']}")
    assert refused(s3.get_object, Bucket=ONE, Key="in/x") == ("InvalidAccessKeyId", 403)
