"""Who looks at a page, and what the services know them as."""

from __future__ import annotations

import hmac

from elasticlake.dashboard.services import Services
from elasticlake.dashboard.sessions import PASSWORD, Session
from elasticlake.errors import NoSuchAccessKey
from elasticlake.model.accounts import ROOT_ACCOUNT, AccessKey, Caller, Scope, Token
from elasticlake.record import record


@record
class Viewer:
    """A signed-in browser. `key` signs what it does on S3 itself: uploads, downloads, links."""

    session: Session
    token: Token
    key: AccessKey
    csrf_token: str

    @property
    def caller(self) -> Caller:
        """As S3's services know it."""
        return Caller(self.key.account_id, self.key.id, self.key.scope)

    @property
    def name(self) -> str:
        return "root" if self.session.subject == PASSWORD else self.session.subject

    @property
    def sees_everything(self) -> bool:
        """Whether accounts, tokens and the system are theirs to see."""
        return self.token.accounts is None and self.key.scope == Scope()


async def recognize(services: Services, session: Session) -> Viewer | None:
    """The session's viewer; None if the password or the key that it was opened with is another now."""
    sessions = services.sessions
    if session.subject == PASSWORD:
        if not sessions.holds(session, services.password):
            return None
        key = await services.accounts.find_key(services.root_key_id)
        return Viewer(session, _token("dashboard", None), key, sessions.csrf_token(session))
    try:
        key = await services.accounts.find_key(session.subject)
    except NoSuchAccessKey:
        return None
    if not sessions.holds(session, key.secret):
        return None
    return Viewer(session, token_of(key), key, sessions.csrf_token(session))


async def admit(services: Services, user: str, password: str) -> Session | None:
    """A session for who knows the dashboard's password (`user` is empty), or an access key's id and secret."""
    if not user:
        known = hmac.compare_digest(password.encode(), services.password.encode())
        return services.sessions.open(PASSWORD, password) if known else None
    try:
        key = await services.accounts.find_key(user)
    except NoSuchAccessKey:
        return None
    known = hmac.compare_digest(password.encode(), key.secret.encode())
    return services.sessions.open(user, password) if known else None


def token_of(key: AccessKey) -> Token:
    """What the management services take an access key for: its account's, or everybody's if it is root's."""
    return _token(key.id, None if key.account_id == ROOT_ACCOUNT else (key.account_id,))


def _token(identity: str, accounts: tuple[str, ...] | None) -> Token:
    return Token(identity, identity, accounts, "write", 0)
