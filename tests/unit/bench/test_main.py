"""Whole runs against the null server, as a user starts them."""

import json
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.environment import file_system
from bench.server import Server
from bench.settings import size_text


def test_a_run_against_a_named_endpoint(null: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "out.json"
    options = ["--access-key", "a", "--secret-key", "s", "--quick", "--seconds", "0.1", "--keys", "1100"]
    options += ["--only", "put,get,head,list,delete,listing", "--json", str(written), "--data-dir", str(tmp_path)]
    assert main(["--endpoint", null.target.url, "--pid", str(null.pid), *options]) == 0
    report = json.loads(written.read_text())
    by_name = {result["name"]: result for result in report["results"]}
    assert {"PUT 4 KiB x1", "GET 4 KiB x8", "HEAD 4 KiB x32", "LIST 100 keys x8", "DELETE 4 KiB x32"} < set(by_name)
    assert by_name["LIST delimiter, 1,100 keys"]["details"]["timeToFewKeysRatio"] > 0
    assert all(not result["errors"] and result["operationsPerSecond"] > 0 for result in report["results"])
    assert by_name["PUT 4 KiB x8"]["ratios"]["bare ASGI: PUT 4 KiB x8"] > 0
    assert {"MD5", "SHA-256", "fdatasync 4 KiB p99", "file read (page cache)"} < {x["name"] for x in report["limits"]}
    assert report["processes"][0]["rssAnonMaxBytes"] > 0
    assert len(report["verdicts"]) == 17
    printed = capsys.readouterr().out
    assert "4 KiB PUT at 32 connections ≥ 5,000/s" in printed
    assert "PUT 4 KiB x32" in printed
    assert list(tmp_path.iterdir()) == [written]


def test_large_shapes_against_a_named_endpoint(null: Server, tmp_path: Path) -> None:
    written = tmp_path / "out.json"
    options = ["--access-key", "a", "--secret-key", "s", "--quick", "--seconds", "0.1", "--json", str(written)]
    assert main(["--endpoint", null.target.url, *options, "--only", "mixed,stream,multipart"]) == 0
    results = json.loads(written.read_text())["results"]
    assert [result["name"] for result in results] == [
        "mixed 100 KiB x16",
        "mixed 10 MiB x4",
        "stream PUT 64 MiB",
        "stream GET 64 MiB",
        "multipart 4 x 16 MiB x4",
    ]
    assert all(not result["errors"] and result["mibPerSecond"] > 1 for result in results)


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--only", "put,nonsense"], "unknown shapes: nonsense"), (["--endpoint", "nowhere"], "not an endpoint URL")],
)
def test_wrong_arguments_are_told(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options) == 2
    assert said in capsys.readouterr().err


def test_a_server_that_is_not_there_breaks_the_run_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--only", "delivery", "--quick", "--seconds", "0.1", "--data-dir", str(tmp_path)]
    assert main(["--endpoint", "http://127.0.0.1:1", *options]) == 1
    printed = capsys.readouterr()
    assert "broken off" in printed.err
    assert "NOT MET  no request failed, no event is missing: 1 errors" in printed.out


def test_the_deepest_mount_tells_the_file_system() -> None:
    assert file_system(Path("/proc")) == "proc"


@pytest.mark.parametrize(
    ("size", "text"), [(4096, "4 KiB"), (10 << 20, "10 MiB"), (1 << 30, "1 GiB"), (100, "100 B"), (1500, "1500 B")]
)
def test_sizes_are_written_in_their_largest_whole_unit(size: int, text: str) -> None:
    assert size_text(size) == text
