"""The proof at synthesis: what was synthesized lets what was declared, and nothing else.

The documents of a link are held against those that its declaration asks for, statement by
statement. What differs is evaluated, to say who may then do what. Each grant is evaluated by
itself: allowed under its conditions, refused without any of them and without either half.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from s3_links.reach.atoms import Atoms
from s3_links.reach.candidates import candidates
from s3_links.reach.conditions import holds
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.world import AccessPoint, Identity, Request, World, policy_of

from .compared import Comparison, Problem
from .sharing import Declared, sources
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_cross_account.policy import Condition
    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.links import AnyLink, Links
    from s3_links.reach.matching import Context

    from .asked import Grant
    from .stack import Stack

_OF_ORGANIZATIONS = ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths")
_NOTHING_ELSE = ("none-of-these",)
# What stands in a pattern for a tag of the caller: its key.
_TAG = re.compile(r"\$\{(aws:PrincipalTag/[^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The proof of a link: it stands where there are no ``problems``.

    ``notes`` are what it takes for granted: what nobody can see in the synthesized documents.
    """

    link: str
    grants: int
    roles: int
    services: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Whether all that was declared is allowed, and nothing else."""
        return not self.problems

    def lines(self) -> Iterator[str]:
        """Yield it for a reader."""
        if self.proved:
            grants = _many(f"{self.grants} grant", self.grants)
            counted = (("role", self.roles), ("service", self.services))
            whom = " and ".join(_many(f"{n} {kind}", n) for kind, n in counted if n)
            told = f"{grants} for {whom}"
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
    chosen = [stack for stack in stacks if stack.name in links.links]
    beside = sources(stacks, (links.links[stack.name] for stack in chosen))
    return [
        prove(stack.name, stack.content, links.links[stack.name], links.accounts, beside)
        for stack in chosen
    ]


def prove(
    name: str,
    source: Mapping[str, Any],
    link: AnyLink,
    accounts: Mapping[str, LinkAccount],
    others: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Proof:
    """Return the proof of a link from its synthesized JSON, and that of the ``others``.

    Names that are not known yet stand as themselves.
    """
    blocks = Blocks(declared_blocks(source), aliases_of(source), source)
    declared = Declared(blocks, link, accounts, others)
    problems = dict.fromkeys(found_wrong(blocks, declared))
    return Proof(
        link=name,
        grants=len(declared.pairs),
        roles=len({who for who, _ in declared.pairs if who.kind != "service"}),
        services=len({who for who, _ in declared.pairs if who.kind == "service"}),
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
    world = compared.alone
    if grant.on not in world.resources:
        return  # told already
    across = grant.who.account != world.resources[grant.on].account
    given = (*grant.own, *grant.theirs)
    tags = _tags(pattern, given)
    known = {key.lower(): values for key, values in tags.items()}
    # Whom an organization's grant means as well is asked for as if in none: by this grant alone.
    context: dict[str, tuple[str, ...]] = dict.fromkeys(_OF_ORGANIZATIONS, ())
    context |= dict(_satisfying(given, known))
    context |= {"aws:SecureTransport": ("true",), **tags}
    theirs = grant.theirs if grant.both else ()
    # Within an account a key's policy lets the account in too, by IAM.
    asked = (*grant.own, *theirs) if across else grant.own or theirs
    resource = _resolved(pattern, known).replace("*", "x")
    point = world.resource(resource)
    if isinstance(point, AccessPoint) and point.vpc:
        context.setdefault("aws:SourceVpc", (point.vpc,))
    request = Request(principal=grant.who, action=action, resource=resource, context=context)
    who, what = compared.who(grant.who), f"{action} on {compared.target(resource)}"
    if evaluate(world, request).allowed is not True:
        yield Problem(text=f"{who} may not {what}")
        return
    others = [(condition.variable, _other(condition, known)) for condition in asked]
    # Of a condition's values the first is what the request has: others may do without a tag.
    asking = " ".join((pattern, *(condition.values[0] for condition in given)))
    needed = [(tag, _NOTHING_ELSE) for tag in tags if f"${{{tag}}}" in asking]
    for variable, values in (*others, *needed):
        if values is None:
            continue  # it is always fulfilled
        other = {**context, variable: values}
        if evaluate(world, replace(request, context=other)).allowed is not False:
            yield Problem(text=f"{who} may {what} without {variable}")
    for half, less in _without(world, grant, across=across):
        if evaluate(less, request).allowed is not False:
            yield Problem(text=f"{who} may {what} without the {half}")


def _without(world: World, grant: Grant, *, across: bool) -> Iterator[tuple[str, World]]:
    if grant.both:
        resource = replace(world.resources[grant.on], policy=None)
        resources = {**world.resources, grant.on: resource}
        yield policy_of(resource.arn), replace(world, resources=resources)
    if grant.who.kind in ("role", "user") and (across or not grant.both):
        identities = {**world.identities, grant.who: Identity()}
        yield "identity policy", replace(world, identities=identities)


def _satisfying(
    conditions: Iterable[Condition], known: Context
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield for each key values that fulfil all its conditions, or what is most like them."""
    on: dict[str, dict[Condition, None]] = {}
    for condition in conditions:
        on.setdefault(condition.variable, {})[condition] = None
    for variable, asked in on.items():
        first = _resolved(next(iter(asked)).values[0], known)
        likely = (first.partition("/")[0] if "IpAddress" in next(iter(asked)).test else first,)
        tried = (likely, *_tried(frozenset(asked), known))
        yield variable, next((v for v in tried if _hold(asked, v, known)), likely)


def _other(condition: Condition, known: Context) -> tuple[str, ...] | None:
    """Return what does not fulfil a condition that is asked, where there is anything."""
    tried = (_NOTHING_ELSE, *_tried(frozenset([condition]), known))
    return next((v for v in tried if holds(condition, _with(condition, v, known)) is False), None)


def _tags(pattern: str, asked: Sequence[Condition]) -> dict[str, tuple[str, ...]]:
    """Return a value for each tag of the caller that a pattern or a condition speaks of."""
    tags = {}
    for tag in _TAG.findall(" ".join((pattern, *(v for c in asked for v in c.values)))):
        own = [c for c in asked if c.variable.lower() == tag.lower()]
        tags[tag] = next((values for _, values in _satisfying(own, {})), ()) or ("x",)
    return tags


def _resolved(text: str, known: Context) -> str:
    return _TAG.sub(lambda tag: known[tag[1].lower()][0], text)


def _tried(conditions: frozenset[Condition], known: Context) -> Iterator[tuple[str, ...]]:
    """Yield what is worth a try for the key of ``conditions``, with the caller's tags in it."""
    plain = [replace(c, values=tuple(_resolved(v, known) for v in c.values)) for c in conditions]
    yield from candidates(frozenset(plain))


def _hold(conditions: Iterable[Condition], values: tuple[str, ...], known: Context) -> bool:
    return all(holds(c, _with(c, values, known)) is True for c in conditions)


def _with(condition: Condition, values: tuple[str, ...], known: Context) -> Context:
    return {**known, condition.variable.lower(): values}
