"""Who is no outsider: the accounts and the organizations that stacks declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_cross_account.reading import Unreadable
from s3_links.reach.changed import statements
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks, foreign_accounts
from s3_links.synthesized.world import world_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_cross_account.policy import Statement

ORGANIZATION = "aws:principalorgid"
"""The condition key by which a policy asks for an organization, in lower case."""
_ASKING = {"Allow": ("StringEquals", "StringLike"), "Deny": ("StringNotEquals", "StringNotLike")}


@dataclass(frozen=True, kw_only=True)
class Insiders:
    """The ids of accounts and of organizations."""

    accounts: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()


def insiders(sources: Iterable[Mapping[str, Any]]) -> Insiders:
    """Return whom synthesized stacks declare.

    That is each account that a provider is pinned to or that is named as foreign, and each
    organization that a policy of theirs asks everybody to be in: naming it in order to leave it out
    declares nothing.
    """
    accounts: set[str] = set()
    organizations: set[str] = set()
    for source in sources:
        for provider in source.get("provider", {}).get("aws", []):
            accounts.update(provider.get("allowed_account_ids") or [])
        accounts.update(foreign_accounts(source).values())
        world = world_of(Blocks(declared_blocks(source), aliases_of(source), source))
        for statement in statements(world):
            if not isinstance(statement, Unreadable):
                organizations.update(_asked_for(statement))
    return Insiders(accounts=frozenset(accounts), organizations=frozenset(organizations))


def _asked_for(statement: Statement) -> Iterator[str]:
    asking = _ASKING[statement.effect or "Allow"]
    for condition in statement.conditions:
        if condition.variable.lower() == ORGANIZATION and condition.test.startswith(asking):
            yield from (value for value in condition.values if not {"*", "?"} & set(value))
