"""Whether a policy's principal means whoever makes a request.

Follows "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal" in the
IAM User Guide.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from s3_links.world import PRINCIPAL_ARN

from .logic import Formula, Unknown, contrary, every, some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_cross_account import policy
    from s3_links.world import Principal

_ACCOUNT = re.compile(r"\d{12}")
FEDERATED_USER = re.compile(
    r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d{12}):federated-user/[^*?]+"
)
"""A session of GetFederationToken, which stands for the user who asked for it."""
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


class Named(Enum):
    """By what a policy names somebody: what else is needed depends on it."""

    ACCOUNT = "account"
    ROLE = "role"
    DIRECTLY = "directly"


def named(principals: Iterable[policy.Principal], who: Principal) -> list[tuple[Named, Formula]]:
    """Return by what ``principals`` mean ``who``, each with what has to hold for it."""
    found: list[tuple[Named, Formula]] = []
    for group in principals:
        for identifier in group.identifiers:
            how, formula = _named(group.type, identifier, who)
            if formula is not False:
                found.append((how, formula))
    return found


def _named(type_: str, identifier: str, who: Principal) -> tuple[Named, Formula]:
    if type_ in ("*", "AWS") and identifier == "*":
        if who.kind == "federated":
            return Named.DIRECTLY, Unknown(
                "everybody includes those an identity provider vouches for"
            )
        return Named.DIRECTLY, True
    if type_ == "Service":
        return Named.DIRECTLY, who.kind == "service" and identifier in (who.name, "*")
    if type_ == "Federated":
        return Named.DIRECTLY, who.kind == "federated" and identifier in (who.name, "*")
    if type_ == "CanonicalUser":
        unknown = Unknown(f"the canonical user {identifier} is {who.account or 'the caller'}")
        return Named.ACCOUNT, unknown if who.account else False
    return _named_by_arn(identifier, who)


def _named_by_arn(identifier: str, who: Principal) -> tuple[Named, Formula]:
    if _ACCOUNT.fullmatch(identifier):
        return Named.ACCOUNT, who.account == identifier
    if _UNIQUE_ID.fullmatch(identifier):
        how = Named.ROLE if who.kind == "role" else Named.DIRECTLY
        if who.kind not in ("user", "role"):
            return how, False
        if who.unique_id is None:
            return how, Unknown(f"{identifier} is the unique id of {who}")
        return how, identifier == who.unique_id
    if federated := FEDERATED_USER.fullmatch(identifier):
        theirs = (federated["partition"], federated["account"]) == (who.partition, who.account)
        anyone = theirs and who.kind == "role" and not who.name
        return Named.DIRECTLY, Unknown(f"{who} is {identifier}") if anyone else False
    found = PRINCIPAL_ARN.fullmatch(identifier)
    if found is None or "*" in identifier or "?" in identifier:
        return Named.DIRECTLY, Unknown(f"the principal {identifier} means {who}")
    if (found["partition"], found["account"]) != (who.partition, who.account):
        return Named.DIRECTLY, False
    match found["kind"]:
        case "root":
            return Named.ACCOUNT, True
        case "role":
            return Named.ROLE, who.kind == "role" and identifier == who.arn
        case "user":
            return Named.DIRECTLY, who.kind == "user" and identifier == who.arn
        case "assumed-role":
            role, _, session = (found["name"] or "").lstrip("/").partition("/")
            if who.kind != "role" or who.name != role:
                return Named.DIRECTLY, False
            if who.session is None:
                return Named.DIRECTLY, Unknown(f"the session's name is {session}")
            return Named.DIRECTLY, who.session == session
    return Named.DIRECTLY, False


def excepted(principals: Iterable[policy.Principal], who: Principal, *, bounded: bool) -> Formula:
    """Return whether a Deny's NotPrincipal leaves ``who`` out.

    It denies whoever has a permissions boundary, whatever it names; a user or a role is left out
    only where its account is named with it.
    """
    if bounded:
        return False
    by: dict[Named, Formula] = {}
    for how, formula in named(principals, who):
        by[how] = some(by.get(how, False), formula)
    if who.kind not in ("user", "role"):
        return some(*by.values())
    own = some(by.get(Named.DIRECTLY, False), by.get(Named.ROLE, False))
    enough = every(own, by.get(Named.ACCOUNT, False))
    if who.kind == "role":
        enough = every(by.get(Named.ROLE, False), enough)
    everybody = any("*" in group.identifiers for group in principals if group.type in ("*", "AWS"))
    maybe = Unknown(f"NotPrincipal leaves out {who}, of whom it does not name every part")
    return some(everybody, enough, every(own, contrary(enough), maybe))
