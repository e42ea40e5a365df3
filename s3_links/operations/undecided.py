"""What a plan changes and nobody can evaluate here: it counts as access that appears."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3_cross_account.reading import Unreadable
from s3_links.reach.changed import statements
from s3_links.synthesized.world import not_modelled
from s3_links.synthesized.written import made_twice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .moments import Moments

_TAG = re.compile(r":(?:Principal|Resource|Bucket|ExistingObject)Tag/([^}]+)", re.IGNORECASE)


def undecided(plan: Mapping[str, Any], moments: Moments) -> Iterator[str]:
    """Yield why nobody can say whether some planned changes let somebody in."""
    changes = plan.get("resource_changes", [])
    for entry in changes:
        yield from not_modelled(entry)
    yield from _run(plan)
    moving = {e["address"] for e in changes if e["change"]["actions"] not in (["no-op"], ["read"])}
    for addresses in made_twice(moments.after):
        if not moving.isdisjoint(addresses):
            yield f"{' and '.join(addresses)}: write the same, and one alone will count"
    tagged = {entry["address"]: tags for entry in changes if (tags := _changed_tags(entry))}
    if tagged:
        asked = _asked_for(moments)
        for address, tags in tagged.items():
            if found := sorted(tag for tag in tags if tag.lower() in asked):
                yield f"{address}: policies ask for its tag {', '.join(found)}, which changes"


def _run(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an apply runs besides: with the rights to change everything."""
    running = {
        entry["address"]
        for entry in plan.get("resource_changes", [])
        if entry["change"]["actions"] not in (["no-op"], ["forget"])
    }
    configured = plan.get("configuration", {}).get("root_module", {}).get("resources", [])
    for resource in configured:
        address = resource["address"]
        of = {address, *(one for one in running if one.startswith(f"{address}["))}
        if resource.get("provisioners") and running & of:
            yield f"{address}: what its provisioner does is not evaluated"
        if resource["mode"] == "data" and not resource["type"].startswith("aws_") and running & of:
            yield f"{address}: what it runs is not evaluated"
    for action in plan.get("action_invocations") or ():
        yield f"{action.get('address', 'an action')}: what it does is not evaluated"


def _changed_tags(entry: Mapping[str, Any]) -> set[str]:
    """Return the tags that change on what is there before and after."""
    change = entry["change"]
    if change["actions"] != ["update"]:
        return set()
    before, after = (
        {**(values.get("tags") or {}), **(values.get("tags_all") or {})}
        for values in (change.get("before") or {}, change.get("after") or {})
    )
    return {tag for tag in {*before, *after} if before.get(tag) != after.get(tag)}


def _asked_for(moments: Moments) -> set[str]:
    """Return the tags, in lower case, that a condition or a pattern speaks of."""
    return {
        tag.lower()
        for world in moments.worlds
        for statement in statements(world)
        if not isinstance(statement, Unreadable)
        for text in (
            *statement.resources,
            *statement.not_resources,
            *(t for c in statement.conditions for t in (c.variable, *c.values)),
        )
        for tag in _TAG.findall(text)
    }
