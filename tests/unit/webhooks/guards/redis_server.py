"""A Redis on a port of its own: the real one where it is installed, else as much of one as a guard talks to."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable

from tests.ports import steady_port

from elasticlake.webhooks.guards.redis import RELEASE

START_SECONDS = 10.0


class RedisServer:
    """Listens on `port` of 127.0.0.1 until it is closed; keeps nothing."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        self.port, self.close = _start_real(program) if program else _start_ours()


def _start_real(program: str) -> tuple[int, Callable[[], None]]:
    port, folder = steady_port(), tempfile.TemporaryDirectory()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder.name]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    give_up_at = time.monotonic() + START_SECONDS
    while not _listens(port):
        assert process.poll() is None, "redis-server ended"
        assert time.monotonic() < give_up_at, "redis-server does not listen"
        time.sleep(0.02)

    def close() -> None:
        process.terminate()
        process.wait(START_SECONDS)
        folder.cleanup()

    return port, close


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start_ours() -> tuple[int, Callable[[], None]]:
    server = _Server(("127.0.0.1", 0), _Connection)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close() -> None:
        server.shutdown()
        server.server_close()

    return int(server.server_address[1]), close


class _Server(socketserver.ThreadingTCPServer):
    """The keys, with the time at which each is forgotten."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._keys: dict[bytes, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def answer(self, command: list[bytes]) -> bytes:
        name = command[0].upper()
        with self._lock:
            if name == b"SET":
                return self._set(command[1], command[2], [option.upper() for option in command[3:]])
            if name == b"GET":
                return _bulk(self._get(command[1]))
            if name == b"EVAL":
                return self._release(command)
            if name == b"HELLO":
                return b"%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n"
            return b"+OK\r\n" if name == b"CLIENT" else b"-ERR unknown command\r\n"

    def _set(self, key: bytes, value: bytes, options: list[bytes]) -> bytes:
        if b"NX" in options and self._get(key) is not None:
            return _bulk(None)
        lives_ms = int(options[options.index(b"PX") + 1])
        self._keys[key] = (value, time.monotonic() + lives_ms / 1000)
        return b"+OK\r\n"

    def _get(self, key: bytes) -> bytes | None:
        value, ends_at = self._keys.get(key, (None, 0.0))
        return value if ends_at > time.monotonic() else None

    def _release(self, command: list[bytes]) -> bytes:
        """It has no Lua, and so runs the one script that there is."""
        script, count, key, token = command[1:]
        assert (script.decode(), count) == (RELEASE, b"1")
        if self._get(key) != token:
            return b":0\r\n"
        del self._keys[key]
        return b":1\r\n"


class _Connection(socketserver.StreamRequestHandler):
    """Source: Redis serialization protocol (RESP3)."""

    server: _Server

    def handle(self) -> None:
        while head := self.rfile.readline():
            command = [self._bulk() for _ in range(int(head[1:]))]
            self.wfile.write(self.server.answer(command))

    def _bulk(self) -> bytes:
        size_bytes = int(self.rfile.readline()[1:])
        return self.rfile.read(size_bytes + 2)[:-2]


def _bulk(value: bytes | None) -> bytes:
    return b"_\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value)
