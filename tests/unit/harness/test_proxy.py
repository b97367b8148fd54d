"""The tests' own network: what the cluster's tests rely on."""

import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest
from tests.ports import steady_port
from tests.postgres import Postgres
from tests.proxy import Proxy

SILENCE_SECONDS = 0.3
PATIENCE_SECONDS = 10.0
LARGE = bytes(range(256)) * 256 * 1024  # 64 MiB: more than every buffer on the way


class Echo:
    """A server that sends back what it gets, and passes on the end."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                while data := connection.recv(65_536):
                    connection.sendall(data)
        except OSError:
            pass  # reset, as the tests ask

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", echo.port) as proxy:
        yield proxy


def dial(proxy: Proxy, timeout_seconds: float = PATIENCE_SECONDS) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout_seconds)


def ask(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(65_536)


def send_all(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def assert_silent(connection: socket.socket) -> None:
    connection.settimeout(SILENCE_SECONDS)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(PATIENCE_SECONDS)


def test_it_forwards_everything_up_to_the_end(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        sender = threading.Thread(target=send_all, args=(connection, LARGE))
        sender.start()
        assert read_all(connection) == LARGE
        sender.join()


def test_a_cut_stalls_and_heals_without_loss(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"before") == b"before"
        proxy.cut()
        connection.sendall(b"meanwhile")
        assert_silent(connection)
        proxy.heal()
        assert connection.recv(65_536) == b"meanwhile"
        assert ask(connection, b"after") == b"after"


def test_a_cut_stops_a_transfer_in_the_middle(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        sender = threading.Thread(target=connection.sendall, args=(LARGE,))
        sender.start()
        begun = connection.recv(65_536)
        proxy.cut()
        arrived = begun + until_silent(connection)
        assert len(arrived) < len(LARGE)
        assert sender.is_alive()
        proxy.heal()
        while len(arrived) < len(LARGE):
            arrived += connection.recv(1 << 20)
        sender.join()
        assert arrived == LARGE


def test_an_end_is_not_told_through_a_cut(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        ask(connection, b"established")
        proxy.cut()
        connection.shutdown(socket.SHUT_WR)
        assert_silent(connection)
        proxy.heal()
        assert connection.recv(1) == b""


def test_nobody_connects_through_a_cut(proxy: Proxy) -> None:
    proxy.cut()
    with pytest.raises(TimeoutError):
        dial(proxy, SILENCE_SECONDS)
    waiting: list[bytes] = []

    def wait() -> None:
        with dial(proxy) as connection:
            waiting.append(ask(connection, b"patience"))

    patient = threading.Thread(target=wait)
    patient.start()
    patient.join(SILENCE_SECONDS)
    assert waiting == []
    proxy.heal()
    patient.join()
    assert waiting == [b"patience"]
    assert ended(proxy)


def test_a_reset_is_seen_by_both_sides(proxy: Proxy) -> None:
    with dial(proxy) as one, dial(proxy) as other:
        for connection in (one, other):
            ask(connection, b"established")
        proxy.reset_all()
        for connection in (one, other):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
    assert proxy.connections == 0
    with dial(proxy) as connection:
        assert ask(connection, b"again") == b"again"


def test_a_reset_reaches_through_a_cut(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        ask(connection, b"established")
        proxy.cut()
        proxy.reset_all()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_refusing_leaves_what_is_connected(proxy: Proxy) -> None:
    with dial(proxy) as connection:
        ask(connection, b"established")
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            dial(proxy)
        assert ask(connection, b"still") == b"still"
    proxy.accept()
    with dial(proxy) as connection:
        assert ask(connection, b"again") == b"again"


def test_an_absent_target_resets() -> None:
    # The reset may be faster than the dialler's look at its connection.
    with Proxy("127.0.0.1", steady_port()) as proxy, pytest.raises(ConnectionResetError), dial(proxy) as connection:
        ask(connection, b"anybody")


def test_states_change_in_any_order_from_any_thread(proxy: Proxy) -> None:
    def change() -> None:
        for act in (proxy.cut, proxy.refuse, proxy.heal, proxy.accept, proxy.reset_all) * 3:
            act()

    threads = [threading.Thread(target=change) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proxy.accept()
    proxy.heal()
    with dial(proxy) as connection:
        assert ask(connection, b"sane") == b"sane"


def test_postgresql_works_through_it(postgres: Postgres, postgres_url: str) -> None:
    with Proxy("127.0.0.1", postgres.port) as proxy:
        url = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
        with psycopg.connect(url) as connection:
            proxy.cut()
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                psycopg.connect(url, connect_timeout=1)  # libpq rounds up to two seconds
            proxy.heal()
            assert connection.execute("SELECT 1").fetchone() == (1,)
            proxy.reset_all()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")


def until_silent(connection: socket.socket) -> bytes:
    received = []
    connection.settimeout(SILENCE_SECONDS)
    try:
        while data := connection.recv(1 << 20):
            received.append(data)
    except TimeoutError:
        pass
    connection.settimeout(PATIENCE_SECONDS)
    return b"".join(received)


def ended(proxy: Proxy) -> bool:
    """Whether every connection ends: each client has closed its own."""
    patience = threading.Event()
    return any(proxy.connections == 0 or patience.wait(0.01) for _ in range(1000))
