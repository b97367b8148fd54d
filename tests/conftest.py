"""Which suites run here: a test whose tool is missing is deselected, and the last line printed names its suite.

With ELASTICLAKE_ALL_SUITES=1 (as `.ci/run` sets it) a missing tool is an error instead: nothing passes by absence.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ("tests.postgres", "tests.engines")

DEBIAN_TOOLS = ("s3cmd", "rclone", "restic", "s3fs")
FUSE = Path("/dev/fuse")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NODE_SDK = Path(__file__).parent / "node/node_modules/@aws-sdk/client-s3"

# Files that start servers and browsers go first: at the end only short ones are left, and no process waits for another.
FIRST_FOLDERS = ("simulation", "browser", "integration", "examples", "docs", "conformance")

LEFT_OUT = pytest.StashKey[dict[str, int]]()

# Two shared cores make any per-example deadline a coin toss; the suite's own timeout still ends a hang.
settings.register_profile("test", deadline=None, print_blob=True)
settings.register_profile("soak", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("soak" if os.environ.get("ELASTICLAKE_SOAK") == "1" else "test")


def not_on_path(names: Iterable[str]) -> list[str]:
    """Those of `names` that are not commands here."""
    return [name for name in names if shutil.which(name) is None]


def missing_node(_: pytest.Mark) -> str:
    if not_on_path(["node"]):
        return "node"
    return "" if NODE_SDK.is_dir() else "tests/node/node_modules (npm)"


def missing_chromium(_: pytest.Mark) -> str:
    return "" if any(shutil.which(name) for name in CHROMIUM_NAMES) else "chromium"


def missing_debian_tools(mark: pytest.Mark) -> str:
    names = mark.args or DEBIAN_TOOLS
    missing = not_on_path(names)
    if "s3fs" in names and not os.access(FUSE, os.R_OK | os.W_OK):
        missing.append(str(FUSE))
    return ", ".join(missing)


@cache
def strace_works() -> bool:
    """Whether strace is here and may trace; containers often forbid ptrace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, timeout=10).returncode == 0


def missing_strace(_: pytest.Mark) -> str:
    return "" if strace_works() else "strace"


# Marker → what of its tools is missing here, "" for nothing.
SUITES: dict[str, Callable[[pytest.Mark], str]] = {
    "needs_node": missing_node,
    "needs_chromium": missing_chromium,
    "needs_debian_tools": missing_debian_tools,
    "needs_strace": missing_strace,
}


def pytest_configure() -> None:
    """Refuse to begin where a tool is missing that must not be."""
    if os.environ.get("ELASTICLAKE_ALL_SUITES") != "1":
        return
    missing = [tools for name, look in SUITES.items() if (tools := look(getattr(pytest.mark, name).mark))]
    if missing:
        raise pytest.UsageError(f"every suite must run, but tools are missing: {'; '.join(missing)}")


def suite_left_out(item: pytest.Item) -> str:
    """The suite that `item` is left out with, and the tools it lacks; "" if it can run."""
    for mark in item.iter_markers():
        missing = SUITES[mark.name](mark) if mark.name in SUITES else ""
        if missing:
            return f"{mark.name.removeprefix('needs_')} (no {missing})"
    return ""


def folder_rank(item: pytest.Item) -> int:
    """Where in the run the item's folder is."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return FIRST_FOLDERS.index(folder) if folder in FIRST_FOLDERS else len(FIRST_FOLDERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long proofs, unless asked for, and what cannot run here; name the latter in the last line."""
    items.sort(key=folder_rank)
    if os.environ.get("ELASTICLAKE_SOAK") != "1":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
    reasons = {item: suite_left_out(item) for item in items}
    left_out = [item for item in items if reasons[item]]
    if not left_out:
        return
    names = sorted({reasons[item] for item in left_out})
    if os.environ.get("ELASTICLAKE_ALL_SUITES") == "1":
        raise pytest.UsageError(f"every suite must run, but tools are missing: {'; '.join(names)}")
    config.stash[LEFT_OUT] = {name: sum(reasons[item] == name for item in left_out) for name in names}
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not reasons[item]]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of several processes, each collects everything and tells the one that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if left_out := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[LEFT_OUT] = left_out


def pytest_unconfigure(config: pytest.Config) -> None:
    """Name the suites left out, below pytest's own last line, where nobody can miss it."""
    left_out = config.stash.get(LEFT_OUT, {})
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if left_out and reporter is not None:
        suites = "; ".join(f"{name}: {count} tests" for name, count in left_out.items())
        reporter.write_line(f"Suites left out: {suites}")
