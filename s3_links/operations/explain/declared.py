"""What the declaration says of a request: which statements of which link should let it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.reading import Unreadable
from s3_cross_account.spelling import near_match
from s3_links.declarations.handed_over import IDENTITY, TRUST
from s3_links.operations.joined import owners
from s3_links.operations.sharing import ByItself
from s3_links.reach import actions
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.policies import handed_out
from s3_links.synthesized.world import place_of, world_of
from s3_links.world import Bucket, Request, Resource, head_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_cross_account.policy import Statement
    from s3_links.declarations.links import Links
    from s3_links.operations.stack import Stack
    from s3_links.world import Document, DocumentKind, Principal, World

_TO_MERGE: dict[str, DocumentKind] = {
    "bucket_policy_to_merge_": "bucket policy",
    "key_policy_to_merge_": "key policy",
    "queue_policy_to_merge_": "queue policy",
    "topic_policy_to_merge_": "topic policy",
    "bus_policy_to_merge_": "event bus policy",
}
_OUTPUTS = (*_TO_MERGE, IDENTITY, TRUST)
_SUFFIX = "x" * 16
"""Stands for the end of the name of a permission set's role."""
_UNNAMED = "…"
_S3 = ":s3:::"
_KEY_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_COMPLETION = re.compile(r"[0-9]{18}[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class Half:
    """A statement that a link declares for a request: in which document, and the block's address.

    ``output`` is the output that has it, where somebody else has to merge it.
    """

    link: str
    what: DocumentKind
    statement: str
    place: str
    output: str = ""


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a role is declared to reach a resource: by itself or as another role, and what for.

    ``prefix`` is what keys begin with, if that is limited. ``hops`` are the roles to assume, one
    after the other.
    """

    actions: list[str]
    prefix: str = ""
    hops: tuple[Principal, ...] = ()


class Declared:
    """The synthesized stacks, each as its own world; ``accounts`` are the ids by their aliases.

    With ``links`` it knows what others have to do for them, too: what is handed over to the owners
    of foreign accounts, and the roles of permission sets.
    """

    def __init__(
        self, stacks: Iterable[Stack], accounts: Mapping[str, str], links: Links | None = None
    ) -> None:
        stacks = list(stacks)
        self._stacks = {stack.name: _Declared(stack, accounts, links) for stack in stacks}
        for name, theirs in owners(stacks).items():
            for owner in theirs:
                self._stacks[name].share(owner, self._stacks[owner])

    def halves(self, request: Request) -> list[Half]:
        """Return the statements that should let a request."""
        return [
            half
            for name, declared in self._stacks.items()
            for half in declared.halves(name, request)
        ]

    def route(self, who: Principal, resource: str) -> Route | None:
        """Return how a role is declared to reach a bucket or a key, by itself if it can."""
        found = [route for d in self._stacks.values() for route in d.routes(who, resource)]
        return min(found, key=lambda route: len(route.hops), default=None)

    def external_id(self, role: str) -> tuple[str, ...]:
        """Return the external id that is declared for whoever assumes a role, by its ARN."""
        return tuple(id_ for d in self._stacks.values() for id_ in d.external_id(role))

    def roles(self, name: str) -> list[Principal]:
        """Return the declared roles of a name."""
        found = [
            who for declared in self._stacks.values() for who in declared.roles if who.name == name
        ]
        return list(dict.fromkeys(found))

    def links(self, who: Principal) -> list[str]:
        """Return the links that declare a role."""
        return [link for link, declared in self._stacks.items() if declared.named(who)]

    def names(self) -> list[str]:
        """Return the names of all declared roles."""
        found = {who.name for declared in self._stacks.values() for who in declared.roles}
        return sorted(name for name in found if name and not name.endswith(_SUFFIX))

    def bucket_accounts(self, name: str) -> list[str]:
        """Return the accounts in which a bucket of this name, or prefix, is declared."""
        found = [
            bucket.account
            for declared in self._stacks.values()
            for bucket in declared.buckets
            if _is_named(bucket.arn, f"{bucket.arn.rpartition(_S3)[0]}{_S3}{name}")
        ]
        return list(dict.fromkeys(found))

    def meant(self, name: str) -> str:
        """Return which bucket that is declared is meant by a name, if one is like it."""
        declared = (bucket for one in self._stacks.values() for bucket in one.buckets)
        known = sorted(
            {bucket.arn.rpartition(_S3)[2].removesuffix(_UNNAMED) for bucket in declared}
        )
        near = near_match(name, known) or next((k for k in known if k.startswith(name)), None)
        return f". Did you mean {near!r}?" if near and near != name else ""

    def prefixes(self) -> dict[str, str]:
        """Return what the names of new buckets begin with, each with its account."""
        return {
            bucket.arn.rpartition(_S3)[2].removesuffix(_UNNAMED): bucket.account
            for declared in self._stacks.values()
            for bucket in declared.buckets
            if bucket.arn.endswith(_UNNAMED)
        }


class _Declared:
    def __init__(
        self, stack: Stack, accounts: Mapping[str, str], links: Links | None = None
    ) -> None:
        source = stack.content
        self._blocks = Blocks(declared_blocks(source), aliases_of(source), source, accounts)
        world = world_of(self._blocks)
        merged = {resource.arn: resource for resource in self._to_merge(source)}
        link = links.links.get(stack.name) if links else None
        others = ByItself(self._blocks, link, links.accounts) if links and link else None
        handed_over = others.handed_out if others else {}
        identities = others.identities if others else {}
        self._world: World = replace(
            world,
            resources={**handed_over, **world.resources, **merged},
            identities={**identities, **world.identities},
        )
        self._elsewhere: dict[Document, tuple[str, Blocks]] = {}

    def share(self, link: str, theirs: _Declared) -> None:
        """Add the buckets and keys of another link, which this one names."""
        added = {
            arn: resource
            for arn, resource in theirs._world.resources.items()
            if ":iam:" not in arn and arn not in self._world.resources
        }
        self._world = replace(self._world, resources={**self._world.resources, **added})
        for resource in added.values():
            if resource.policy:
                self._elsewhere[resource.policy] = link, theirs._blocks

    @property
    def roles(self) -> list[Principal]:
        return list(self._world.identities)

    @property
    def buckets(self) -> list[Bucket]:
        return [r for r in self._world.resources.values() if isinstance(r, Bucket)]

    def _to_merge(self, source: Mapping[str, Any]) -> Iterator[Resource]:
        """Yield the buckets and keys of others, as if the outputs had been merged."""
        for name in source.get("output", {}):
            kind = next((k for begin, k in _TO_MERGE.items() if name.startswith(begin)), None)
            address = self._blocks.reference(self._blocks.output(name))
            if kind is None or address is None:
                continue
            account = self._blocks.account(address)
            policy = handed_out(self._blocks, name, kind, account, name)
            resources = [r for statement in _read(policy) for r in statement.resources]
            for arn in dict.fromkeys(map(_whole, resources)):
                of = Bucket if kind == "bucket policy" else Resource
                yield of(arn=arn, account=account, policy=policy)

    def halves(self, link: str, request: Request) -> Iterator[Half]:
        for declared in self._as_declared(request):
            for finding in evaluate(self._world, declared).findings:
                if finding.effect != "Allow" or isinstance(finding.statement, Unreadable):
                    continue
                name, kind = finding.document.name, finding.document.kind
                outputs = [name, finding.document.place]
                output = next((o for o in outputs if o.startswith(_OUTPUTS)), "")
                by, blocks = self._elsewhere.get(finding.document, (link, self._blocks))
                place = output or place_of(blocks, finding.document) or name
                sid = finding.statement.sid or ""
                yield Half(link=by, what=kind, statement=sid, place=place, output=output)

    def routes(
        self, who: Principal, resource: str, hops: tuple[Principal, ...] = ()
    ) -> Iterator[Route]:
        for role in self.named(who):
            yield from self._routes(role, resource, hops)
        for role in self.roles:
            hop = Request(principal=who, action="sts:AssumeRole", resource=str(role.arn))
            if role not in hops and any(self.halves("", hop)):
                yield from self.routes(role, resource, (*hops, role))

    def _routes(
        self, role: Principal, resource: str, hops: tuple[Principal, ...]
    ) -> Iterator[Route]:
        on: dict[str, tuple[str, ...]] = {}
        for document in self._world.identities[role].policies:
            for statement in _read(document):
                for pattern in statement.resources:
                    if _is_named(_whole(pattern), resource):
                        on[pattern] = (*on.get(pattern, ()), *statement.actions)
        if named := [a for of in on.values() for a in of if a in actions.known()]:
            keys = [pattern.partition("/")[2].removesuffix("*") for pattern in on]
            prefix = next(filter(None, keys), "") if _S3 in resource else ""
            yield Route(actions=list(dict.fromkeys(named)), prefix=prefix, hops=hops)

    def external_id(self, role: str) -> tuple[str, ...]:
        resource = self._world.resources.get(role)
        return tuple(
            value
            for statement in (_read(resource.policy) if resource and resource.policy else ())
            for condition in statement.conditions
            if condition.variable == "sts:ExternalId"
            for value in condition.values
        )

    def named(self, who: Principal) -> list[Principal]:
        return [
            role
            for role in self.roles
            if role.account == who.account and (role.name == who.name or _is_of_set(role, who))
        ]

    def _as_declared(self, request: Request) -> Iterator[Request]:
        """Yield a request as it is declared: names that were not known yet stand as themselves."""
        # What is encrypted is named by the bucket's ARN, which is not known.
        context = {k: v for k, v in request.context.items() if "EncryptionContext" not in k}
        named = head_of(request.resource)
        within = request.resource.removeprefix(named)
        for principal in self.named(request.principal):
            for arn in self._world.resources:
                if _is_named(arn, named):
                    resource = f"{arn}{within}"
                    yield replace(request, principal=principal, resource=resource, context=context)


def _read(document: Document) -> Iterator[Statement]:
    return (s for s in document.statements if not isinstance(s, Unreadable))


def _is_of_set(declared: Principal, who: Principal) -> bool:
    """Whether somebody has the role of a declared permission set: IAM Identity Center ends it."""
    start = declared.name[: -len(_SUFFIX)]
    return (
        declared.name == f"{start}{_SUFFIX}"
        and start.startswith("AWSReservedSSO_")
        and bool(re.fullmatch(f"{re.escape(start)}[0-9a-f]{{16}}", who.name))
    )


def _whole(arn: str) -> str:
    """Return the bucket's ARN in the place of its objects'."""
    return arn.partition("/")[0] if _S3 in arn else arn


def _is_named(declared: str, arn: str) -> bool:
    """Whether a declared ARN is the one of something that is there, whose name is known."""
    if declared.endswith(_UNNAMED) and _S3 in declared:
        return is_made_of(arn, declared.removesuffix(_UNNAMED))
    if ":kms:" in declared and not _KEY_ID.fullmatch(declared.rpartition("/")[2]):
        return arn.startswith(declared.rpartition("/")[0])  # a new key: its id is not known
    return declared == arn


def is_made_of(name: str, prefix: str) -> bool:
    """Whether Terraform completed ``prefix`` to a name: a time and a counter, 26 digits."""
    return name.startswith(prefix) and bool(_COMPLETION.fullmatch(name.removeprefix(prefix)))
