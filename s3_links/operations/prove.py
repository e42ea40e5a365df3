"""The proof at synthesis: what was synthesized lets what was declared, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3_links.reach import actions
from s3_links.reach.difference import found
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.world import world_of
from s3_links.world import Bucket, Identity, Request, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.link import Link
    from s3_links.world import Principal

_NOT_SEEN = "merge"
"""Who owns such a bucket writes its half: it is not in the synthesized documents."""


def prove(source: Mapping[str, Any], link: Link) -> list[str]:
    """Return what is wrong with a link's synthesized JSON, as sentences; nothing: it is proved.

    Every declared grant is allowed and refused without either half of it, and nobody else is let
    into the declared buckets. Names that are not known yet stand as themselves.
    """
    return list(_Proof(source, link).problems())


class _Proof:
    def __init__(self, source: Mapping[str, Any], link: Link) -> None:
        self._link, self._access = link, link.access.access
        self._blocks = Blocks(declared_blocks(source), aliases_of(source), source)
        self._world = world_of(self._blocks)
        self._buckets = {
            bucket.arn: declared
            for declared in link.buckets
            if declared.policy != _NOT_SEEN and (bucket := self._bucket(declared))
        }
        self._reaching = set(self._roles())

    def problems(self) -> Iterator[str]:
        for arn in self._buckets:
            for who in sorted(self._reaching, key=str):
                for action in self._access.actions:
                    yield from self._of_grant(arn, who, action)
        yield from self._beyond()

    def _of_grant(self, arn: str, who: Principal, action: str) -> Iterator[str]:
        on_object = "object" in actions.resource_types(action)
        for prefix in self._access.prefixes or ("",):
            resource = f"{arn}/{prefix}x" if on_object else arn
            request = Request(principal=who, action=action, resource=resource)
            decision = evaluate(self._world, request)
            if decision.allowed is False:
                halves = ", ".join(f"{m.what} of {m.of}" for m in decision.missing)
                yield f"{who} may not {action} on {resource}: {halves or 'it is refused'}"
            elif who.account != self._world.resources[arn].account:
                for name, world in self._without(arn, who):
                    if evaluate(world, request).allowed is not False:
                        yield f"{who} may {action} on {resource} without the {name}"

    def _without(self, arn: str, who: Principal) -> Iterator[tuple[str, World]]:
        world = self._world
        bucket = replace(world.resources[arn], policy=None)
        yield "bucket policy", replace(world, resources={**world.resources, arn: bucket})
        nothing = {**world.identities, who: Identity()}
        yield "identity policy", replace(world, identities=nothing)

    def _beyond(self) -> Iterator[str]:
        decided, undecided = found(World(), self._world)
        told = dict.fromkeys(undecided) if self._sees_all() else {}
        for one in decided:
            request = one.now.request
            arn = request.resource.partition("/")[0]
            if one.kind != "appears" or arn not in self._buckets:
                continue
            who = request.principal.identity()
            more = sorted(set(one.actions) - set(self._access.actions))
            if who not in self._reaching:
                told[f"{who} may {', '.join(one.actions)} on {request.resource}"] = None
            elif more and self._sees_all():
                told[f"{who} may also {', '.join(more)} on {request.resource}"] = None
            elif not self._within(request.resource):
                told[f"{who} may {', '.join(one.actions)} outside: {request.resource}"] = None
        yield from told

    def _sees_all(self) -> bool:
        """Whether the roles are made here: of others, nobody knows what else they may."""
        return self._link.assumed_role is not None or all(
            consumer.new_role for consumer in self._link.consumers
        )

    def _within(self, resource: str) -> bool:
        _, slash, key = resource.partition("/")
        prefixes = self._access.prefixes
        return not slash or not prefixes or key.startswith(tuple(prefixes))

    def _bucket(self, declared: LinkBucket) -> Bucket | None:
        name = f"{declared.name}…" if declared.new_prefix else declared.name
        for resource in self._world.resources.values():
            if isinstance(resource, Bucket) and resource.arn.endswith(f":::{name}"):
                return resource
        return None

    def _roles(self) -> Iterator[Principal]:
        role = self._link.assumed_role
        names = [(c.account, c.name) for c in self._link.consumers]
        for alias, name in [(role.account, role.name)] if role else names:
            account = self._blocks.accounts.get(alias, alias)
            for who in self._world.identities:
                if who.account == account and who.name in (name, f"role-of-{name}"):
                    yield who
