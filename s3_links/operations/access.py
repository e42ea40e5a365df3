"""Which access a plan makes appear and disappear, with both halves of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .policies import NOWHERE, Resources, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, order=True)
class Access:
    """What a principal may do to a bucket, a role or a key, and the documents that say so.

    ``works`` is false while a document is missing that AWS asks for as well: across accounts one
    half alone grants nothing.
    """

    principal: str
    target: str
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    halves: tuple[str, ...]
    works: bool
    effect: str = "Allow"


@dataclass(frozen=True)
class Difference:
    """The access that a plan makes appear and disappear."""

    appears: list[Access]
    disappears: list[Access]


def difference(
    plan: Mapping[str, Any], source: Mapping[str, Any], aliases: Mapping[str, str]
) -> Difference:
    """Return the difference that a plan makes, given as ``terraform show -json`` prints it.

    ``source`` is the synthesized JSON of the stack, ``aliases`` the provider alias of each
    address, of those too that are only in the state.
    """
    prior = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
    planned = plan["planned_values"].get("root_module", {})
    before_resources = list(prior.get("resources", []))
    looked_up = [r for r in before_resources if r["mode"] == "data"]
    unmanaged = Resources(before_resources, aliases).unmanaged_policies()
    after_resources = [*looked_up, *planned.get("resources", [])]
    before = _all(Resources(before_resources, aliases, source, unmanaged))
    after = _all(Resources(after_resources, aliases, source, unmanaged))
    return Difference(_grouped(after - before), _grouped(before - after))


def _all(resources: Resources) -> set[Access]:
    """Join the halves of each access, one action each."""
    owners = resources.owners()
    joined: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in resources.rows():
        joined[row.effect, row.principal, row.action, row.target].append(row)
    return {
        Access(
            principal=principal,
            target=target,
            actions=(action,),
            paths=tuple(sorted({row.path for row in rows if row.path})),
            conditions=tuple(sorted({c for row in rows for c in row.conditions})),
            halves=tuple(sorted({row.half for row in rows})),
            works=_works(principal, target, {row.half for row in rows}, owners),
            effect=effect,
        )
        for (effect, principal, action, target), rows in joined.items()
    }


def _works(principal: str, target: str, halves: set[str], owners: Mapping[str, str]) -> bool:
    if not principal.startswith("role "):
        return True  # a service or an account: the resource's policy alone decides
    if target.startswith(NOWHERE):
        return True  # no resource is named, so that nobody can say whose it is
    if len(halves) > 1:
        return True
    owner = owners.get(target) or _alias(target)
    return owner == _alias(principal)


def _alias(label: str) -> str:
    return label.rpartition("(")[2].rstrip(")") if label.startswith("role ") else "?"


def _grouped(found: Iterable[Access]) -> list[Access]:
    """Put together what differs only in the action."""
    actions: dict[Access, tuple[str, ...]] = defaultdict(tuple)
    for one in found:
        actions[replace(one, actions=())] += one.actions
    return sorted(replace(key, actions=tuple(sorted(names))) for key, names in actions.items())
