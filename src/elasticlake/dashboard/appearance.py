"""What every page looks like: style sheets and scripts, and the theme that a user chose."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard import static_files
from elasticlake.dashboard.errors import NoSuchPage
from elasticlake.dashboard.visit import PREFIX, THEME_COOKIE, THEMES, Visit, ours_or

_YEAR_SECONDS = 365 * 86_400


async def to_start(visit: Visit) -> Response:
    return visit.redirect(f"{PREFIX}/")


async def static_file(visit: Visit) -> Response:
    found = static_files.serve(visit.path("edition"), visit.path("name"))
    if found is None:
        raise NoSuchPage
    return found


async def choose_theme(visit: Visit) -> Response:
    """Remember light, dark, or the system's own, and show the page again."""
    form = await visit.form()
    theme = form.text("theme")
    response = visit.redirect(ours_or(form.text("back"), f"{PREFIX}/"))
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, _YEAR_SECONDS, path=PREFIX, httponly=True, samesite="lax")
    return response
