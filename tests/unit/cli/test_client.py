from __future__ import annotations

import socket
import threading

import pytest
from tests.unit.cli.rest_server import TOKEN, RestServer

from elasticlake.cli.client import RestClient, path
from elasticlake.cli.connection import Connection
from elasticlake.cli.errors import CommandFailed, ExitCode


@pytest.fixture
def client(server: RestServer) -> RestClient:
    return RestClient(Connection(server.url, TOKEN))


def test_path_quotes_each_segment() -> None:
    assert path("buckets", "a b/ü", "events") == "/v1/buckets/a%20b%2F%C3%BC/events"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"\xff"])
def test_an_answer_that_is_no_document(client: RestClient, server: RestServer, body: bytes) -> None:
    server.refusals["/v1/lakes/a"] = (200, body)  # type: ignore[assignment]
    with pytest.raises(CommandFailed, match=r"^http://127.0.0.1:\d+ is not an ElasticLake server"):
        client.get("/v1/lakes/a")


def test_a_redirect_is_not_followed(client: RestClient, server: RestServer) -> None:
    server.refusals["/v1/lakes/a"] = (302, {})
    with pytest.raises(CommandFailed, match="answered 302"):
        client.get("/v1/lakes/a")
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [401, 404, 500])
def test_another_web_server(client: RestClient, server: RestServer, status: int) -> None:
    server.refusals["/v1/lakes/a"] = (status, b"<html>")  # type: ignore[assignment]
    with pytest.raises(CommandFailed, match=f"is not an ElasticLake server: it answered {status} "):
        client.get("/v1/lakes/a", "lake a")


def test_a_proxy_whose_server_is_away(client: RestClient, server: RestServer) -> None:
    server.refusals["/v1/lakes/a"] = (502, b"<html>")  # type: ignore[assignment]
    with pytest.raises(CommandFailed, match=r"^Bad Gateway \(502\)"):
        client.get("/v1/lakes/a")


def test_tls_where_there_is_none(server: RestServer) -> None:
    url = server.url.replace("http:", "https:")
    with pytest.raises(CommandFailed, match=f"^the server at {url} does not speak TLS: use http://$") as failure:
        RestClient(Connection(url, TOKEN)).get("/v1/lakes")
    assert failure.value.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("page", [{}, {"items": None}, {"items": [1]}])
def test_a_list_without_items(client: RestClient, server: RestServer, page: dict[str, object]) -> None:
    server.refusals["/v1/lakes"] = (200, page)
    with pytest.raises(CommandFailed, match="a list without items"):
        list(client.items("/v1/lakes"))


def test_pages_that_go_in_a_circle_end(client: RestClient, server: RestServer) -> None:
    server.refusals["/v1/lakes"] = (200, {"items": [{}], "nextCursor": "same"})
    with pytest.raises(CommandFailed, match="the same page again"):
        list(client.items("/v1/lakes"))


def test_a_connection_that_closes_without_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            accepted, _ = listener.accept()
            accepted.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(CommandFailed, match=r"lost the connection .* use https://") as failure:
            RestClient(Connection(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN)).get("/v1/lakes")
        thread.join()
    assert failure.value.exit_code is ExitCode.UNREACHABLE


def test_no_proxy_for_this_machine(client: RestClient, server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.put("lakes", lake="lake1")
    assert client.get("/v1/lakes/lake1")["lake"] == "lake1"


def test_certificates_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(CommandFailed, match="certificate settings") as failure:
        RestClient(Connection("https://storage.example.test", TOKEN)).get("/v1/lakes")
    assert failure.value.exit_code is ExitCode.USAGE
