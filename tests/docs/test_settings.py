"""The README's configuration table has every setting, and nothing else."""

from __future__ import annotations

from typing import get_args

from pydantic import ByteSize
from tests.docs.documents import Document, codes, rows

from elasticlake.cli.main import RootGroup
from elasticlake.config.settings import Settings

SECTION = Document("README.md").section("Configuration")
TABLE = rows(SECTION, "flag", "variable", "default", "meaning")
GENERATED = ("root_access_key", "root_secret_key", "api_token", "dashboard_password")
WITHOUT_FLAG = ("master_key", *GENERATED)


def shown_default(name: str) -> str:
    """A setting's default as the README writes it."""
    default = Settings.model_fields[name].default
    if name in GENERATED:
        assert default is None
        return "generated"
    match default:
        case None | ():
            return "–"
        case bool():
            return "`on`" if default else "`off`"
        case ByteSize():
            return f"`{default.human_readable(separator='').replace('.0', '')}`"
        case _:
            return f"`{default}`"


def test_every_setting_is_there_with_its_flag_variable_and_default_and_nothing_else() -> None:
    shown = {codes(variable)[0]: (codes(flag), default) for flag, variable, default, _ in TABLE}
    assert len(shown) == len(TABLE)
    assert shown == {
        f"ELASTICLAKE_{name.upper()}": (
            [] if name in WITHOUT_FLAG else [f"--{name.replace('_', '-')}"],
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
    assert negations == {f"--no-{codes(flag)[0][2:]}" for flag, _, default, _ in TABLE if default in ("`on`", "`off`")}
    assert "--no-history" in negations


def test_every_choice_is_named() -> None:
    meanings = {codes(variable)[0]: codes(meaning) for _, variable, _, meaning in TABLE}
    for name in ("role", "log_level", "log_format"):
        assert set(meanings[f"ELASTICLAKE_{name.upper()}"]) == set(get_args(Settings.model_fields[name].annotation))
