import pytest
from bench.target import parse_target


def test_a_port_of_its_own_is_part_of_the_host_header() -> None:
    assert parse_target("http://127.0.0.1:9000/", "a", "s").authority == "127.0.0.1:9000"


@pytest.mark.parametrize("url", ["http://s3.example:80", "https://s3.example:443", "https://s3.example"])
def test_the_schemes_own_port_is_left_out(url: str) -> None:
    assert parse_target(url, "a", "s").authority == "s3.example"


def test_tls_follows_the_scheme() -> None:
    assert parse_target("https://s3.example", "a", "s").port == 443
    assert parse_target("https://s3.example", "a", "s").tls
    assert parse_target("http://s3.example", "a", "s").tls_context() is None


@pytest.mark.parametrize("url", ["s3.example", "ftp://s3.example", "http://s3.example/base", "http://"])
def test_what_is_no_endpoint_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        parse_target(url, "a", "s")
