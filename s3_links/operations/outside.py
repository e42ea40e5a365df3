"""Whether access that appears is for somebody outside of the declared accounts and organization."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable
from s3_links.reach.changed import statements
from s3_links.reach.evaluate import evaluate
from s3_links.reach.logic import contrary, every
from s3_links.reach.regions import TooMany
from s3_links.reach.satisfy import satisfiable

from .insiders import ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Collection

    from s3_links.reach.difference import Found
    from s3_links.world import Principal, World

    from .moments import Moments

_STRANGE = "o-0000000000"
"""Stands for every organization that no document names."""


def lets_outsiders_in(one: Found, moments: Moments) -> bool:
    """Return whether a request that is newly allowed is an outsider's.

    Somebody in another account is none where they have to be in the declared organization.
    """
    who = one.now.request.principal
    if not _outside(who, moments.insiders.accounts):
        return False
    worlds = moments.worlds
    named = {
        value
        for world in worlds
        for statement in statements(world)
        if not isinstance(statement, Unreadable)
        for condition in statement.conditions
        if condition.variable.lower() == ORGANIZATION
        for value in condition.values
    }
    strange = named - moments.insiders.organizations
    if named == strange:
        return True
    # An outsider's account may be in no organization, and a service is in none.
    belongs = [(), *((one,) for one in (_STRANGE, *sorted(strange)) if who.account)]
    return any(_appears(one, worlds, organization) for organization in belongs)


def is_outsider(identifier: str, moments: Moments) -> bool:
    """Return whether what a policy names is no declared account, nor somebody in one."""
    account = identifier if identifier.isdigit() else "".join(identifier.split(":")[4:5])
    return not account or account not in moments.insiders.accounts


def _appears(one: Found, worlds: tuple[World, World], organization: tuple[str, ...]) -> bool:
    context = {**one.now.request.context, ORGANIZATION: organization}
    request = replace(one.now.request, context=context)
    gone = one.was.allowed is False
    was, now = (evaluate(world, request).allowed for world in worlds)
    try:
        return satisfiable(every(now, contrary(False if gone else was)), request.principal)
    except TooMany:
        return True


def _outside(who: Principal, accounts: Collection[str]) -> bool:
    match who.kind:
        case "service":
            return not who.name
        case "federated":
            parts = who.name.split(":")
            return len(parts) < 5 or parts[4] not in accounts
        case "anonymous":
            return True
    return who.account not in accounts
