"""Code to copy that uses this server: the same small upload by the tools that people have.

No secret is ever in it. Each reads the credentials as its tool does, from the variables that `environment` sets.
"""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

SECRET = "YOUR-SECRET-ACCESS-KEY"
TOKEN = "YOUR-API-TOKEN"
KEY = "hello.txt"
_REGION = "us-east-1"


class Snippet(NamedTuple):
    """Code for one tool; `needs` says how to get the tool."""

    id: str
    title: str
    needs: str
    text: str


def environment(url: str, key_id: str) -> str:
    """The variables that every S3 tool reads; the secret is to be filled in."""
    return (
        f"export AWS_ENDPOINT_URL={shlex.quote(url)}\n"
        f"export AWS_ACCESS_KEY_ID={shlex.quote(key_id)}\n"
        f"export AWS_SECRET_ACCESS_KEY={SECRET}\n"
        f"export AWS_DEFAULT_REGION={_REGION} AWS_REGION={_REGION}"
    )


def for_s3(bucket: str) -> list[Snippet]:
    """An upload to the bucket by each tool, in the environment of `environment`."""
    return [
        Snippet("boto3", "Python", "pip install boto3", _boto3(bucket)),
        Snippet("aws", "aws CLI", "pip install awscli", _aws(bucket)),
        Snippet("javascript", "JavaScript", "npm install @aws-sdk/client-s3", _javascript(bucket)),
        Snippet("curl", "curl", "curl 7.75 or newer", _curl(bucket)),
    ]


def for_rest(url: str, bucket: str) -> Snippet:
    """A webhook of the bucket's, made by the REST API."""
    body = {"bucket": bucket, "endpoint": "https://myapp.com/webhooks/storage", "events": ["object:created"]}
    text = (
        f"export ELASTICLAKE_API_TOKEN={TOKEN}\n\n"
        f"curl {shlex.quote(url)}/v1/webhooks \\\n"
        '  -H "Authorization: Bearer $ELASTICLAKE_API_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body))}"
    )
    return Snippet("rest", "REST API", "curl, and an API token", text)


def listen(url: str, bucket: str) -> str:
    """The command line that forwards the bucket's events to a program of this machine."""
    return (
        f"export ELASTICLAKE_URL={shlex.quote(url)} ELASTICLAKE_API_TOKEN={TOKEN}\n"
        f"elasticlake listen --bucket {shlex.quote(bucket)} --forward-to http://localhost:3000/hook"
    )


def _boto3(bucket: str) -> str:
    return f"""\
import boto3

s3 = boto3.client("s3")
bucket, key = "{bucket}", "{KEY}"
s3.put_object(Bucket=bucket, Key=key, Body=b"Hello, lake!", ContentType="text/plain")
print(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())"""


def _aws(bucket: str) -> str:
    return f"""\
echo 'Hello, lake!' > {KEY}
aws s3 cp {KEY} s3://{bucket}/
aws s3 ls s3://{bucket}/"""


def _javascript(bucket: str) -> str:
    return f"""\
import {{ GetObjectCommand, PutObjectCommand, S3Client }} from "@aws-sdk/client-s3";

const s3 = new S3Client({{ endpoint: process.env.AWS_ENDPOINT_URL, forcePathStyle: true }});
const object = {{ Bucket: "{bucket}", Key: "{KEY}" }};
await s3.send(new PutObjectCommand({{ ...object, Body: "Hello, lake!", ContentType: "text/plain" }}));
const {{ Body }} = await s3.send(new GetObjectCommand(object));
console.log(await Body.transformToString());"""


def _curl(bucket: str) -> str:
    return f"""\
curl --aws-sigv4 aws:amz:{_REGION}:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
  -T - -H 'Content-Type: text/plain' "$AWS_ENDPOINT_URL/{bucket}/{KEY}" <<< 'Hello, lake!'"""
