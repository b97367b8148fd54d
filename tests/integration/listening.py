"""`elasticlake listen` as a developer runs it: a process whose lines the test waits for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

from tests.integration.server import API_TOKEN, Server, clean_environment

PATIENCE_SECONDS = 20.0


class Listening:
    """One run; it is ready to hear events when it is made."""

    def __init__(self, server: Server, *arguments: str) -> None:
        command = [sys.executable, "-m", "elasticlake", "--url", server.url, "listen", *arguments]
        environment = clean_environment(ELASTICLAKE_API_TOKEN=API_TOKEN)
        self._news = threading.Condition()
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for stream, lines in ((self._process.stdout, self.lines), (self._process.stderr, self.warnings)):
            assert stream is not None
            threading.Thread(target=self._follow, args=(stream, lines), daemon=True).start()
        self._wait(lambda: bool(self.warnings))

    def _follow(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._news:
                lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def wait_for(self, count: int) -> list[str]:
        """The lines of its output as soon as there are `count`."""
        self._wait(lambda: len(self.lines) >= count)
        return self.lines

    def documents(self, count: int) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.wait_for(count)]

    def wait_for_warning(self, text: str) -> None:
        self._wait(lambda: any(text in warning for warning in self.warnings))

    def _wait(self, holds: Any) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            came = self._news.wait_for(holds, give_up_at - time.monotonic())
        assert came, f"not within {PATIENCE_SECONDS} s: {self.lines}, {self.warnings}"

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
