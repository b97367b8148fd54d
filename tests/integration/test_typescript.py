"""A client in TypeScript, with types made of the running server's description: it compiles, and does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.programs import run
from tests.integration.server import API_TOKEN, Server, clean_environment

NODE = Path(__file__).parents[1] / "node"
PROGRAM = "api_client"
STRICTLY = ("--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--skipLibCheck")


@pytest.mark.needs_node
def test_a_client_with_generated_types_compiles_and_runs(server: Server, bucket: str, tmp_path: Path) -> None:
    programs = NODE / "node_modules" / ".bin"
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / f"{PROGRAM}.ts").write_text((NODE / f"{PROGRAM}.ts").read_text())
    environment = clean_environment(URL=server.url, TOKEN=API_TOKEN, BUCKET=bucket)
    # A member with a default may be left out of what is sent.
    options = ("--default-non-nullable=false", "--output", "api_schema.ts")
    run(programs / "openapi-typescript", f"{server.url}/v1/openapi.json", *options, env=environment, cwd=tmp_path)
    run(programs / "tsc", *STRICTLY, f"{PROGRAM}.ts", env=environment, cwd=tmp_path)
    run("node", f"{PROGRAM}.js", env=environment, cwd=tmp_path)
