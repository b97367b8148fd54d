"""boto3's client for the server's S3, configured."""

from __future__ import annotations

import os
from typing import Any

REGION = "us-east-1"
"""Any region will do; a signature has to name one."""


def s3_client(url: str, access_key_id: str | None, secret_access_key: str | None, **options: Any) -> Any:
    """A boto3 client. Keys that are not given are those of `ELASTICLAKE_ROOT_ACCESS_KEY` and
    `ELASTICLAKE_ROOT_SECRET_KEY`, else wherever boto3 finds some. Raises ImportError without boto3."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise ImportError("client.s3() needs boto3: pip install boto3") from None
    given = {
        "aws_access_key_id": access_key_id or os.environ.get("ELASTICLAKE_ROOT_ACCESS_KEY"),
        "aws_secret_access_key": secret_access_key or os.environ.get("ELASTICLAKE_ROOT_SECRET_KEY"),
    }
    config = Config(s3={"addressing_style": "path"}).merge(options.pop("config", Config()))
    keys = {name: value for name, value in given.items() if value}
    return boto3.client("s3", endpoint_url=url, **{"region_name": REGION, "config": config, **keys, **options})
