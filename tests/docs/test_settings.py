"""The page on configuration has every setting, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import ByteSize
from tests.docs.documents import Document, blocks, codes, rows

from elasticlake.cli.main import RootGroup
from elasticlake.config.settings import Settings, load_settings

PAGE = Document("docs/configuration.md")
SECTION = PAGE.text
_HEADINGS = ("flag", "variable", "in the file", "default", "meaning")
TABLE = [
    row
    for heading in PAGE.headings[1:]
    if "| variable |" in PAGE.section(heading)
    for row in rows(PAGE.section(heading), *_HEADINGS)
]
GENERATED = ("root_access_key", "root_secret_key", "api_token", "dashboard_password")
WITHOUT_FLAG = ("master_key", *GENERATED)


def shown_default(name: str) -> str:
    """A setting's default as the page writes it."""
    default = Settings.model_fields[name].default
    if name in GENERATED:
        assert default is None
        return "made"
    match default:
        case None | ():
            return "–"
        case bool():
            return "on" if default else "off"
        case ByteSize():
            return f"`{default.human_readable(separator='').replace('.0', '')}`"
        case _:
            return f"`{default}`"


def test_every_setting_is_there_with_its_flag_variable_and_default_and_nothing_else() -> None:
    shown = {codes(variable)[0]: (codes(flag), codes(line), default) for flag, variable, line, default, _ in TABLE}
    assert len(shown) == len(TABLE)
    assert shown == {
        f"ELASTICLAKE_{name.upper()}": (
            [] if name in WITHOUT_FLAG else [f"--{name.replace('_', '-')}"],
            [name],
            shown_default(name),
        )
        for name in Settings.model_fields
    }


def test_every_flag_of_serve_is_there_and_nothing_else() -> None:
    parameters = RootGroup.entries["serve"].load("serve").params
    flags = {option for parameter in parameters for option in parameter.opts}
    assert flags - {"--config", "--json"} == {flag for row in TABLE for flag in codes(row[0])}
    assert "`--config FILE`" in SECTION


def test_every_switch_can_be_negated() -> None:
    parameters = RootGroup.entries["serve"].load("serve").params
    negations = {option for parameter in parameters for option in parameter.secondary_opts}
    assert negations == {f"--no-{codes(flag)[0][2:]}" for flag, _, _, default, _ in TABLE if default in ("on", "off")}
    assert "--no-history" in negations


def test_every_choice_is_named() -> None:
    meanings = {codes(variable)[0]: codes(meaning) for _, variable, _, _, meaning in TABLE}
    for name in ("role", "log_level", "log_format"):
        assert set(meanings[f"ELASTICLAKE_{name.upper()}"]) == set(get_args(Settings.model_fields[name].annotation))


def test_the_file_shown_is_taken(tmp_path: Path) -> None:
    (shown,) = (block.text for block in blocks(PAGE.text) if block.title == "lake.toml")
    path = tmp_path / "lake.toml"
    path.write_text(shown)
    assert load_settings({}, path).history_days == 7
