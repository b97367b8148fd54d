"""What an example says of itself is so: its three commands, its requirements, the files that it names."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from tests.docs.documents import ROOT, Document, codes, rows
from tests.examples.example import NAMES, commands

EXAMPLES = ROOT / "examples"
# What is imported → what brings it.
DISTRIBUTIONS = {"PIL": "pillow", "botocore": "boto3", "starlette": "fastapi"}
CLONE = "../..[server]"
HEADINGS = ["Three commands", "What to copy", "How it survives", "Against a server of yours"]

every_example = pytest.mark.parametrize("name", NAMES)


def sources(name: str) -> dict[str, str]:
    """Everything that is run, by its path."""
    paths = [EXAMPLES / "_start.py", *(EXAMPLES / name).glob("*.py")]
    return {path.stem: path.read_text() for path in paths}


def imported(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def needed(name: str) -> set[str]:
    """The distributions whose modules are imported, or run by `python -m`."""
    texts = sources(name)
    modules = {module for text in texts.values() for module in (*imported(text), *re.findall(r'"-m", "(\w+)"', text))}
    modules |= {"boto3"} if any(".s3()" in text for text in texts.values()) else set()
    return {DISTRIBUTIONS.get(module, module) for module in modules - texts.keys() - sys.stdlib_module_names}


@every_example
def test_requirements_are_what_is_imported(name: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (EXAMPLES / name / "requirements.txt").read_text().splitlines()]
    clone, *others = lines
    assert clone == CLONE
    required = [Requirement(line) for line in others]
    assert {requirement.name for requirement in required} == needed(name) - {"elasticlake"}
    for requirement in required:
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        assert Version(version(requirement.name)) >= Version(bound.version)


@every_example
def test_what_is_copied_needs_no_other_example(name: str) -> None:
    starters = {stem for stem, text in sources(name).items() if "_start" in imported(text)}
    assert starters in ({"run", "upload"}, {"run", "tour"})
    for stem, text in sources(name).items():
        assert stem in starters or not imported(text) & starters


@every_example
def test_there_are_three_commands(name: str) -> None:
    first, second, third = commands(name)
    assert first == f"cd examples/{name} && python3 -m venv env && env/bin/pip install -r requirements.txt"
    assert second == "env/bin/python run.py"
    assert third in ("env/bin/python upload.py", "env/bin/python tour.py")
    assert third in (EXAMPLES / name / "run.py").read_text()


@every_example
def test_a_readme_names_what_is_there(name: str) -> None:
    readme = Document(f"examples/{name}/README.md")
    assert [heading for heading in readme.headings if heading in HEADINGS] == HEADINGS
    named = set(re.findall(r"\w+\.(?:py|html)", readme.text))
    assert named == {path.name for path in readme.path.parent.glob("*.*") if path.suffix in (".py", ".html")}
    variables = {code for code in codes(readme.prose) if re.fullmatch(r"[A-Z]+_[A-Z_]+", code)}
    assert variables <= set(re.findall(r"[A-Z_]+", "".join(sources(name).values())))


def test_the_list_is_of_all() -> None:
    listed = rows(Document("examples/README.md").text, "example", "what it does", "built with", "what it shows")
    assert [row[0] for row in listed] == [f"[{name}]({name}/README.md)" for name in NAMES]
    assert sorted(NAMES) == sorted(path.name for path in EXAMPLES.iterdir() if Path(path, "run.py").exists())
