"""What a plan changes and nobody can evaluate here: it counts as access that appears."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3_cross_account.reading import Unreadable
from s3_links.reach.changed import statements
from s3_links.synthesized.blocks import UnresolvedError, nested, type_of
from s3_links.synthesized.world import attachments, not_modelled
from s3_links.synthesized.written import made_twice, on_the_unknown, told_twice

from .outside import is_outsider
from .run import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from .moments import Moments

_TAG = re.compile(r":(?:Principal|Resource|Bucket|ExistingObject)Tag/([^}]+)", re.IGNORECASE)
_OF_ALIASES = ("kms:resourcealiases", "kms:requestalias")


def undecided(plan: Mapping[str, Any], moments: Moments) -> Iterator[str]:
    """Yield why nobody can say whether some planned changes let somebody in."""
    changes = plan.get("resource_changes", [])
    moving = {e["address"] for e in changes if e["change"]["actions"] not in (["no-op"], ["read"])}
    for entry in changes:
        yield from not_modelled(entry)
    yield from run(plan)
    for address, _ in moments.after.managed():
        for argument in on_the_unknown(moments.after, address) if address in moving else ():
            yield f"{address}: its {argument} is not known until it is applied"
    for addresses in made_twice(moments.after):
        if not moving.isdisjoint(addresses):
            yield told_twice(addresses)
    yield from _attached_elsewhere(changes, moments)
    yield from _told_outside(moving, moments)
    yield from _asked_for_what_changes(changes, moving, moments)


def _attached_elsewhere(changes: Iterable[Mapping[str, Any]], moments: Moments) -> Iterator[str]:
    """Yield the policies that change and that only somebody else has."""
    blocks = moments.after
    here = {policy for _, policy in attachments(blocks)}
    for role in blocks.of("aws_iam_role"):
        here.add(blocks.attribute(role, "permissions_boundary"))
        here |= {*(blocks.known(role, "managed_policy_arns") or ())}
    for entry in changes:
        change, address = entry["change"], entry["address"]
        if type_of(address) == "aws_iam_policy" and change["actions"] == ["update"]:
            was, now = ((change.get(when) or {}).get("policy") for when in ("before", "after"))
            if was != now and blocks.attribute(address, "arn") not in here:
                yield f"{address}: changes, and whom it is attached to is not known here"


def _told_outside(moving: AbstractSet[str], moments: Moments) -> Iterator[str]:
    """Yield the notifications that tell somebody outside of the names of objects."""
    blocks = moments.after
    for address in sorted(moving & {*blocks.of("aws_s3_bucket_notification")}):
        for kind in ("queue", "topic", "lambda_function"):
            for entry in nested(blocks.known(address, kind)):
                try:
                    arn = blocks.text(str(entry.get(f"{kind}_arn")))
                except UnresolvedError:
                    yield f"{address}: whom it tells of objects is not known until it is applied"
                    continue
                # An account that nobody knows yet has its alias in the id's place.
                if re.match(r"(?:[^:]*:){4}\d{12}:", arn) and is_outsider(arn, moments):
                    yield f"{address}: tells {arn} of objects, which is in no declared account"


def _asked_for_what_changes(
    changes: Iterable[Mapping[str, Any]], moving: AbstractSet[str], moments: Moments
) -> Iterator[str]:
    """Yield the tags and aliases that change and that policies ask for."""
    tagged = {entry["address"]: tags for entry in changes if (tags := _changed_tags(entry))}
    aliases = [address for address in moving if type_of(address) == "aws_kms_alias"]
    if not tagged and not aliases:
        return
    texts = list(_texts(moments))
    asked = {tag.lower() for text in texts for tag in _TAG.findall(text)}
    for address, tags in tagged.items():
        if found := sorted(tag for tag in tags if tag.lower() in asked):
            yield f"{address}: policies ask for its tag {', '.join(found)}, which changes"
    if any(text.lower() in _OF_ALIASES for text in texts):
        for address in sorted(aliases):
            yield f"{address}: policies ask for the aliases of keys, of which one changes"


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


def _texts(moments: Moments) -> Iterator[str]:
    """Yield all that statements say of resources and conditions."""
    for statement in (s for world in moments.worlds for s in statements(world)):
        if not isinstance(statement, Unreadable):
            yield from (*statement.resources, *statement.not_resources)
            for condition in statement.conditions:
                yield from (condition.variable, *condition.values)
