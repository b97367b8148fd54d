"""What the site adds to MkDocs: the repository's own files, tabs, and descriptions.

The documents are read in two places. On GitHub they link to each other and to files of the repository by relative
paths; here those links lead to pages of the site. A file outside `docs/` that a page links to becomes a page: Markdown
as it is, anything else as the code that it is. So a link holds in both places, and the site needs no other host.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
DOCS = "docs"
HOME = {"README.md": "docs/index.md"}
"""The landing page of the repository has a page of its own here."""
OUTSIDE = "repository"
"""Where the site has what lies outside `docs/`."""
TABS = "<!-- tabs -->"
"""Before code blocks that follow one another: the same in several languages."""
LABELS = {"sh": "Shell", "python": "Python", "js": "Node", "go": "Go", "ruby": "Ruby", "php": "PHP"}
LANGUAGES = {".py": "python", ".conf": "nginx", ".yaml": "yaml", ".toml": "toml", ".mjs": "js", ".sql": "sql"}
MAX_DESCRIPTION = 160

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(rf"{_FENCE.pattern}|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_CELL = re.compile(r"<td.*?</td>", re.DOTALL)
_NAME = re.compile(r"<code>([^<]+)</code>")
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_/:.=,])(?=\w)")
_RUN = re.compile(rf"^{TABS}\n+((?:^```\w+\n(?:.*?)^```\n*)+)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside `docs/` and is linked to, and what that links to in turn."""
    waiting = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        for target in linked_from(path):
            if target in seen or target.startswith(f"{DOCS}/") or target in HOME:
                continue
            seen.add(target)
            files.append(page_of(target, config))
            waiting.append(target)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Let links lead to pages of the site, make tabs, and say in a sentence what the page is about."""
    page.meta.setdefault("description", description(markdown))
    source = source_of(page.file.src_uri)
    return tabs(with_site_links(markdown, source, page.file.src_uri))


def on_post_page(output: str, **_: Any) -> str:
    """Let long names in tables break where their words end. It comes last, so that the search finds them whole."""

    def broken(cell: re.Match[str]) -> str:
        return _NAME.sub(lambda name: f"<code>{_SEAM.sub('<wbr>', name[1])}</code>", cell[0])

    return _CELL.sub(broken, output)


def page_of(path: str, config: Any) -> File:
    """The page of a file or a folder of the repository; it is no part of the navigation."""
    made: File = File.generated(
        config, site_path(path), content=content_of(ROOT / path, path), inclusion=InclusionLevel.NOT_IN_NAV
    )
    return made


def content_of(file: Path, path: str) -> str:
    if file.suffix == ".md":
        return file.read_text()
    if file.is_dir():
        lines = "\n".join(f"- `{entry.name}`" for entry in sorted(file.iterdir()) if not entry.name.startswith("_"))
        return f"# {path}\n\nA folder of the repository:\n\n{lines}\n"
    language = LANGUAGES.get(file.suffix, "text")
    return f"# {path}\n\nA file of the repository:\n\n~~~{language}\n{file.read_text()}\n~~~\n"


def linked_from(path: str) -> list[str]:
    """The files of the repository that a Markdown file of it links to."""
    file = ROOT / path
    if file.suffix != ".md":
        return []
    prose = _CODE.sub("", file.read_text())
    return [target for _, link, _ in _LINK.findall(prose) if (target := resolved(link, path))]


def resolved(link: str, source: str) -> str:
    """The path in the repository that a link in `source` means; "" for other hosts, anchors, and what is not there."""
    target = link.partition("#")[0]
    if not target or ":" in target or target.startswith("/"):
        return ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if (ROOT / path / "README.md").is_file():
        path = f"{path}/README.md"
    return path if (ROOT / path).exists() else ""


def site_path(path: str) -> str:
    """The page's place below the site's documents."""
    path = HOME.get(path, path)
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    return f"{OUTSIDE}/{path}" if path.endswith(".md") else f"{OUTSIDE}/{path}.md"


def source_of(src_uri: str) -> str:
    """The path in the repository of a page."""
    return src_uri.removeprefix(f"{OUTSIDE}/") if src_uri.startswith(f"{OUTSIDE}/") else f"{DOCS}/{src_uri}"


def with_site_links(markdown: str, source: str, src_uri: str) -> str:
    def rewritten(found: re.Match[str]) -> str:
        path = resolved(found[2], source)
        if not path:
            return found[0]
        _, mark, anchor = found[2].partition("#")
        place = posixpath.relpath(site_path(path), posixpath.dirname(src_uri) or ".")
        return f"{found[1]}{place}{mark}{anchor}{found[3]}"

    # What is code stays as it is: only what lies between is looked at.
    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_LINK.sub(rewritten, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _LINK.sub(rewritten, markdown[end:])])


def tabs(markdown: str) -> str:
    """The blocks after each mark as tabs, one for each language."""

    def grouped(found: re.Match[str]) -> str:
        made = []
        for block in _FENCE.finditer(found[1]):
            indented = "\n".join(f"    {line}" if line else "" for line in block[0].split("\n"))
            made.append(f'=== "{LABELS.get(block[1], block[1])}"\n\n{indented}\n')
        return "\n".join(made) + "\n"

    return _RUN.sub(grouped, markdown)


def description(markdown: str) -> str:
    """The page's first sentences, for search engines and for whoever shares a link."""
    prose = _FENCE.sub("", re.sub(r"<[^>]+>", "", markdown))
    paragraphs = [part for part in re.split(r"\n\s*\n", prose) if re.match(r"[A-Z`*\[]", part.strip())]
    words = " ".join(plain(paragraphs[0]).split()) if paragraphs else ""
    if len(words) <= MAX_DESCRIPTION:
        return words
    ended = re.match(rf".{{40,{MAX_DESCRIPTION - 1}}}?[.](?= )", words)
    return ended[0] if ended else words[: MAX_DESCRIPTION - 1].rsplit(" ", 1)[0] + "…"


def plain(markdown: str) -> str:
    return re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown))
