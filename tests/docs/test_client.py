"""The README's use of the client, run as it is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.documents import blocks
from tests.integration.conftest import s3_client
from tests.integration.server import API_TOKEN, Server, clean_environment

README = Path(__file__).resolve().parents[2] / "README.md"
BUCKET = "lake1--pond1--my-bucket"


def test_the_client_lists_webhooks_and_reads_the_log(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    try:
        s3 = s3_client(server)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
        hook = {"bucket": BUCKET, "endpoint": "http://127.0.0.1:1/hook", "events": ["object:created"]}
        webhook = server.request("POST", "/v1/webhooks", hook)["id"]
        program = next(block.text for block in blocks(README.read_text()) if block.title == "client.py")
        env = clean_environment(ELASTICLAKE_URL=server.url, ELASTICLAKE_API_TOKEN=API_TOKEN)
        ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    finally:
        server.close()
    assert ran.stdout.splitlines() == [f"{webhook} http://127.0.0.1:1/hook enabled", "1 object:created a.txt"]
