"""Whatever the documents point at is there: links, anchors, modules, tests, decisions."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import ROOT, Document, codes, pages, rows

ARCHITECTURE = Document("ARCHITECTURE.md")
PACKAGE = ROOT / "src/elasticlake"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SOURCE = re.compile(r"[\w./-]+/[\w.-]*|\w+\.(?:py|toml|md)")


def anchors(page: Document) -> set[str]:
    """What GitHub makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in page.headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_relative_link_resolves(page: Document) -> None:
    for target in _LINK.findall(page.prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.path.parent / path).resolve() if path else page.path
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(Document(str(found.relative_to(ROOT)))), target


def sources_named_in(page: Document) -> list[str]:
    """Everything in backticks that looks like one of our files or folders."""
    first = {entry.name for entry in [*ROOT.iterdir(), *PACKAGE.iterdir()]}
    named = [name for name in codes(page.prose) if _SOURCE.fullmatch(name)]
    return [name for name in named if name.rstrip("/").split("/")[0] in first]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_module_and_test_named_exists(page: Document) -> None:
    for name in sources_named_in(page):
        assert (ROOT / name).exists() or (PACKAGE / name).exists(), name


def test_the_entrance_names_most_packages() -> None:
    named = {name.split("/")[0] for name in sources_named_in(ARCHITECTURE)}
    assert len(sources_named_in(ARCHITECTURE)) > 60
    assert {entry.name for entry in PACKAGE.iterdir() if (entry / "__init__.py").exists()} <= named


def test_every_invariant_is_enforced_and_proven_somewhere() -> None:
    table = rows(ARCHITECTURE.section("Invariants"), "", "invariant", "enforced in", "proven by")
    assert [number for number, *_ in table] == [f"I{number}" for number in range(1, 11)]
    for number, _, enforced, proven in table:
        assert any((PACKAGE / name).is_file() for name in codes(enforced)), number
        assert any((ROOT / name).is_file() for name in codes(proven)), number


def test_the_data_folders_names_are_the_ones_in_use() -> None:
    table = rows(ARCHITECTURE.section("The data folder"), "name", "what is in it", "how durable")
    sources = "".join((PACKAGE / name).read_text() for name in ("server/folder.py", "config/credentials.py"))
    for name, *_ in table:
        stem = codes(name)[0].split("/")[0]
        assert f'"{stem}"' in sources, stem


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    folder = ROOT / "docs/decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    listed = rows(Document("docs/decisions/README.md").text, "", "decision")
    for name, (link, title) in zip(files, listed, strict=True):
        decision = Document(f"docs/decisions/{name}")
        assert link == f"[{name[:4]}]({name})"
        assert decision.headings[0] == f"{name[:4]}: {title}"
        assert decision.headings[1:] == ["Context", "Decision", "Consequences", "Measured"]


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    assert Document("CHANGELOG.md").headings[:2] == ["Changelog", "[Unreleased]"]
