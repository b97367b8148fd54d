"""AWS SDK for JavaScript v3: the scripts in `tests/node` assert, and end with 0 if all of it held."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.programs import aws_environment, run
from tests.integration.server import Server

SCRIPTS = Path(__file__).parents[1] / "node"


@pytest.mark.needs_node
@pytest.mark.parametrize("script", ["put_streams", "put_unknown_length", "upload_streams", "links_and_lists"])
def test_the_sdk_for_javascript(server: Server, bucket: str, tmp_path: Path, script: str) -> None:
    environment = aws_environment(server, tmp_path) | {"BUCKET": bucket}
    run("node", SCRIPTS / f"{script}.mjs", env=environment, cwd=SCRIPTS)
