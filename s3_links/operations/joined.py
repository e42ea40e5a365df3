"""Several worlds as one, and what stacks write of the buckets that they share."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.world import world_of
from s3_links.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from s3_links.world import Document, Identity, Principal, Resource

    from .stack import Stack


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What other stacks declare of the buckets that one shares: their halves, and the accounts."""

    world: World = field(default_factory=World)
    accounts: Mapping[str, str] = field(default_factory=dict)

    def documents(self) -> set[Document]:
        """Return every document of the others."""
        policies = [p for identity in self.world.identities.values() for p in identity.policies]
        resources = [r.policy for r in self.world.resources.values() if r.policy]
        return {*policies, *resources}


def owners(stacks: Iterable[Stack]) -> dict[str, set[str]]:
    """Return by the stacks' names the others that write the policies of buckets they name."""
    policies: dict[str, str] = {}
    named: dict[str, list[str]] = {}
    for stack in stacks:
        made = stack.content.get("resource", {})
        for type_ in ("aws_s3_bucket", "aws_s3_bucket_policy"):
            for block in made.get(type_, {}).values():
                policies.setdefault(str(block.get("bucket")), stack.name)
        named[stack.name] = [
            str(output["value"])
            for name, output in stack.content.get("output", {}).items()
            if name.startswith("bucket_name_")
        ]
    # What begins with a reference is known to its own stack only.
    return {
        name: {policies[b] for b in buckets if b in policies and "${" not in b} - {name}
        for name, buckets in named.items()
    }


def beside(stacks: Sequence[Stack]) -> dict[str, Beside]:
    """Return what stands beside each stack, by its name, where it shares buckets with others.

    To one that names another's bucket these are all of that one's policies of buckets and keys; to
    that one, whatever the others' roles may.
    """
    by_name = {stack.name: stack.content for stack in stacks}
    found: dict[str, list[tuple[Blocks, World]]] = defaultdict(list)
    for name, theirs in owners(stacks).items():
        for owner in theirs:
            for to, other, identities in ((name, owner, False), (owner, name, True)):
                blocks = _blocks(by_name[other])
                world = world_of(blocks)
                kept = (
                    World(identities=world.identities)
                    if identities
                    else World(resources={a: r for a, r in world.resources.items() if _kept(a)})
                )
                found[to].append((blocks, kept))
    return {
        name: Beside(
            world=joined([world for _, world in others]),
            accounts={a: id_ for blocks, _ in others for a, id_ in blocks.accounts.items()},
        )
        for name, others in found.items()
    }


def _kept(arn: str) -> bool:
    return ":iam:" not in arn


def _blocks(source: Mapping[str, Any]) -> Blocks:
    return Blocks(declared_blocks(source), aliases_of(source), source)


def joined(worlds: Sequence[World]) -> World:
    """Return one world of several links: whoever stands in two has the policies of both."""
    identities: dict[Principal, Identity] = {}
    resources: dict[str, Resource] = {}
    for world in worlds:
        for who, identity in world.identities.items():
            there = identities.get(who)
            policies = (*(there.policies if there else ()), *identity.policies)
            identities[who] = replace(identity, policies=tuple(dict.fromkeys(policies)))
        for arn, resource in world.resources.items():
            resources[arn] = _of_both(resources.get(arn), resource)
    return World(identities=identities, resources=resources)


def _of_both(one: Resource | None, other: Resource) -> Resource:
    if one is None or one.policy is None:
        return other
    if other.policy is None:
        return one
    statements = dict.fromkeys((*one.policy.statements, *other.policy.statements))
    return replace(other, policy=replace(other.policy, statements=tuple(statements)))
