"""Who makes a request, and whether a policy's principal means them.

Follows "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal" in the
IAM User Guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Literal

from .logic import Formula, Unknown, contrary, every, some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_cross_account import policy

Kind = Literal["account", "user", "role", "service", "federated", "anonymous"]
_ACCOUNT = re.compile(r"\d{12}")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_PRINCIPAL_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):(?P<service>iam|sts)::(?P<account>[^:]*):"
    r"(?P<kind>root|user|role|assumed-role|federated-user)(?P<name>/.+)?"
)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who makes a request.

    ``account`` is empty for a service and for the anonymous; kind ``account`` is the account's root
    user. A role acts in sessions: ``session`` is the session's name, and ``None`` means any.
    ``name`` is a service's or an identity provider's too, ``unique_id`` is its ``AROA…`` id. A role
    or a service without a name is any that no policy names.
    """

    kind: Kind
    account: str = ""
    name: str = ""
    path: str = "/"
    session: str | None = None
    partition: str = "aws"
    unique_id: str | None = None

    @property
    def arn(self) -> str | None:
        """Its ARN as policies name it: a role's own, not its session's."""
        if not self.name and self.kind != "account":
            return None
        prefix = f"arn:{self.partition}:iam::{self.account}:"
        match self.kind:
            case "account":
                return f"{prefix}root"
            case "user" | "role":
                return f"{prefix}{self.kind}{self.path}{self.name}"
            case "federated":
                return self.name
        return None

    def session_arn(self) -> str | None:
        """Return the ARN of a role's session with a known name."""
        if self.kind != "role" or self.session is None:
            return None
        name = f"{self.name}/{self.session}"
        return f"arn:{self.partition}:sts::{self.account}:assumed-role/{name}"

    def __str__(self) -> str:
        if self.kind == "role" and not self.name:
            return f"anyone else in {self.account}"
        if self.kind == "service" and not self.name:
            return "any other service"
        return self.session_arn() or self.arn or self.name or self.kind

    def identity(self) -> Principal:
        """Return whom policies are attached to: the role, for each of its sessions."""
        return replace(self, session=None, unique_id=None)


ANONYMOUS = Principal(kind="anonymous")


def anyone_else(account: str, partition: str = "aws") -> Principal:
    """Return whoever in ``account`` no policy names: their own policies are not known."""
    return Principal(kind="role", account=account, partition=partition)


def principal(arn: str) -> Principal:
    """Return the principal with ``arn``: an account's root, a user, a role, or a role's session.

    A session's ARN does not hold its role's path, which is taken to be ``/``.
    """
    found = _PRINCIPAL_ARN.fullmatch(arn)
    if found is None or found["kind"] == "federated-user":
        raise ValueError(f"{arn!r} is no ARN of an account, a user, a role or a session")
    common = {"partition": found["partition"], "account": found["account"]}
    name = (found["name"] or "").lstrip("/")
    match found["kind"]:
        case "root":
            return Principal(kind="account", **common)
        case "assumed-role":
            role, _, session = name.partition("/")
            return Principal(kind="role", name=role, session=session, **common)
    path, slash, last = name.rpartition("/")
    kind: Kind = "user" if found["kind"] == "user" else "role"
    return Principal(kind=kind, path=f"/{path}{slash}", name=last, **common)


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
    found = _PRINCIPAL_ARN.fullmatch(identifier)
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
