"""The root command: what loads when, and the exit codes of the real process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import typer
from tests.unit.cli.conftest import Run, Spawn
from tests.unit.cli.rest_server import TOKEN, RestServer
from typer.testing import CliRunner

from elasticlake import __version__
from elasticlake.cli.main import Entry, LazyGroup, RootGroup
from elasticlake.errors import NotEmpty

ON_THE_DATA = ("serve", "check", "migrate", "migrate-data", "backup")
REST_COMMANDS = [name for name in RootGroup.entries if name not in ON_THE_DATA]
HEAVY = ("httpx", "rich", "pydantic", "apsw", "aiohttp", "fastapi", "uvicorn", "awscrt", "elasticlake.server")


class Doors(LazyGroup):
    """Commands with the server's troubles: a library that is missing, and an error of the domain."""

    entries: ClassVar[dict[str, Entry]] = {
        "missing": Entry("needs_a_missing_library:run", "Cannot be imported."),
        "refuses": Entry("elasticlake_doors:refuse", "Raises an error of the domain."),
        "options": Entry("elasticlake_doors:options", "Has options."),
    }


doors = typer.Typer(cls=Doors, rich_markup_mode=None, pretty_exceptions_enable=False)


@doors.callback()
def _doors() -> None:
    """A root of its own."""


@pytest.fixture
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_a_missing_library.py").write_text("import a_library_that_nobody_has\n")
    (tmp_path / "elasticlake_doors.py").write_text(
        "from elasticlake.errors import NotEmpty\n"
        "def refuse() -> None:\n    raise NotEmpty('The directory\\nis not empty.')\n"
        "def options(workers: int = 2) -> None:\n    print('workers', workers)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("needs_a_missing_library", "elasticlake_doors"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("_modules")
@pytest.mark.parametrize("arguments", [["missing"], ["missing", "--help"]])
def test_without_the_server_s_libraries_one_line_says_what_to_install(arguments: list[str]) -> None:
    result = CliRunner().invoke(doors, arguments)
    assert result.exit_code == 1
    line = "this needs the library a_library_that_nobody_has: "
    assert f"{line}install elasticlake[server], in a clone by: pip install '.[server]'" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("_modules")
def test_the_group_s_help_imports_nothing() -> None:
    result = CliRunner().invoke(doors, ["--help"])
    assert result.exit_code == 0
    assert "Cannot be imported." in result.stdout


@pytest.mark.usefixtures("_modules")
def test_a_lazy_function_shows_its_options_and_takes_them() -> None:
    assert "--workers" in CliRunner().invoke(doors, ["options", "--help"]).stdout
    assert CliRunner().invoke(doors, ["options", "--workers", "3"]).stdout == "workers 3\n"


@pytest.mark.usefixtures("_modules")
def test_an_error_of_the_domain_is_one_line() -> None:
    result = CliRunner().invoke(doors, ["refuses"])
    assert (result.exit_code, result.stderr) == (1, "elasticlake: The directory\\nis not empty.\n")
    assert NotEmpty.__name__ not in result.output


def test_help_and_the_version_load_nothing_heavy(tmp_path: Path) -> None:
    program = f"""
import sys
from elasticlake.cli.main import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    for option in ("--help", "--version"):
        command = [sys.executable, "-c", program, option]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "[]\n")


def test_no_command_s_help_loads_what_only_running_it_needs(tmp_path: Path) -> None:
    names = [name for name in RootGroup.entries if name != "serve"]  # its options are the settings, pydantic's
    needless = [name for name in HEAVY if name != "pydantic"]  # typer itself reads defaults with it
    program = f"""
import sys
from typer.testing import CliRunner
from elasticlake.cli.main import app
before = set(sys.modules)
for name in {names!r}:
    assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name
    print(name, [found for found in {needless!r} if found in set(sys.modules) - before])
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path, check=True)
    assert result.stdout.splitlines() == [f"{name} []" for name in names]


