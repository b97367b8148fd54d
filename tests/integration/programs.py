"""Other people's programs, run to their end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server, clean_environment


def run(*command: str | Path, env: Mapping[str, str], cwd: Path | None = None, timeout_seconds: float = 100) -> str:
    """What the program printed; raises AssertionError with all of it if the program failed."""
    ran = subprocess.run(
        [*map(str, command)], env=env, cwd=cwd, capture_output=True, text=True, timeout=timeout_seconds, check=False
    )
    assert ran.returncode == 0, f"{command} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def aws_environment(server: Server, home: Path) -> dict[str, str]:
    """What an AWS tool needs to find the server, and a home without anyone's settings."""
    return clean_environment(
        HOME=str(home),
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        AWS_DEFAULT_REGION="eu-central-1",
        AWS_REGION="eu-central-1",
        AWS_ENDPOINT_URL=server.url,
        AWS_EC2_METADATA_DISABLED="true",
    )


def make_tree(root: Path) -> dict[str, bytes]:
    """A small tree of files as people have them; returns path → content."""
    files = {
        "readme.txt": b"hello\n",
        "empty": b"",
        "deep/er/Größe 100%+1.csv": b"a,b\n1,2\n",
        "deep/large.bin": bytes(range(256)) * 4096 * 7,
    }
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return files


def read_tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
