"""The documents of a link held against those that its declaration asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable
from s3_links.reach.difference import found
from s3_links.reach.parts import aligned, parts
from s3_links.synthesized.world import OTHERS, not_modelled, world_of
from s3_links.synthesized.written import made_twice, not_evaluated, told_twice
from s3_links.world import AccessPoint, Bucket, Document, Identity, Resource, World, policy_of

from .labels import Labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from s3_cross_account.policy import Statement
    from s3_links.reach.difference import Found
    from s3_links.synthesized.blocks import Blocks
    from s3_links.world import DocumentKind, Principal

    from .sharing import Declared

_MOST_TOLD = 20
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a proof failed; of a statement also which, in which document, at which address."""

    text: str
    sid: str | None = None
    document: str = ""
    address: str = ""


class Comparison:
    """What is there (``world``) and what is declared, statement by statement."""

    def __init__(self, blocks: Blocks, declared: Declared) -> None:
        self._blocks, self._declared, self._labels = blocks, declared, Labels(blocks.accounts)
        world = world_of(blocks)
        self.world = replace(
            world,
            resources={**declared.handed_out, **world.resources},
            identities={**declared.identities, **world.identities},
        )

    def problems(self) -> Iterator[Problem]:
        """Yield each statement that is missing or not declared, then who may do what for it."""
        yield from (Problem(text=text) for text in self._declared.problems)
        yield from (Problem(text=text) for text in self._not_evaluated())
        asked = self._asked()
        differing = list(self._differing(asked))
        yield from differing
        if differing:
            yield from self._consequences(asked)

    def _not_evaluated(self) -> Iterator[str]:
        """Yield the blocks of which nobody can say here whom they let in."""
        yield from not_evaluated(self._blocks.source)
        yield from map(told_twice, made_twice(self._blocks))
        for address, block in self._blocks.managed():
            change = {"actions": ["create"], "after": block}
            yield from not_modelled({"address": address, "mode": "managed", "change": change})

    # The documents that are asked for

    def _asked(self) -> World:
        """Return the world that is declared, in the words of what is there where they agree."""
        declared, world = self._declared, self.world
        identities = {who: self._identity(who, world.identities.get(who)) for who in declared.own}
        resources = {
            arn: replace(
                resource,
                policy=self._policy(resource, world.resources.get(arn)),
            )
            for arn, resource in declared.resources.items()
        }
        # Whom a role trusts that is looked up belongs to somebody else.
        for who in declared.unseen:
            arn = str(who.arn)
            if arn not in resources and arn in world.resources:
                resources[arn] = world.resources[arn]
        return World(identities=identities, resources=resources)

    def _identity(self, who: Principal, there: Identity | None) -> Identity:
        policies = there.policies if there else ()
        kept = tuple(policy for policy in policies if self._unseen(who, policy))
        others = [s for policy in policies if policy not in kept for s in policy.statements]
        asked = aligned(self._declared.own[who], others)
        own = Document(kind="identity policy", account=who.account, name=str(who), statements=asked)
        boundary = there.boundary if there else None
        if boundary and boundary.name != self._declared.boundaries.get(who):
            boundary = None
        return Identity(policies=(own, *kept), boundary=boundary)

    def _unseen(self, who: Principal, policy: Document) -> bool:
        """Whether a policy is one of those that a role is known to have besides."""
        ends = self._declared.unseen.get(who)
        if ends is None or not all(isinstance(s, Unreadable) for s in policy.statements):
            return False
        return policy.name.endswith(ends) if ends else policy.name.startswith(OTHERS)

    def _policy(self, resource: Resource, there: Resource | None) -> Document | None:
        asked = aligned(
            self._declared.theirs[resource.arn],
            there.policy.statements if there and there.policy else (),
        )
        if not asked and not (there and there.policy):
            return None
        return Document(
            kind=policy_of(resource.arn),
            account=resource.account,
            name=resource.arn,
            statements=asked,
        )

    # What differs

    def _differing(self, asked: World) -> Iterator[Problem]:
        for who in {**asked.identities, **self.world.identities}:
            identities = [world.identities.get(who) for world in (asked, self.world)]
            ours, theirs = (list(identity.policies) if identity else [] for identity in identities)
            yield from self._between(ours, theirs, "identity policy", self.who(who))
            before, now = (identity.boundary if identity else None for identity in identities)
            if before != now or (now is None and who in self._declared.boundaries):
                yield Problem(
                    text=f"{self.who(who)}: its permissions boundary is "
                    f"{now.name if now else 'missing'}, which is not what is declared"
                )
        for arn, resource in {**self.world.resources, **asked.resources}.items():
            sides = [world.resources.get(arn) for world in (asked, self.world)]
            ours, theirs = ([r.policy] if r and r.policy else [] for r in sides)
            yield from self._between(ours, theirs, policy_of(resource.arn), self.target(arn))
            declared, there = sides
            if declared is None or there is None:
                missing = "is not there" if there is None else "is not declared"
                yield Problem(text=f"{self.target(arn)}: {missing}")
            elif isinstance(there, AccessPoint) and isinstance(declared, AccessPoint):
                if (there.bucket, there.vpc) != (declared.bucket, declared.vpc):
                    of = f"is of {self.target(there.bucket)}, from {there.vpc or 'anywhere'}"
                    yield Problem(text=f"{self.target(arn)}: {of}, which is not what is declared")
            elif isinstance(there, Bucket) and isinstance(declared, Bucket):
                if there.restrict_public != declared.restrict_public:
                    says = "" if declared.restrict_public else "not "
                    text = f"it is declared that its public access is {says}restricted"
                    yield Problem(text=f"{self.target(arn)}: {text}")
                if there.ownership != declared.ownership:
                    text = f"its objects are not owned as declared: {there.ownership}"
                    yield Problem(text=f"{self.target(arn)}: {text}")

    def _between(
        self, ours: list[Document], theirs: list[Document], kind: DocumentKind, of: str
    ) -> Iterator[Problem]:
        asked = {part for document in ours for s in document.statements for part in parts(s)}
        where = f"the {kind} of {of}"
        for document in theirs:
            for statement in document.statements:
                if not parts(statement) <= asked:
                    sid = getattr(statement, "sid", None)
                    name = f'the statement "{sid}"' if sid else "a statement"
                    yield Problem(
                        text=f"{where} ({document.place}): {name} is not declared so: "
                        f"{self._words(statement)}",
                        sid=sid,
                        document=where,
                        address=document.place,
                    )
        there = {part for document in theirs for s in document.statements for part in parts(s)}
        places = ", ".join(dict.fromkeys(d.place for d in theirs if d.place))
        for document in ours:
            for statement in document.statements:
                if parts(statement) - there:
                    at = f" ({places})" if places else " (which is not there)"
                    yield Problem(
                        text=f"{where}{at}: a statement is missing: {self._words(statement)}",
                        document=where,
                        address=places,
                    )

    def _consequences(self, asked: World) -> Iterator[Problem]:
        """Yield who may do more or less for it, by evaluation."""
        decided, undecided = found(asked, self.world)
        lines = dict.fromkeys(map(self._told, decided))
        yield from (Problem(text=text) for text in list(lines)[:_MOST_TOLD])
        if len(lines) > _MOST_TOLD:
            yield Problem(text=f"... and {len(lines) - _MOST_TOLD} more such")
        yield from (Problem(text=f"cannot be decided: {text}") for text in undecided)

    def _told(self, one: Found) -> str:
        request = one.decision.request
        who = self.who(request.principal)
        names = ", ".join(one.actions[:4]) + (" ..." if len(one.actions) > 4 else "")
        what = f"{names} on {self.target(request.resource)}"
        if one.kind == "alone":
            return f"{who} is half let: {what}"
        if one.kind == "appears":
            return f"{who} may {what}, which is not declared"
        return f"{who} may not {what}" + (" any more in every case" if one.now.allowed else "")

    @cached_property
    def seen(self) -> World:
        """What is there without what nobody can see: looked-up policies, boundaries."""
        identities = {
            who: replace(
                identity,
                policies=tuple(p for p in identity.policies if not self._unseen(who, p)),
                boundary=None if who in self._declared.boundaries else identity.boundary,
            )
            for who, identity in self.world.identities.items()
        }
        return replace(self.world, identities=identities)

    @cached_property
    def alone(self) -> World:
        """What is seen, without what policies say for the roles of other links alone."""
        resources = {arn: self._of_this_link(of) for arn, of in self.seen.resources.items()}
        return replace(self.seen, resources=resources)

    def _of_this_link(self, resource: Resource) -> Resource:
        others = _parts(self._declared.of_others.get(resource.arn, ()))
        if not others or resource.policy is None:
            return resource
        grants = (grant for grant in self._declared.grants if grant.on == resource.arn)
        own = _parts(grant.of_resource() for grant in grants if grant.both)
        kept = tuple(
            statement
            for statement in resource.policy.statements
            if not parts(statement) <= others or parts(statement) & own
        )
        return replace(resource, policy=replace(resource.policy, statements=kept))

    # Words

    def who(self, who: Principal) -> str:
        """Return a principal as it is shown."""
        if who.arn and who.kind != "federated":
            return self._labels.principal(str(who.arn))
        return self._labels.anyone(who)

    def target(self, arn: str) -> str:
        """Return a resource as it is shown."""
        what, key = self._labels.target(arn)
        return f"{what}/{key}" if key else what

    def _words(self, statement: Statement | Unreadable) -> str:
        if isinstance(statement, Unreadable):
            return statement.reason
        who = [self._labels.principal(i) for p in statement.principals for i in p.identifiers]
        conditions = [f"{c.test} {c.variable} {_some(c.values)}" for c in statement.conditions]
        return " ".join(
            [
                str(statement.effect or "Allow"),
                ", ".join(statement.actions or (f"all but {statement.not_actions}",)),
                *(
                    ["on", _some([*map(self.target, statement.resources)])]
                    * bool(statement.resources)
                ),
                *(["to", _some(who)] * bool(who)),
                *(["if", " and ".join(conditions)] * bool(conditions)),
            ]
        )


def _parts(statements: Iterable[Statement]) -> set[object]:
    return {part for statement in statements for part in parts(statement)}


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are: a statement may have hundreds."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
