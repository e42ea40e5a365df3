"""Whom the documents of two worlds can tell apart: who has to be asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable
from s3_links.world import ANONYMOUS, Principal, anyone_else, principal

from .changed import statements
from .principals import FEDERATED_USER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3_cross_account.policy import Condition
    from s3_links.world import World

_ACCOUNT = 4  # of an ARN's parts
_DIGITS = 12  # of an account's id
STRANGER = "000000000000"
"""Stands for every account that no document names."""


def callers(*worlds: World) -> list[Principal]:
    """Return whom the documents of ``worlds`` tell apart: they name them, or hold for others."""
    identities = {who for world in worlds for who in world.identities}
    found = dict.fromkeys(sorted(identities, key=str))
    accounts = {who.account for who in found}
    services, partitions = set(), {who.partition for who in found}
    for world in worlds:
        accounts |= {resource.account for resource in world.resources.values()}
    for statement in (s for world in worlds for s in statements(world)):
        if isinstance(statement, Unreadable):
            continue
        accounts |= {account for c in statement.conditions for account in _accounts(c)}
        for group in (*statement.principals, *statement.not_principals):
            for identifier in group.identifiers:
                if group.type == "Service":
                    services.add(identifier)
                elif group.type == "Federated":
                    found[Principal(kind="federated", name=identifier)] = None
                elif who := _read_principal(identifier):
                    accounts.add(who.account)
                    partitions.add(who.partition)
                    if who.kind != "account":
                        found[_with_path(who, found)] = None
    for partition in sorted(partitions) or ["aws"]:
        for account in (*sorted(accounts), STRANGER):
            found[anyone_else(account, partition)] = None
    for name in (*sorted(services), ""):
        found[Principal(kind="service", name=name)] = None
    found[ANONYMOUS] = None
    return list(found)


def _accounts(condition: Condition) -> Iterator[str]:
    """Yield the accounts that ``condition`` tells apart from all others."""
    for value in condition.values:
        yield from re.findall(r"(?<!\d)\d{12}(?!\d)", value)
        key, parts = condition.variable.lower(), value.split(":")
        if key == "aws:principalarn" and len(parts) > _ACCOUNT:
            value = parts[_ACCOUNT]
        elif key != "aws:principalaccount":
            continue
        if re.fullmatch(r"\d*[*?][\d*?]*", value):
            for digit in "0123456789":
                filler = digit * (_DIGITS + 1 - len(value))
                yield value.replace("*", filler, 1).replace("*", "").replace("?", digit)


def _read_principal(identifier: str) -> Principal | None:
    if identifier.isdigit():
        return anyone_else(identifier) if len(identifier) == _DIGITS else None
    if federated := FEDERATED_USER.fullmatch(identifier):
        return anyone_else(federated["account"], federated["partition"])
    try:
        return principal(identifier)
    except ValueError:
        return None


def _with_path(who: Principal, known: Iterable[Principal]) -> Principal:
    """Return a session as one of the role that is known, whose path its ARN does not hold."""
    if who.session is None:
        return who
    for role in known:
        if (role.kind, role.account, role.name) == (who.kind, who.account, who.name):
            return Principal(
                kind="role",
                account=role.account,
                name=role.name,
                path=role.path,
                partition=role.partition,
                session=who.session,
            )
    return who
