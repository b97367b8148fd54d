"""Who looks at a page, and what the services know them as."""

from __future__ import annotations

import hmac

from elasticlake.dashboard.services import Services
from elasticlake.dashboard.sessions import PASSWORD, Session
from elasticlake.errors import NoSuchAccessKey
from elasticlake.model.accounts import ROOT_ACCOUNT, AccessKey, Caller, Permission, Scope, Token
from elasticlake.model.webhooks import ScopeKind, WebhookScope
from elasticlake.record import record
from elasticlake.service.permissions import covers_place

_PASSWORD_TOKEN = Token("dashboard", "dashboard", None, "write", 0, "dashboard")
"""Whoever knows the password may do what the root token may."""


@record
class Viewer:
    """A signed-in browser. `key` signs what it does on S3 itself: uploads, downloads, links."""

    session: Session
    token: Token
    key: AccessKey
    csrf_token: str

    @property
    def caller(self) -> Caller:
        """As S3's services know it. Who signed in with the password acts as the dashboard, by root's key."""
        return Caller(self.key.account_id, self.key.id, self.key.scope, self.token.actor)

    @property
    def name(self) -> str:
        return "root" if self.session.subject == PASSWORD else self.session.subject

    @property
    def manages_accounts(self) -> bool:
        """Whether accounts, access keys and activity are theirs to see, at least those of their own account."""
        return self.may("admin") and self.key.scope.is_whole

    @property
    def sees_everything(self) -> bool:
        """Whether every account, the tokens and the system are theirs to see."""
        return self.manages_accounts and self.token.accounts is None

    def may(self, permission: Permission, place: WebhookScope | None = None) -> bool:
        """Whether they have the permission over all of the bucket, pond or lake; None: over any whole bucket at all."""
        return self.key.scope.allows(permission, None) and (place is None or covers_place(self.token, place))

    def may_in(self, permission: Permission, kind: ScopeKind, name: str) -> bool:
        """As `may`, for the bucket, pond (as `lake--pond`) or lake of that name."""
        return self.may(permission, WebhookScope(kind, 0, name))


async def recognize(services: Services, session: Session) -> Viewer | None:
    """The session's viewer; None if the password or the key that it was opened with is another now."""
    sessions = services.sessions
    if session.subject == PASSWORD:
        if not sessions.holds(session, services.password):
            return None
        key = await services.accounts.find_key(services.root_key_id)
        return Viewer(session, _PASSWORD_TOKEN, key, sessions.csrf_token(session))
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
    """What the management services take an access key for: its account's, or everybody's if it is root's; and only
    within its scope."""
    accounts = None if key.account_id == ROOT_ACCOUNT else (key.account_id,)
    scope = None if key.scope == Scope() else key.scope
    return Token(key.id, key.id, accounts, "write", 0, "accessKey", scope)
