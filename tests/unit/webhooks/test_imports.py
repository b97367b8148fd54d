"""Whoever receives pays for nothing else: neither third-party modules nor those of the standard library that it may not
need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import elasticlake

SOURCES = str(Path(elasticlake.__file__).parents[1])
HEAVY = {"asyncio", "sqlite3", "ssl", "socket", "http", "email", "concurrent", "urllib"}


def modules_after(statement: str) -> set[str]:
    """The modules that an interpreter without any packages has loaded then."""
    shown = f"import sys; sys.path.insert(0, {SOURCES!r}); {statement}; print('\\n'.join(sys.modules))"
    # -I and -S: neither the environment's nor the user's packages are there, so importing one fails.
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", shown], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def added_by(statement: str) -> set[str]:
    return modules_after(statement) - modules_after("pass")


def test_importing_it_takes_the_standard_library_alone() -> None:
    added = added_by("import elasticlake.webhooks")
    ours = {name for name in added if name.startswith("elasticlake")}
    assert {name.partition(".")[0] for name in added - ours} <= set(sys.stdlib_module_names)
    assert {"elasticlake.webhooks.receiver", "elasticlake.webhooks.guards.redis"} <= ours
    assert not {name for name in ours if name.startswith("elasticlake.webhooks.mounts")}
    assert not HEAVY & added


def test_it_takes_nothing_of_ours_but_signing_and_errors() -> None:
    ours = {name for name in added_by("import elasticlake.webhooks") if name.startswith("elasticlake")}
    others = {name for name in ours if not name.startswith("elasticlake.webhooks")}
    assert others == {"elasticlake", "elasticlake.signing", "elasticlake.errors"}


def test_so_does_using_it() -> None:
    used = (
        "from elasticlake.webhooks import MemoryGuard, Receiver, SqliteGuard;"
        "assert Receiver('secret', MemoryGuard()).handle(b'', {}).status == 401;"
        "SqliteGuard(':memory:').begin('evt_1');"
        "list(Receiver('secret').wsgi({'REQUEST_METHOD': 'GET'}, lambda *_: None))"
    )
    assert {name.partition(".")[0] for name in added_by(used)} <= {*sys.stdlib_module_names, "elasticlake"}
