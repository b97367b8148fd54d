"""A desk where the guides' commands are typed as they stand: a server's folder, a shell, and a receiver."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.documents import Block, Document, blocks
from tests.integration.conftest import s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import Server, clean_environment

SERVER_PORT, RECEIVER_PORT = "9000", "5000"
VARIABLES = "variables"
"""The block of docs/s3.md that every other block builds on."""


def titled(page: Document, title: str) -> Block:
    """The page's one block of that title."""
    (found,) = (block for block in blocks(page.text) if block.title == title)
    return found


class Desk:
    """Types blocks into bash, one after the other. What a block sets is there for the next one; the first command that
    fails ends the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "data", env={}).start()
        self.receiver = Receiver()
        self.ports = {SERVER_PORT: self.server.port, RECEIVER_PORT: int(self.receiver.url().split(":")[2].strip("/"))}
        self._state = folder / "state"
        self._state.touch()
        self._environment = clean_environment(
            HOME=str(folder),
            PATH=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            AWS_EC2_METADATA_DISABLED="true",
        )
        self.type(titled(Document("docs/s3.md"), VARIABLES))
        credentials = json.loads((folder / "data/credentials.json").read_text())
        self.token: str = credentials["apiToken"]
        self.s3: Any = s3_client(self.server, credentials["accessKeyId"], credentials["secretAccessKey"])

    def text_of(self, block: Block) -> str:
        """The block as it stands on its page, but for the ports."""
        text = block.text
        for shown, taken in self.ports.items():
            text = re.sub(rf"\b{shown}\b", str(taken), text)
        return text

    def save(self, block: Block) -> Path:
        """Put a program where its first line says."""
        path = self.folder / re.sub(r"^(#|//) ", "", block.text.split("\n", 1)[0])
        path.write_text(self.text_of(block))
        return path

    def type(self, block: Block) -> str:
        """Run a block of commands to its end; what it printed."""
        return self.run(self.text_of(block))

    def run(self, commands: str) -> str:
        script = f"set -a\n. {self._state}\n{commands}\nexport -p > {self._state}\n"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        assert ran.returncode == 0, f"{commands}\nended with {ran.returncode}:\n{ran.stdout}"
        return ran.stdout

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """A REST call, for what a test looks at beside what is typed."""
        return self.server.request(method, path, body, token=self.token)

    def close(self) -> None:
        self.s3.close()
        self.receiver.close()
        self.server.close()
