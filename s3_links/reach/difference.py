"""Which access appears and disappears between two sets of documents.

Everything that the documents can tell apart is tried: who they name, anyone else in each account,
a stranger and services; every action; a representative of every region of keys; every combination
of conditions. Access appears where some request is allowed after and was not before. A role or a
bucket that was not there before had no access.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from s3_cross_account.policy import Condition
from s3_links.world import AccessPoint, Request, head_of, parted

from .atoms import Atoms
from .conditions import holds
from .evaluate import Decision, evaluate
from .logic import Formula, Test, atoms, contrary, every
from .matching import resource_matches
from .regions import TooMany
from .satisfy import satisfiable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_links.world import Document, Principal, World

_CALLER = "aws:PrincipalArn"


@dataclass(frozen=True, kw_only=True)
class Half:
    """A document that lets a request, or that would have to."""

    what: str
    account: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """Access that appears or disappears, or (``alone``) a half that meets no other.

    ``on`` is the narrowest pattern that covers it, ``example`` an ARN on which it was found.
    ``only_if`` are its conditions, as alternatives; none: always. ``halves`` let it, ``missing``
    do not.
    """

    kind: Literal["appears", "disappears", "alone"]
    who: Principal
    actions: tuple[str, ...]
    on: str
    example: str
    only_if: tuple[tuple[str, ...], ...]
    halves: tuple[Half, ...]
    missing: tuple[Half, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changes between two worlds. ``undecided`` counts as access that appears."""

    changes: tuple[Change, ...]
    undecided: tuple[str, ...] = ()

    def of(self, kind: Literal["appears", "disappears", "alone"]) -> list[Change]:
        """Return the changes of one kind."""
        return [change for change in self.changes if change.kind == kind]


def difference(before: World, after: World) -> Difference:
    """Return what is allowed in one of two worlds and not in the other."""
    return _Comparison(before, after).result()


@dataclass(frozen=True, kw_only=True)
class Found:
    """One request, standing for those for ``actions``, as it was and is decided."""

    kind: Literal["appears", "disappears", "alone"]
    was: Decision
    now: Decision
    actions: tuple[str, ...]

    @property
    def decision(self) -> Decision:
        """The decision of the world that it is found in."""
        return self.was if self.kind == "disappears" else self.now


def found(before: World, after: World) -> tuple[list[Found], tuple[str, ...]]:
    """Return every request that is decided otherwise, and what is undecided."""
    comparison = _Comparison(before, after)
    comparison.compare()
    return comparison.found, tuple(comparison.undecided)


