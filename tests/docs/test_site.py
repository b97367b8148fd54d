"""The documents as a site: it builds without a warning, each page has its place, nothing is asked of other hosts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.docs.documents import ROOT, Document

DOCS = ROOT / "docs"
# These load something; a link that a reader follows (`a`) does not, and a relation that is no request may be anything.
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
    "use": "href",
    "object": "data",
}


class Page(HTMLParser):
    """What a page of the site says of itself, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.headings = 0
        self.description = ""
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.headings += tag == "h1"
        if tag == "meta" and given.get("name") == "description":
            self.description = given["content"]
        if tag in LOADING and LOADING[tag] in given:
            self.loaded.append(given[LOADING[tag]])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


class _Loader(yaml.SafeLoader):
    """Reads what MkDocs' configuration has beside plain YAML."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def navigation(node: Any) -> Iterator[str]:
    """The pages in the navigation."""
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from navigation(child)


CONFIGURATION = yaml.load((ROOT / "mkdocs.yml").read_text(), _Loader)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Page]:
    return [Page(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"]


def test_every_document_is_in_the_navigation_or_listed_by_one_that_is() -> None:
    listed = list(navigation(CONFIGURATION["nav"]))
    decisions = {f"decisions/{name}" for name in re.findall(r"\((0\S+)\)", Document("docs/decisions/README.md").text)}
    assert len(listed) == len(set(listed))
    assert {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} == {*listed, *decisions}


def test_every_page_has_one_heading_and_a_description(pages: list[Page]) -> None:
    assert len(pages) > 50
    for page in pages:
        assert page.headings == 1, page.path
        assert 20 < len(page.description) <= 160, (page.path, page.description)
    documents = [page.description for page in pages if "repository" not in page.path.parts]
    assert len(set(documents)) == len(documents)


def test_nothing_is_loaded_from_other_hosts(site: Path, pages: list[Page]) -> None:
    for page in pages:
        assert [one for one in page.loaded if re.match(r"(?:https?:)?//", one)] == [], page.path
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", sheet.read_text()), sheet


def test_every_link_within_the_site_leads_to_something(site: Path, pages: list[Page]) -> None:
    """Also those that only the built page has, as the theme's; `--strict` has looked at the Markdown's."""
    for page in pages:
        for link in [*page.links, *page.loaded]:
            path = link.partition("#")[0]
            if not path or re.match(r"[a-z]+:", path):
                continue
            found = (site / path[1:]) if path.startswith("/") else (page.path.parent / path)
            assert found.is_file() or (found / "index.html").is_file(), (page.path, link)


def test_the_repositorys_files_that_are_linked_to_are_pages(site: Path) -> None:
    for name in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "LICENSE", "deploy", "deploy/nginx.conf"):
        assert (site / "repository" / name / "index.html").is_file(), name
    text = (site / "operations/index.html").read_text()
    assert 'href="../repository/deploy/"' in text


def test_the_same_in_several_languages_is_in_tabs(site: Path) -> None:
    text = (site / "verifying/index.html").read_text()
    labels = re.findall(r"<label for=\"__tabbed_\d+_\d+\">([^<]+)</label>", text)
    assert labels == ["Python", "Node", "Go", "Ruby", "PHP", "Shell"]
    assert "tabs --" not in text


def test_long_names_in_tables_may_break_and_are_found_whole(site: Path) -> None:
    assert "<code>timeout<wbr>Seconds</code>" in (site / "webhooks/index.html").read_text()
    assert "timeoutSeconds" in (site / "search/search_index.json").read_text()
