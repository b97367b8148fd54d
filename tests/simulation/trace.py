"""A machine that may lose its power: every file operation is recorded, and from any prefix of the record follow the
disks that such a crash can leave behind.

What `sync` covered is there, byte for byte. Of what was written since, each write may be there, be lost, or be torn
between sectors. A name made, moved or removed since its folder's last `sync_directory` may be as it was or as it is.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

SECTOR_BYTES = 512
DIRECTORY = -1
"""What a folder's name leads to in place of a file's number."""

Kind = Literal[
    "write", "truncate", "sync", "create", "rename", "remove", "make_directory", "sync_directory", "sync_name", "mark"
]


class Record(NamedTuple):
    """One operation. Paths are relative to the folder that is watched."""

    kind: Kind
    path: str = ""
    target: str = ""
    inode: int = 0
    offset: int = 0
    data: bytes = b""
    mark: Hashable = None


@dataclass(frozen=True)
class Image:
    """What is on a disk."""

    directories: frozenset[str]
    files: dict[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> Image:
        """What the folder holds now. SQLite's shared memory is memory: no crash of a machine leaves it."""
        directories, files = set[str](), dict[str, bytes]()
        for parent, folders, names in os.walk(folder):
            inside = os.path.relpath(parent, folder)
            directories.update(os.path.normpath(os.path.join(inside, name)) for name in folders)
            for name in names:
                if not name.endswith("-shm"):
                    files[os.path.normpath(os.path.join(inside, name))] = Path(parent, name).read_bytes()
        return cls(frozenset(directories), files)

    def write_to(self, folder: Path) -> None:
        """Make the folder hold this and nothing else; one that held much the same before is soon done."""
        folder.mkdir(exist_ok=True)
        missing = set(self.directories)
        for parent, folders, names in os.walk(folder):
            inside = os.path.relpath(parent, folder)
            for name in names:
                os.unlink(os.path.join(parent, name))
            for name in list(folders):
                path = os.path.normpath(os.path.join(inside, name))
                if path in self.directories:
                    missing.discard(path)
                else:
                    shutil.rmtree(folder / path)
                    folders.remove(name)
        for name in sorted(missing):
            (folder / name).mkdir(exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


class Trace:
    """The record of what was done in a folder, in the order in which it was done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = Image.of(folder)
        self.records: list[Record] = []
        # Held while an operation is done and recorded, so that the record's order is the disk's.
        self.lock = threading.RLock()
        self.inodes: dict[str, int] = {}
        for number, name in enumerate(sorted(self.base.files), start=1):
            self.inodes[name] = number
        self._made = len(self.inodes)

    def name(self, path: Path | str) -> str:
        return os.path.relpath(path, self.folder)

    def inode(self, name: str) -> int:
        """The file's number; a file that is new is recorded as created."""
        if name not in self.inodes:
            self._made += 1
            self.inodes[name] = self._made
            self.add("create", path=name, inode=self._made)
        return self.inodes[name]

    def add(
        self, kind: Kind, *, path: str = "", target: str = "", inode: int = 0, offset: int = 0, data: bytes = b""
    ) -> None:
        with self.lock:
            self.records.append(Record(kind, path, target, inode, offset, data))

    def mark(self, what: Hashable) -> None:
        """Remember that something happened outside the disk at this moment."""
        with self.lock:
            self.records.append(Record("mark", mark=what))


class Survival:
    """What becomes of unsynced work at a crash: all lost, all kept, or as chance has it."""

    def __init__(self, how: Literal["nothing", "everything", "chance"], seed: int = 0) -> None:
        self.how = how
        self._chance = random.Random(seed)
        self._share = self._chance.choice((0.1, 0.5, 0.9))

    def keeps(self) -> bool:
        if self.how == "chance":
            return self._chance.random() < self._share
        return self.how == "everything"

    def torn(self, record: Record) -> list[Record]:
        """What is left of a write that did not reach the disk whole: any of its sectors, or none."""
        if self.how != "chance" or self._chance.random() < 0.5:
            return []
        pieces, start = [], record.offset
        end = record.offset + len(record.data)
        while start < end:
            stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
            if self._chance.random() < 0.5:
                data = record.data[start - record.offset : stop - record.offset]
                pieces.append(record._replace(offset=start, data=data))
            start = stop
        return pieces


@dataclass
class Machine:
    """The disk's state along a trace."""

    base: Image
    files: dict[int, bytes] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    unsynced: dict[int, list[Record]] = field(default_factory=dict)
    unsynced_names: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = dict.fromkeys(self.base.directories, DIRECTORY)
        for number, name in enumerate(sorted(self.base.files), start=1):
            self.files[number] = self.base.files[name]
            self.names[name] = number

    def apply(self, record: Record) -> None:
        match record.kind:
            case "write" | "truncate":
                self.unsynced.setdefault(record.inode, []).append(record)
            case "sync":
                self.files[record.inode] = written(
                    self.files.get(record.inode, b""), self.unsynced.pop(record.inode, [])
                )
            case "create" | "rename" | "remove" | "make_directory":
                self.unsynced_names.append(record)
            case "sync_directory":
                self._settle_names(lambda change: record.path in (folder_of(change.path), folder_of(change.target)))
            case "sync_name":
                self._settle_names(lambda change: record.path in (change.path, change.target))

    def crash(self, survival: Survival) -> Image:
        """A disk as the crash may leave it; the machine itself goes on."""
        names = dict(self.names)
        for change in self.unsynced_names:
            if survival.keeps():
                rename(names, change)
        directories = {name for name, inode in names.items() if inode == DIRECTORY}
        files = {}
        for name, inode in sorted(names.items()):
            if inode != DIRECTORY and folder_of(name) in directories | {"."}:
                files[name] = self._content(inode, survival)
        return Image(frozenset(name for name in directories if folder_of(name) in directories | {"."}), files)

    def _content(self, inode: int, survival: Survival) -> bytes:
        kept: list[Record] = []
        for record in self.unsynced.get(inode, []):
            if survival.keeps():
                kept.append(record)
            elif record.kind == "write":
                kept += survival.torn(record)
        return written(self.files.get(inode, b""), kept)

    def _settle_names(self, covered: Callable[[Record], bool]) -> None:
        left: list[Record] = []
        for change in self.unsynced_names:
            if covered(change):
                rename(self.names, change)
                # The name that the file had before is gone with this one's coming.
                left = [earlier for earlier in left if earlier.inode != change.inode or change.kind != "rename"]
            else:
                left.append(change)
        self.unsynced_names = left


def folder_of(name: str) -> str:
    return os.path.dirname(name) or "."


def rename(names: dict[str, int], change: Record) -> None:
    """Make a change of names."""
    match change.kind:
        case "create":
            names[change.path] = change.inode
        case "make_directory":
            names[change.path] = DIRECTORY
        case "remove":
            names.pop(change.path, None)
        case "rename":
            names.pop(change.path, None)
            names[change.target] = change.inode


def written(content: bytes, records: list[Record]) -> bytes:
    """The content after these writes; what lies between is zero."""
    if not records:
        return content
    changed = bytearray(content)
    for record in records:
        end = record.offset + len(record.data)
        if record.kind == "truncate":
            changed = changed[: record.offset] + bytes(max(0, record.offset - len(changed)))
            continue
        if len(changed) < end:
            changed += bytes(end - len(changed))
        changed[record.offset : end] = record.data
    return bytes(changed)