@dataclass
class _Comparison:
    before: World
    after: World
    found: list[Found] = field(default_factory=list)
    undecided: dict[str, None] = field(default_factory=dict)
    _rows: dict[Change, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    _examples: dict[Change, str] = field(default_factory=dict)

    def compare(self) -> None:
        compared = Atoms(self.before, self.after)
        self.undecided |= dict.fromkeys(compared.not_evaluated())
        for target in compared.targets():
            try:
                for who, action, actions, resource in compared.requests(target):
                    self._compare(who, action, actions, resource)
            except TooMany as problem:
                self.undecided[f"{target}: {problem}"] = None

    def result(self) -> Difference:
        self.compare()
        for one in self.found:
            self._tell(one.kind, one.decision, one.actions)
        changes = [
            replace(row, actions=tuple(sorted(actions)), example=self._examples[row])
            for row, actions in self._rows.items()
        ]
        return Difference(changes=tuple(changes), undecided=tuple(self.undecided))

    def _compare(self, who: Principal, action: str, actions: Iterable[str], resource: str) -> None:
        request = Request(principal=who, action=action, resource=resource)
        was, now = (self._decision(world, request) for world in (self.before, self.after))
        if was.allowed == now.allowed:
            gained = lost = False
        else:
            try:
                gained = self._possible(every(now.allowed, contrary(was.allowed)), who)
                lost = self._possible(every(was.allowed, contrary(now.allowed)), who)
            except TooMany as problem:
                self.undecided[f"{who}, {action} on {resource}: {problem}"] = None
                return
        together = partial(Found, was=was, now=now, actions=tuple(actions))
        if gained:
            self.found.append(together(kind="appears"))
        if lost:
            self.found.append(together(kind="disappears"))
        if not gained and now.allowed is False and _letting(now) - _letting(was):
            self.found.append(together(kind="alone"))

    def _possible(self, formula: Formula, who: Principal) -> bool:
        """Return whether any request of ``who`` fulfills ``formula``; anyone else is none known."""
        if who.kind == "role" and not who.name and _speaks_of_callers(formula):
            known = {
                str(one.arn)
                for world in (self.before, self.after)
                for one in world.identities
                if one.account == who.account
            }
            if known:
                named = Condition(
                    test="StringNotEquals", variable=_CALLER, values=tuple(sorted(known))
                )
                formula = every(formula, holds(named, {}))
        return satisfiable(formula, who)

    def _decision(self, world: World, request: Request) -> Decision:
        """Return the decision, for what is there: nobody reaches what the other world alone has."""
        other = self.after if world is self.before else self.before
        who, on = request.principal.identity(), request.resource
        gone = who in other.identities and who not in world.identities
        here, there = world.resource(on), other.resource(on)
        gone = gone or (there is not None and here is None)
        if world is self.before and isinstance(here, AccessPoint):  # one cannot be moved
            gone = gone or (isinstance(there, AccessPoint) and here.bucket != there.bucket)
        return Decision(request=request, allowed=False) if gone else evaluate(world, request)

    def _tell(
        self,
        kind: Literal["appears", "disappears", "alone"],
        decision: Decision,
        actions: Iterable[str],
    ) -> None:
        halves = {_half(document) for document, _ in _letting(decision)}
        missing = {Half(what=m.what, account=m.account, name=m.of) for m in decision.missing}
        on = self._on(decision)
        asked = decision.request.resource
        said = {f"{asked} fits {on}"}  # by the pattern, of any such resource
        for world in (self.before, self.after):
            said.add(f"{world.behind(asked)} fits {world.behind(on)}")
        ways = [tuple(text for text in way if text not in said) for way in decision.only_if()]
        row = Change(
            kind=kind,
            who=decision.request.principal,
            actions=(),
            on=on,
            example="",
            only_if=tuple(ways) if kind != "alone" else (),
            halves=tuple(sorted(halves, key=str)),
            missing=tuple(sorted(missing, key=str)) if kind == "alone" else (),
        )
        if row.only_if == ((),):
            row = replace(row, only_if=())
        self._rows[row] |= dict.fromkeys(actions)
        self._examples.setdefault(row, asked)

    def _on(self, decision: Decision) -> str:
        """Return the narrowest pattern that lets the request, within its bucket if it is known."""
        resource = decision.request.resource
        head, sign = parted(resource)
        patterns = _patterns(decision)
        if self.before.resource(resource) is None and self.after.resource(resource) is None:
            return max(patterns, key=len, default=resource)
        within = {p for p in patterns if p.startswith(head) and (sign in p) == (sign in resource)}
        everything = f"{head}{sign}*" if head_of(resource) != resource else resource
        return max(within, key=len, default=everything)


def _speaks_of_callers(formula: Formula) -> bool:
    return any(isinstance(one, Test) and _CALLER.lower() in one.keys for one in atoms(formula))


def _half(document: Document) -> Half:
    """Return ``document`` as a half of a permission."""
    return Half(what=document.kind, account=document.account, name=document.name)


def _letting(decision: Decision) -> set[tuple[Document, object]]:
    return {(f.document, f.statement) for f in decision.findings if f.effect == "Allow"}


def _patterns(decision: Decision) -> set[str]:
    """Return the patterns by which statements let the request: those that surely do, if any."""
    letting = {
        pattern: resource_matches(pattern, decision.request.resource, {})
        for _, statement in _letting(decision)
        for pattern in getattr(statement, "resources", ())
    }
    surely = {pattern for pattern, fits in letting.items() if fits is True}
    return surely or {pattern for pattern, fits in letting.items() if fits is not False}
