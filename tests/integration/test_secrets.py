"""Secrets are shown once and written down nowhere in the clear (I8)."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from tests.certificates import Authority
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import CREDENTIALS, SECRET_KEY
from tests.integration.test_boto3 import refused


def test_no_secret_is_in_the_log_or_the_files(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn("--access-log", "--log-level", "debug")
    server.start()
    server.request("POST", "/v1/accounts", {"id": "ann", "displayName": "Ann", "email": "ann@example.com"})
    key = server.request("POST", "/v1/accounts/ann/keys", {})
    token = server.request("POST", "/v1/tokens", {"access": "write"})["token"]
    bucket = "lake1--pond1--quiet"
    s3 = s3_client(server)
    s3.create_bucket(Bucket=bucket)
    hook = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"]}
    generated = server.request("POST", "/v1/webhooks", hook, token=token)["secret"]
    client = Authority().issue()
    confidential = {
        "headers": {"Authorization": "Bearer header-of-my-own"},
        "clientCertificate": client.certificate,
        "clientKey": client.key,
        "includeUrl": 60,
    }
    own = server.request("POST", "/v1/webhooks", {**hook, **confidential, "secret": "webhook-secret-of-my-own"})
    server.request("POST", f"/v1/webhooks/{own['id']}/rotate", {"secret": "next-secret-of-my-own"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    received = next(one for one in receiver.wait_for(2) if "authorization" in one.headers)
    given_link = received.event["object"]["url"]
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a"})
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"x"
    # Refusals, where a careless line would quote what came.
    assert refused(s3_client(server, secret="wrong-" + SECRET_KEY).list_buckets)[1] == 403
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link + "0")
    server.refusal("GET", "/v1/lakes", token="wrong-" + token)
    server.refusal("POST", "/v1/webhooks", {**hook, "endpoint": "http://169.254.169.254/", "secret": "refused-secret"})
    server.stop()

    signature = link.partition("X-Amz-Signature=")[2]
    secrets = ["header-of-my-own", "next-secret-of-my-own", client.key.splitlines()[1]]
    secrets += [
        given_link.partition("X-Amz-Signature=")[2],
        generated,
        generated.removeprefix("whsec_"),
        "webhook-secret-of-my-own",
        "refused-secret",
        signature,
    ]
    secrets += [key["secretAccessKey"], token, *list(CREDENTIALS.values())[1:]]
    assert '"operation": "PutObject"' in server.log
    for secret in secrets:
        assert secret not in server.log + server.output
        for path in server.data.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path
