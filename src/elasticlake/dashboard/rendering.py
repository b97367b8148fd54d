"""From a template to a page. Everything is escaped but what a template itself says is markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from elasticlake.dashboard import charts, scopes, show, static_files
from elasticlake.dashboard.icons import icon

if TYPE_CHECKING:
    from elasticlake.dashboard.visit import Visit

_TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(1)
def environment() -> Environment:
    """The templates, compiled once."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(show.FILTERS, scope_words=scopes.words)
    made.globals.update(static=static_files.url, charts=charts, icon=icon)
    return made


def render(template: str, visit: Visit, context: Mapping[str, Any]) -> str:
    """The template's text. `visit` and `now_ms` are known in every one."""
    now_ms = visit.services.clock.now_ms()
    return environment().get_template(template).render(visit=visit, now_ms=now_ms, **context)
