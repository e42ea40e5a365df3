"""The proof at synthesis: what was synthesized lets what was declared, and nothing else.

The documents of a link are held against those that its declaration asks for, statement by
statement. What differs is evaluated, to say who may then do what. Each grant is evaluated by
itself: allowed under its conditions, refused without any of them and without either half.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_links.reach.atoms import Atoms
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.world import Identity, Request, World

from .compared import Comparison, Problem, kind_of
from .grants import Declared
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_cross_account.policy import Condition
    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.links import AnyLink, Links

    from .asked import Grant
    from .stack import Stack

_NOTHING_ELSE = "none-of-these"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The proof of a link: it stands where there are no ``problems``.

    ``notes`` are what it takes for granted: what nobody can see in the synthesized documents.
    """

    link: str
    grants: int
    roles: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Whether all that was declared is allowed, and nothing else."""
        return not self.problems

    def lines(self) -> Iterator[str]:
        """Yield it for a reader."""
        if self.proved:
            grants, roles = (f"{self.grants} grant", f"{self.roles} role")
            told = f"{_many(grants, self.grants)} for {_many(roles, self.roles)}"
            yield f"{self.link}: proved: {told}, each half needed, nobody else"
        else:
            yield f"{self.link}: not proved:"
            yield from (f"  {problem.text}" for problem in self.problems)
        yield from (f"  note: {note}" for note in self.notes)


def as_text(found: Sequence[Proof]) -> str:
    """Return proofs for a reader."""
    return "\n".join(line for proof in found for line in proof.lines())


def as_json(found: Sequence[Proof]) -> str:
    """Return proofs for a machine."""
    links = [{"proved": proof.proved, **asdict(proof)} for proof in found]
    return json.dumps({"links": links}, indent=2, ensure_ascii=False)


def _many(text: str, count: int) -> str:
    return text if count == 1 else f"{text}s"


def proofs(stacks: Sequence[Stack], links: Links | None, *, named: bool) -> list[Proof]:
    """Return the proofs of the links among ``stacks``; with ``named`` each has to be one."""
    if links is None:
        raise OperationError("there is no links file here, and only links can be proved")
    others = [stack.name for stack in stacks if stack.name not in links.links]
    if named and others:
        raise OperationError(f"{', '.join(others)}: is no link: only links can be proved")
    return [
        prove(stack.name, stack.content, links.links[stack.name], links.accounts)
        for stack in stacks
        if stack.name in links.links
    ]


def prove(
    name: str, source: Mapping[str, Any], link: AnyLink, accounts: Mapping[str, LinkAccount]
) -> Proof:
    """Return the proof of a link from its synthesized JSON.

    Names that are not known yet stand as themselves.
    """
    blocks = Blocks(declared_blocks(source), aliases_of(source), source)
    declared = Declared(blocks, link, accounts)
    problems = dict.fromkeys(found_wrong(blocks, declared))
    return Proof(
        link=name,
        grants=len(declared.pairs),
        roles=len({who for who, _ in declared.pairs}),
        problems=tuple(problems),
        notes=tuple(dict.fromkeys(note.text for note in declared.notes)),
    )


def found_wrong(blocks: Blocks, declared: Declared) -> Iterator[Problem]:
    """Yield what is wrong, what is found soonest first."""
    compared = Comparison(blocks, declared)
    yield from compared.problems()
    told_apart = Atoms(World(), compared.seen)
    for grant in declared.grants:
        for pattern in grant.resources:
            for action in _one_of_each(grant.actions, told_apart.alike(pattern)):
                yield from _of_grant(compared, grant, action, pattern)


def _one_of_each(actions: Sequence[str], alike: Iterable[Sequence[str]]) -> list[str]:
    """Return one action for all that no document tells apart."""
    groups = {action: number for number, group in enumerate(alike) for action in group}
    return list({groups.get(action, action): action for action in actions}.values())


def _of_grant(compared: Comparison, grant: Grant, action: str, pattern: str) -> Iterator[Problem]:
    """Yield what is wrong with a grant: under its conditions, and without each or a half."""
    world = compared.seen
    if grant.on not in world.resources:
        return  # told already
    across = grant.who.account != world.resources[grant.on].account
    context = {c.variable: _satisfying(c) for c in (*grant.own, *grant.theirs)}
    context["aws:SecureTransport"] = ("true",)
    theirs = grant.theirs if grant.both else ()
    # Within an account a key's policy lets the account in too, by IAM.
    asked = (*grant.own, *theirs) if across else grant.own or theirs
    resource = pattern.replace("*", "x")
    request = Request(principal=grant.who, action=action, resource=resource, context=context)
    what = f"{compared.who(grant.who)} may {{}}{action} on {compared.target(resource)}"
    if evaluate(world, request).allowed is not True:
        yield Problem(text=what.format("not "))
        return
    for condition in asked:
        other = {**context, condition.variable: _other(condition)}
        if evaluate(world, replace(request, context=other)).allowed is not False:
            yield Problem(text=f"{what.format('')} without {condition.variable}")
    for half, less in _without(world, grant, across=across):
        if evaluate(less, request).allowed is not False:
            yield Problem(text=f"{what.format('')} without the {half}")


def _without(world: World, grant: Grant, *, across: bool) -> Iterator[tuple[str, World]]:
    if grant.both:
        resource = replace(world.resources[grant.on], policy=None)
        resources = {**world.resources, grant.on: resource}
        yield kind_of(resource), replace(world, resources=resources)
    if grant.who.kind in ("role", "user") and (across or not grant.both):
        identities = {**world.identities, grant.who: Identity()}
        yield "identity policy", replace(world, identities=identities)


def _satisfying(condition: Condition) -> tuple[str, ...]:
    value = condition.values[0]
    return (value.partition("/")[0] if condition.test == "IpAddress" else value,)


def _other(condition: Condition) -> tuple[str, ...]:
    """Return what does not fulfil a condition that is asked."""
    match condition.test:
        case "Bool":
            return ("false" if condition.values == ("true",) else "true",)
        case "IpAddress":
            return ()
    return (_NOTHING_ELSE,)
