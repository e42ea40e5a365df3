"""What a link declares on buckets that links share: each asks for its half of the one policy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.world import world_of

from .grants import Grants
from .stack import OperationError, declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_cross_account.policy import Statement
    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink

    from .stack import Stack


class Declared(Grants):
    """A link's grants, and those of the links that name its buckets.

    ``others`` has what is synthesized of all links, by their names: the policies of a bucket that
    another one makes are there. ``shared`` are the halves that this one writes for others.
    """

    def __init__(
        self,
        blocks: Blocks,
        link: AnyLink,
        accounts: Mapping[str, LinkAccount],
        others: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        self._others = others
        self.shared: list[tuple[AnyLink, str, Statement]] = []
        super().__init__(blocks, link, accounts)
        for bucket, arn in zip(link.buckets, self.buckets, strict=True):
            on = {arn, self.keys.get(arn)}
            for sharer in bucket.sharers:
                for grant in _Sharing(blocks, sharer.link, accounts, self.keys).grants:
                    if grant.on in on and grant.both:
                        self.shared.append((sharer.link, grant.on, grant.of_resource()))
        for _, of, statement in self.shared:
            self.theirs[of].append(statement)
            self.of_others[of].append(statement)

    def _shared(self, bucket: LinkBucket) -> str:
        owner = bucket.owner
        assert owner is not None
        if owner.name not in self._others:
            told = f"is not synthesized here, which makes the bucket {bucket.name!r}"
            raise OperationError(f"{owner.name}: {told}: run `s3-links synth`")
        source = self._others[owner.name]
        blocks = Blocks(declared_blocks(source), aliases_of(source), source)
        theirs = ByItself(blocks, owner.link, self._accounts)
        there = theirs.handed_out | dict(world_of(blocks).resources)
        arns = zip(owner.link.buckets, theirs.buckets, strict=True)
        arn = next(arn for one, arn in arns if one is owner.bucket)
        key = theirs.keys.get(arn)
        self.keys |= {arn: key} if key else {}
        for of in (arn, *filter(None, [key])):
            self.resources[of], self.theirs[of] = theirs.resources[of], theirs.theirs[of]
            self.handed_out |= {of: there[of]} if of in there else {}
            self.of_others[of] = [
                *(grant.of_resource() for grant in theirs.grants if grant.on == of and grant.both),
                *(s for link, on, s in theirs.shared if on == of and link is not self._link),
            ]
        self._note(arn, f"the policy of {arn} is written by {owner.name}, for all links on it")
        self.notes += [note for note in theirs.notes if note.about in (arn, key)]
        return arn


class _Sharing(Grants):
    """A link that names a bucket of another one, which asks what it needs; ``known`` are keys."""

    def __init__(
        self,
        blocks: Blocks,
        link: AnyLink,
        accounts: Mapping[str, LinkAccount],
        known: Mapping[str, str],
    ) -> None:
        self._known = known
        super().__init__(blocks, link, accounts)

    def _shared(self, bucket: LinkBucket) -> str:
        arn = self._by_name(bucket)
        self.keys |= {of: key for of, key in self._known.items() if of == arn}
        return arn


class ByItself(Declared):
    """A link of which what it writes itself is asked; a bucket of another one is known by name."""

    def _shared(self, bucket: LinkBucket) -> str:
        return self._by_name(bucket)


def sources(stacks: Iterable[Stack], links: Iterable[AnyLink]) -> dict[str, Mapping[str, Any]]:
    """Return what is synthesized of stacks, and of the links whose buckets these links name."""
    found: dict[str, Mapping[str, Any]] = {stack.name: stack.content for stack in stacks}
    needed = {bucket.owner.name for link in links for bucket in link.buckets if bucket.owner}
    if needed - found.keys():
        found |= {name: stack.content for name, stack in declared().items() if name in needed}
    return found