@pytest.mark.parametrize("name", REST_COMMANDS)
def test_a_command_s_own_help_says_more_than_nothing(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert RootGroup.entries[name].summary.rstrip(".") in " ".join(result.stdout.split())


def test_rest_commands_need_nothing_of_the_server(server: RestServer, tmp_path: Path) -> None:
    blocked = ("apsw", "aiohttp", "fastapi", "uvicorn", "uvloop", "awscrt", "cryptography", "lxml", "structlog")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); from elasticlake.cli.main import main; main()"
    )
    command = [sys.executable, "-c", program, "--url", server.url, "--token", TOKEN, "lake", "list"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_version(spawn: Spawn) -> None:
    result = spawn("--version")
    assert (result.returncode, result.stdout) == (0, f"elasticlake {__version__}\n")


def test_health_sends_no_token(run: Run, server: RestServer) -> None:
    assert run("health").stdout == "status   ok\nversion  9.9.9\n"
    assert "authorization" not in server.calls[0].headers


def test_readiness_shows_what_is_lacking_and_fails_only_if_the_server_cannot_work(run: Run, server: RestServer) -> None:
    blobs = {"name": "blobs", "status": "unavailable", "detail": "It is away."}
    server.readiness = (200, {"status": "ok", "checks": [blobs]})
    result = run("health", "--ready")
    assert (result.exit_code, result.stdout.split("\n")[0]) == (0, "status  ok")
    assert "It is away." in result.stdout
    server.readiness = (503, {"status": "unavailable", "checks": [{**blobs, "name": "metadata"}]})
    result = run("health", "--ready", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, server.readiness[1])
    assert "authorization" not in server.calls[0].headers


def test_url_and_token_come_from_the_environment(spawn: Spawn, server: RestServer) -> None:
    server.put("lakes", lake="lake1")
    result = spawn(
        "lake", "show", "lake1", "--json", env={"ELASTICLAKE_URL": server.url, "ELASTICLAKE_API_TOKEN": TOKEN}
    )
    assert (result.returncode, json.loads(result.stdout)["lake"]) == (0, "lake1")


def test_the_token_of_the_credentials_file_is_used(spawn: Spawn, server: RestServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/credentials.json").write_text(json.dumps({"apiToken": TOKEN}))
    assert spawn("--url", server.url, "lake", "list").returncode == 0


def test_exit_code_1_the_server_refused(spawn: Spawn, server: RestServer) -> None:
    result = spawn("--url", server.url, "--token", TOKEN, "webhook", "show", "wh_9")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "elasticlake: no such webhook wh_9 (404)\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["lake", "show"], ["--url", "host:9000", "lake", "list"], ["lake", "list", "--limit", "0"]],
)
def test_exit_code_2_wrong_usage(spawn: Spawn, arguments: list[str]) -> None:
    result = spawn(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_exit_code_3_nobody_answers(spawn: Spawn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    result = spawn("--url", url, "lake", "list")
    assert result.returncode == 3
    assert result.stderr == (
        f"elasticlake: cannot reach {url}: is the server running? (start it with `elasticlake serve`)\n"
    )


def test_exit_code_4_not_authorized(spawn: Spawn, server: RestServer) -> None:
    result = spawn("--url", server.url, "--token", "wrong", "lake", "list")
    assert result.returncode == 4
    assert f"is not valid on {server.url} (401)" in result.stderr
    without = spawn("--url", server.url, "lake", "list")
    assert without.returncode == 4
    assert "elasticlake: give a token with --token" in without.stderr


def test_what_the_terminal_cannot_encode_is_written_out(spawn: Spawn, server: RestServer) -> None:
    server.put("lakes", lake="lake1", name="日本")
    arguments = ("--url", server.url, "--token", TOKEN, "lake", "show", "lake1")
    latin = {"PYTHONIOENCODING": "latin-1"}
    assert r"\u65e5\u672c" in spawn(*arguments, env=latin).stdout
    assert json.loads(spawn(*arguments, "--json", env=latin).stdout)["name"] == "日本"


def test_completion_knows_the_commands_of_a_lazy_group(spawn: Spawn) -> None:
    env = {"_ELASTICLAKE_COMPLETE": "complete_bash", "COMP_WORDS": "elasticlake webhook red", "COMP_CWORD": "2"}
    assert spawn(env=env).stdout.split() == ["redeliver"]
