"""What is known of a request's keys from who asks for what.

Follows "AWS global condition context keys" in the IAM User Guide. A request that says a key itself
knows better.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable

from . import actions
from .matching import action_matches

if TYPE_CHECKING:
    from s3_cross_account.policy import Statement
    from s3_links.world import Identity, Principal, Request, Resource

    from .matching import Context

_Known = dict[str, tuple[str, ...]]
_TYPES = {"account": "Account", "user": "User", "role": "AssumedRole", "anonymous": "Anonymous"}

# Who is in no organization has none of these.
_OF_ORGANIZATIONS = ("aws:principalorgid", "aws:principalorgpaths")

# Only calls that a service makes directly have these.
_OF_SERVICES = {f"aws:source{what}" for what in ("account", "arn", "orgid", "orgpaths", "owner")}

# What is not known of any user or role, and of any service, that nothing names.
_OPEN = {"role": ("aws:principalarn", "aws:username"), "service": ("aws:principalservicename",)}


def known(
    request: Request,
    resource: Resource | None,
    identity: Identity | None,
    own: Resource | None = None,
) -> Context:
    """Return the keys of ``request`` that are known, in lower case; ``own`` is the role itself."""
    return ChainMap(
        {key.lower(): values for key, values in request.context.items()},
        _NeverCarried(request.action, request.principal),
        _of_resource(resource, request.action),
        _of_principal(request.principal),
        _of_tags(request.principal, identity, own),
    )


class _NeverCarried(_Known):
    """The keys that nobody's, or no such caller's, requests for an action carry: absent."""

    def __init__(self, action: str, who: Principal) -> None:
        super().__init__()
        self._action, self._who = action, who

    def __contains__(self, key: object) -> bool:
        if key in _OF_SERVICES and self._who.kind != "service":
            return True
        if self._who.kind == "anonymous" and str(key).startswith("aws:principaltag/"):
            return True
        return actions.never_carries(self._action, str(key))

    def __missing__(self, key: str) -> tuple[str, ...]:
        if key in self:
            return ()
        raise KeyError(key)


def _of_resource(resource: Resource | None, action: str) -> _Known:
    if resource is None:
        return {}
    known: _Known = {"aws:resourceaccount": (resource.account,)}
    if action.lower().startswith("s3:"):
        known["s3:resourceaccount"] = (resource.account,)
    return known


def _of_principal(who: Principal) -> _Known:
    is_service, account = who.kind == "service", (who.account,) if who.account else ()
    known: _Known = {
        "aws:principalarn": (who.arn,) if who.arn and who.kind != "federated" else (),
        "aws:principalaccount": account,
        "aws:principalisawsservice": ("true" if is_service else "false",),
        "aws:principalservicename": (who.name,) if is_service else (),
        "aws:username": (who.name,) if who.kind == "user" else (),
    }
    if not is_service:
        known["kms:calleraccount"] = account
    if who.kind in ("anonymous", "service"):
        known |= dict.fromkeys(_OF_ORGANIZATIONS, ())
    if not who.name and who.kind in _OPEN:
        return {key: values for key, values in known.items() if key not in _OPEN[who.kind]}
    if who.kind in _TYPES:
        known["aws:principaltype"] = (_TYPES[who.kind],)
    if who.kind == "anonymous":
        known |= dict.fromkeys(("aws:userid", "aws:principalaccount"), ("anonymous",))
        known["aws:principalisawsservice"] = ()
    return known


def _of_tags(who: Principal, identity: Identity | None, own: Resource | None) -> _Known:
    """Return the caller's tags, as far as no session can have others.

    "Session tags override a role tag with the same key": "Pass session tags in AWS STS" in the IAM
    User Guide.
    """
    if identity is None or not identity.tags or (who.kind == "role" and _may_be_tagged(own)):
        return {}
    return {f"aws:principaltag/{k.lower()}": (v,) for k, v in identity.tags.items()}


def _may_be_tagged(role: Resource | None) -> bool:
    """Whether a role's trust policy may let sessions have tags; one that is not read may."""
    if role is None or role.policy is None:
        return True
    return any(
        isinstance(statement, Unreadable) or _lets_tag(statement)
        for statement in role.policy.statements
    )


def _lets_tag(statement: Statement) -> bool:
    if statement.effect == "Deny":
        return False
    named = any(action_matches(pattern, "sts:TagSession") for pattern in statement.actions)
    return named or bool(statement.not_actions)
