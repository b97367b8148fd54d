"""What a token may see and do within the scope of the access key behind it.

A bearer token has no scope: it reaches all that its accounts have. Where there is a scope, `Scope.allows` decides:

| what | needs |
| --- | --- |
| see lakes, ponds, buckets and their totals | `list`; of what lies in the scope in part, that part's totals |
| read events: the feed, live streams, and what `explain` answers | `read`, and no prefixes |
| create, rename, delete a lake, a pond or a bucket | `admin` over all of it, and no prefixes |
| see and change webhooks, their deliveries and jobs | `admin` over all of the webhook's place, and no prefixes |
| a webhook that sends links to objects | `read` there as well |
| accounts, access keys, tokens, activity, the system, metrics | `admin`, no places and no prefixes |
| make an access key | no permission for it that the maker lacks |
| make a token | every permission, as a token has them all |

What lies outside the scope's places does not exist for the token, as if it were another account's. What lies within and
is not permitted is refused, and the refusal says why. A key of some prefixes thus sees which buckets there are, and
nothing of webhooks, deliveries and events: these are of whole buckets.
"""

from __future__ import annotations

from elasticlake.errors import AccessDenied
from elasticlake.model.accounts import PERMISSIONS, Permission, Token
from elasticlake.model.names import BucketName, parse_bucket_name, split_pond
from elasticlake.model.webhooks import WebhookScope


def reaches_bucket(token: Token, account_id: str, name: BucketName) -> bool:
    """Whether the account's bucket exists for the token."""
    return token.covers(account_id) and (token.scope is None or token.scope.covers(name))


def reaches_lake(token: Token, lake: str) -> bool:
    """Whether something of the lake lies in the token's scope, whoever owns it."""
    return token.scope is None or token.scope.touches_lake(lake)


def reaches_pond(token: Token, lake: str, pond: str) -> bool:
    """Whether something of the pond lies in the token's scope."""
    return token.scope is None or token.scope.touches_pond(lake, pond)


def covers_place(token: Token, place: WebhookScope) -> bool:
    """Whether all of the bucket, pond or lake lies in the token's scope."""
    if token.scope is None:
        return True
    if place.kind == "bucket":
        return token.scope.covers(parse_bucket_name(place.name))
    if place.kind == "pond":
        return token.scope.covers_pond(*split_pond("pond", place.name))
    return token.scope.covers_lake(place.name)


def require(token: Token, permission: Permission) -> None:
    """Raise `AccessDenied` where the token has the permission over no whole bucket, wherever it is."""
    scope = token.scope
    if scope is None or scope.allows(permission, None):
        return
    if permission not in scope.permissions:
        raise AccessDenied(f"This access key lacks the permission {permission}.")
    raise AccessDenied("This access key is limited to prefixes: what is about whole buckets is not for it.")


def require_place(token: Token, permission: Permission, place: WebhookScope) -> None:
    """Raise `AccessDenied` where the token lacks the permission over all of the place."""
    require(token, permission)
    if not covers_place(token, place):
        raise AccessDenied(f"This access key is limited to a part of {place.kind} {place.name}.")


def require_whole(token: Token) -> None:
    """Raise `AccessDenied` unless the token may do anything about its accounts themselves."""
    require(token, "admin")
    if token.scope is not None and not token.scope.is_whole:
        raise AccessDenied("This access key is limited to some places.")


def require_permissions(token: Token, given: tuple[Permission, ...] = PERMISSIONS) -> None:
    """Raise `AccessDenied` where the token would give away a permission that it lacks."""
    lacking = [permission for permission in given if token.scope and permission not in token.scope.permissions]
    if lacking:
        raise AccessDenied(f"This access key lacks the permission {lacking[0]}, so it cannot give it away.")
