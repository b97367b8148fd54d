"""What is released: the wheel and the sdist, built here; and the wheel installed, away from the source tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from tests.integration.server import clean_environment

import elasticlake

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "elasticlake"
LIBRARIES = sysconfig.get_path("purelib")
pytestmark = pytest.mark.embedded

TYPED = """\
from elasticlake import Client
from elasticlake.webhooks import Event, Receiver, parse

receiver = Receiver("a secret of one's own")


@receiver.on("object:created", prefix="photos/")
def created(event: Event) -> None:
    print(event.object.key if event.object else "", event.sequence)


def endpoints(client: Client) -> dict[str, str]:
    return {webhook.id: webhook.endpoint for webhook in client.webhooks.list()}


def key(body: bytes, headers: dict[str, str]) -> str | None:
    event = parse(body, headers, ["a secret", "another"])
    return event.object.key if event.object else None
"""
MISTYPED = """\
from elasticlake import Client
from elasticlake.webhooks import parse

parse("text", {}, "a secret")
Client().webhooks.get(7).endpoint.upper()
Client().webhooks.gone()
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    ran = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and no other library."""
    place = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=60)
    pip = [sys.executable, "-m", "pip", "--python", place / "bin/python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], check=True, timeout=60)
    return place


@pytest.fixture(scope="module")
def installed(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the libraries of all extras: those of the tests' own environment, but for what is editable."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    shutil.copytree(bare, place, symlinks=True)
    (packages,) = place.glob("lib/python3*/site-packages")
    (packages / "libraries.pth").write_text(f"{LIBRARIES}\n")
    return place


def run(place: Path, *arguments: str | Path, cwd: Path) -> str:
    """What the environment's Python printed, away from the source tree."""
    ran = subprocess.run(
        [place / "bin/python", *arguments], cwd=cwd, env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_wheel_has_the_package_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
    files = (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert names == {str(path.relative_to(SOURCE.parent)) for path in files}
    assert len(licences) == 1
    for kind in (
        r"py\.typed",
        r"dashboard/templates/.+\.html",
        r"dashboard/static/.+\.css",
        r"metadata/migrations/.+\.sql",
    ):
        assert any(re.fullmatch(f"elasticlake/{kind}", name) for name in names), kind


def test_the_sdist_has_what_one_builds_and_tests_with(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "src/elasticlake/py.typed", "PKG-INFO"} <= names
    assert {"tests/conftest.py", "docs/operations.md", "requirements/dev.lock"} <= names
    assert not [name for name in names if re.search(r"node_modules|__pycache__|\.db$|credentials\.json$", name)]


def test_the_metadata_is_valid_and_the_version_is_in_one_place(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        content = archive.read(name)
    metadata = Metadata.from_email(content, validate=True)
    assert str(metadata.version) == elasticlake.__version__
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]
    assert metadata.license_expression == "Apache-2.0"
    assert set(metadata.provides_extra or ()) == {"server", "postgres", "cloud", "otel"}
    assert metadata.description == (ROOT / "README.md").read_text()


def test_receiving_needs_no_other_library(bare: Path, tmp_path: Path) -> None:
    program = "import elasticlake.webhooks as w, sys; print(w.__file__, 'httpx' in sys.modules)"
    assert run(bare, "-c", program, cwd=tmp_path).strip() == f"{_module(bare, 'webhooks')} False"


def test_the_command_line_works(bare: Path, installed: Path, tmp_path: Path) -> None:
    assert run(installed, "-m", "elasticlake", "--version", cwd=tmp_path) == f"elasticlake {elasticlake.__version__}\n"
    script = (installed / "bin/elasticlake").read_text().replace(str(bare), str(installed))
    assert run(installed, "-c", script.partition("\n")[2], "--help", cwd=tmp_path).startswith("Usage: ")


@pytest.fixture
def url(installed: Path, tmp_path: Path) -> Iterator[str]:
    """A server that runs from the wheel alone."""
    command = [installed / "bin/python", "-m", "elasticlake", "serve", "--listen", "127.0.0.1:0", "--json"]
    env = clean_environment(ELASTICLAKE_DASHBOARD_PASSWORD="a-password")
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_a_server_runs_from_the_wheel_alone(url: str, installed: Path, tmp_path: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def fetched(path: str) -> str:
        with opener.open(url + path, timeout=30) as answer:
            return str(answer.read().decode())

    assert json.loads(fetched("/v1/health"))["version"] == elasticlake.__version__
    page = fetched("/ui/login")
    (style,) = re.findall(r'href="(/ui/static/[^"]+\.css[^"]*)"', page)[:1]
    assert "{" in fetched(style)
    assert "ElasticLake" in fetched("/v1/docs")
    where = "import elasticlake.server as s; print(s.__file__)"
    assert run(installed, "-c", where, cwd=tmp_path).strip() == str(_module(installed, "server"))


def test_a_program_that_uses_it_is_type_checked_strictly(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    (tmp_path / "mistyped.py").write_text(MISTYPED)
    (tmp_path / "mypy.ini").write_text("[mypy]\n")  # the source tree's settings are not its users'
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", installed / "bin/python"]
    ran = subprocess.run(
        [*command, "typed.py", "mistyped.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": ""},
        capture_output=True,
        text=True,
        timeout=110,
    )
    faults = [line.split(": error: ")[0] for line in ran.stdout.splitlines() if ": error: " in line]
    assert faults == ["mistyped.py:4", "mistyped.py:5", "mistyped.py:6"], ran.stdout + ran.stderr


def _module(place: Path, name: str) -> Path:
    (packages,) = place.glob("lib/python3*/site-packages")
    return packages / "elasticlake" / name / "__init__.py"
