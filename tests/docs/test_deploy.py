"""The examples in `deploy/` use what there is: options, variables, files, commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.docs.documents import ROOT

from elasticlake.cli.main import RootGroup
from elasticlake.config.settings import Settings
from elasticlake.server.gateway import DRAIN_SECONDS
from elasticlake.server.supervisor import STOP_SECONDS

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
ENVIRONMENTS = sorted(DEPLOY.glob("systemd/*.env.example"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "elasticlake"]
# Read by the object store's client and by PostgreSQL's image.
FOREIGN = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
CLIENTS = {"ELASTICLAKE_URL"}
STANZA = re.compile(r"\$\{(\w+)")


def flags(command: str) -> set[str]:
    """The options of a command of ours."""
    parameters = RootGroup.entries[command].load(command).params
    return {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}


def require_options(arguments: list[str]) -> None:
    """Every argument is a command's option or its value, and the values are accepted."""
    command, *rest = arguments
    assert command in RootGroup.entries
    used = [argument for argument in rest if argument.startswith("--")]
    assert set(used) <= flags(command), used
    if "--role" in rest:
        Settings(role=rest[rest.index("--role") + 1], metadata="postgresql://host/name")  # type: ignore[arg-type]


def variables() -> set[str]:
    """The variables of all settings."""
    return {f"ELASTICLAKE_{name.upper()}" for name in Settings.model_fields}


def assignments(text: str) -> dict[str, str]:
    """What an environment file sets, or shows how to set."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def stop_seconds(text: str) -> int:
    found = re.search(r"(\d+)", text)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    text = unit.read_text()
    (line,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program == "/opt/elasticlake/bin/elasticlake"
    require_options(arguments)
    (folder,) = re.findall(r"^StateDirectory=(.+)$", text, re.MULTILINE)
    assert arguments[arguments.index("--data") + 1] == f"/var/lib/{folder}"
    (environment,) = re.findall(r"^EnvironmentFile=-?/etc/elasticlake/(.+)$", text, re.MULTILINE)
    assert (DEPLOY / f"systemd/{environment}.example").exists()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_waits_for_the_end_of_what_is_under_way(unit: Path) -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
    assert int(seconds) > STOP_SECONDS > DRAIN_SECONDS
    for name in OURS:
        assert stop_seconds(SERVICES[name]["stop_grace_period"]) == int(seconds)
    # Our supervisor tells the others itself.
    assert "\nKillMode=mixed\n" in unit.read_text()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_started_again_for_as_long_as_it_takes(unit: Path) -> None:
    text = unit.read_text()
    assert "\nStartLimitIntervalSec=0\n" in text[text.index("[Unit]") : text.index("[Service]")]
    assert "\nRestart=always\n" in text


@pytest.mark.parametrize("example", ENVIRONMENTS, ids=lambda example: example.name)
def test_an_environment_file_sets_what_there_is(example: Path) -> None:
    names = set(assignments(example.read_text()))
    assert names
    assert names <= variables() | FOREIGN


@pytest.mark.parametrize("example", ENVIRONMENTS, ids=lambda example: example.name)
def test_a_shell_reads_an_environment_file_as_systemd_does(example: Path) -> None:
    given = dict(re.findall(r"^([A-Z][A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE))
    program = f"set -a; . {shlex.quote(str(example))}; exec env"
    ran = subprocess.run(["sh", "-euc", program], capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    read = dict(line.split("=", 1) for line in ran.stdout.splitlines())
    assert {name: read[name] for name in given} == {
        name: value[1:-1] if value.startswith('"') else value for name, value in given.items()
    }
    assert not re.search(r"[$`\\]", "".join(given.values()))


def test_the_files_are_all_looked_at() -> None:
    assert len(UNITS) == 3
    assert len(ENVIRONMENTS) == 2
    assert set(OURS) == {"blobs", "bucket", "migrate", "gateway-1", "gateway-2", "dispatcher-1", "dispatcher-2"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_the_compose_file_uses_what_there_is(name: str) -> None:
    service = SERVICES[name]
    known = variables() | FOREIGN | (CLIENTS if "entrypoint" in service else set())
    assert set(service["environment"]) <= known
    if "entrypoint" not in service:
        require_options(["serve", *service.get("command", [])])
    assert stop_seconds(service["stop_grace_period"]) > STOP_SECONDS


def test_the_compose_files_one_shot_commands_exist() -> None:
    assert SERVICES["migrate"]["entrypoint"][0] == "elasticlake"
    require_options(SERVICES["migrate"]["entrypoint"][1:])
    for name, sub in re.findall(r"elasticlake (\w+) (\w+)", SERVICES["bucket"]["entrypoint"][-1]):
        assert sub in RootGroup.entries[name].load(name).commands


def test_the_compose_files_settings_are_accepted() -> None:
    for name in ("gateway-1", "dispatcher-1"):
        given = {
            key.removeprefix("ELASTICLAKE_").lower(): re.sub(r"\$\{\w+[^}]*\}", "x", value)
            for key, value in SERVICES[name]["environment"].items()
            if key.startswith("ELASTICLAKE_") and "MASTER_KEY" not in key
        }
        assert Settings(**given).role == "all"  # the role is an argument


def test_every_variable_of_the_compose_file_is_in_its_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(STANZA.findall(text)) == set(assignments((DEPLOY / "compose.env.example").read_text()))


def test_the_load_balancer_knows_the_gateways_and_is_the_one_that_is_mounted() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"server ([\w-]+):9000", text) == [name for name in OURS if name.startswith("gateway")]
    (mounted,) = SERVICES["balancer"]["volumes"]
    assert (DEPLOY / mounted.split(":")[0]).is_file()
    assert SERVICES["balancer"]["ports"] == ["127.0.0.1:9000:9000"]


def test_the_image_has_every_extra() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"--requirement (\S+)", text) == ["requirements/cluster.lock"]
    assert (ROOT / "requirements/cluster.lock").exists()
    entrypoint = re.findall(r'"([^"]+)"', re.findall(r"^ENTRYPOINT \[(.+)\]$", text, re.MULTILINE)[0])
    require_options(entrypoint[1:])
