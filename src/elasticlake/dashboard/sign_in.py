"""Signing in with the dashboard's password, or with an access key; and out."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.sessions import COOKIE
from elasticlake.dashboard.viewer import admit
from elasticlake.dashboard.visit import PREFIX, Visit, ours_or

START = f"{PREFIX}/"


async def show(visit: Visit) -> Response:
    target = ours_or(visit.query("next"), START)
    return visit.redirect(target) if visit.is_signed_in else _page(visit, target)


async def sign_in(visit: Visit) -> Response:
    form = await visit.form()
    target = ours_or(form.text("next"), START)
    limit, client = visit.services.sign_ins, visit.request.client
    address = client.host if client is not None else ""
    if wait_seconds := limit.wait_seconds(address):
        response = _page(visit, target, 429, f"Too many wrong passwords. Try again in {wait_seconds} s.")
        response.headers["Retry-After"] = str(wait_seconds)
        return response
    session = await admit(visit.services, form.text("user"), form.raw("password"))
    if session is None:
        limit.failed(address)
        wrong = "This access key and secret do not belong together." if form.text("user") else "This is not it."
        return _page(visit, target, 403, wrong, form.text("user"))
    return visit.keep(visit.redirect(target), session)


async def sign_out(visit: Visit) -> Response:
    response = visit.redirect(f"{PREFIX}/sign-in")
    response.delete_cookie(COOKIE, path=PREFIX)
    return response


def _page(visit: Visit, target: str, status: int = 200, wrong: str = "", user: str = "") -> Response:
    return visit.page("sign_in.html", status, title="Sign in", target=target, wrong=wrong, user=user)
