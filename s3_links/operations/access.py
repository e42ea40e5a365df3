"""Which access a plan makes appear and disappear: what the evaluator finds, by its statements."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.policy import document as as_json
from s3_cross_account.reading import Unreadable
from s3_links.reach.difference import Found, found
from s3_links.reach.principals import Named, named

from . import letting
from .insiders import ORGANIZATION
from .labels import Labels
from .outside import is_outsider, lets_outsiders_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3_cross_account.policy import Statement
    from s3_links.world import Document, Principal, World

    from .moments import Moments


@dataclass(frozen=True, order=True)
class Stated:
    """A statement that lets or refuses something, as JSON, and the block that it stands in."""

    half: str
    account: str
    place: str
    text: str


@dataclass(frozen=True, order=True)
class Access:
    """What a principal may do to a bucket, a role or a key, and the documents that say so.

    ``works`` is false while a document is missing that AWS asks for as well, or cannot be seen:
    across accounts one half alone grants nothing. ``alone`` is true where it is known to be
    missing. ``public`` is true where it is for somebody outside of what was declared. ``who`` and
    ``where`` are the principal and the resource as AWS names them, ``owner`` is the account of the
    resource where that is known, ``statements`` are what says so.
    """

    principal: str
    target: str
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    halves: tuple[str, ...]
    works: bool
    effect: str = "Allow"
    alone: bool = False
    public: bool = False
    who: tuple[tuple[str, str], ...] = ()
    where: str = ""
    owner: str = ""
    statements: tuple[Stated, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return all of it for a machine, the principal also as an object."""
        return asdict(self) | {"who": dict(self.who)}


@dataclass(frozen=True)
class Difference:
    """The access that a plan makes appear and disappear, and what cannot be decided."""

    appears: list[Access]
    disappears: list[Access]
    undecided: list[str]


def difference(moments: Moments) -> Difference:
    """Return the difference between the two moments of a plan."""
    return _Told(moments).result()


def staying(moments: Moments, appears: Iterable[Access]) -> list[Access]:
    """Return the access that is there after a plan, but for what ``appears`` by it."""
    if moments.worlds[0] == moments.beside.world:
        return []  # all of it is new
    new: dict[Access, set[str]] = defaultdict(set)
    for row in appears:
        new[_without_actions(row)] |= set(row.actions)
    left = [
        replace(row, actions=tuple(a for a in row.actions if a not in new[_without_actions(row)]))
        for row in difference(moments.from_nothing()).appears
    ]
    return [row for row in left if row.actions]


def _without_actions(row: Access) -> Access:
    """Return what rows have in common that are told as one, but for their actions."""
    told = replace(row, actions=(), works=False, alone=False, public=False)
    return replace(told, who=(), where="", owner="", statements=())


class _Told:
    def __init__(self, moments: Moments) -> None:
        self._moments, self._worlds = moments, moments.worlds
        self._labels = Labels(moments.accounts)
        self._elsewhere = moments.beside.documents()
        # By the side that it is told on, and by all but its actions and their statements.
        self._rows: dict[tuple[str, Access], dict[str, set[letting.Part]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self._words: dict[letting.Part, Stated] = {}

    def result(self) -> Difference:
        decided, undecided = found(*self._worlds)
        for one in decided:
            self._tell(one)
        self._tell_unreadable()
        return Difference(
            appears=self._side("appears"),
            disappears=self._side("disappears"),
            undecided=list(dict.fromkeys(undecided)),
        )

    def _side(self, side: str) -> list[Access]:
        merged: dict[Access, list[tuple[Access, dict[str, set[letting.Part]]]]] = defaultdict(list)
        for (on, row), actions in self._rows.items():
            if on == side:
                merged[_without_actions(row)].append((row, actions))
        result = []
        for rows in merged.values():
            # A group of actions that nobody is missing a half for covers those that somebody is.
            by_actions: dict[str, list[Access]] = defaultdict(list)
            parts: dict[str, set[letting.Part]] = defaultdict(set)
            for row, actions in rows:
                for action, by in actions.items():
                    by_actions[action].append(row)
                    parts[action] |= by
            groups: dict[Access, list[str]] = defaultdict(list)
            for action, ones in by_actions.items():
                strongest = min(ones, key=lambda one: (one.alone, not one.works))
                whole = replace(strongest, public=any(one.public for one in ones))
                groups[whole].append(action)
            for row, names in groups.items():
                stated = {self._stated(part) for name in names for part in parts[name]}
                told = replace(row, statements=tuple(sorted(stated)))
                result.append(replace(told, actions=tuple(sorted(names))))
        return sorted(result)

    def _stated(self, part: letting.Part) -> Stated:
        document, statement = part
        if part not in self._words:
            text = statement.text if isinstance(statement, Unreadable) else _words(statement)
            place = self._moments.place(document)
            self._words[part] = Stated(document.kind, document.account, place, text)
        return self._words[part]

    # What is decided otherwise

    def _tell(self, one: Found) -> None:
        decision, other = one.decision, one.was if one.kind == "appears" else one.now
        new = letting.by(decision, "Allow") - letting.by(other, "Allow")
        if one.kind == "alone":
            other = one.was
            new = letting.by(decision, "Allow") - letting.by(other, "Allow")
            if decision.missing:
                for document, statement in new:
                    self._add(one, "appears", [(document, statement)], alone=True)
            return
        refusals = letting.by(other, "Deny") - letting.by(decision, "Deny")
        read = {part for part in new if not isinstance(part[1], Unreadable)}
        every = letting.combinations(decision)
        if letting_more := [together for together in every if read & set(together)]:
            for combination in letting_more:
                self._add(one, one.kind, combination)
        elif refusals:
            opposite = "disappears" if one.kind == "appears" else "appears"
            for document, statement in refusals:
                self._add(one, opposite, [(document, statement)], effect="Deny")
        elif read or not new:  # a boundary, or a setting: every statement that lets it
            for combination in every:
                self._add(one, one.kind, combination)

    def _add(
        self,
        one: Found,
        side: str,
        parts: list[letting.Part],
        *,
        effect: str = "Allow",
        alone: bool = False,
    ) -> None:
        read = [(d, s) for d, s in parts if not isinstance(s, Unreadable)]
        if not read or all(document in self._elsewhere for document, _ in parts):
            return  # told as what it is, or by the stack that it is of
        decision = one.decision
        resource = decision.request.resource
        label, dropped = self._who(decision.request.principal, read)
        pattern = letting.resource([s for _, s in read], resource, self._known(resource))
        target, path = self._labels.target(pattern)
        conditions = {
            f"{c.test} {c.variable} {', '.join(sorted(c.values))}"
            for _, statement in read
            for c in statement.conditions
        }
        everybody = label.startswith("everyone")
        halves = {d.kind for d, _ in parts if not everybody or d.kind not in letting.IDENTITY}
        row = Access(
            principal=label,
            target=target,
            actions=(),
            paths=(path,) if path else (),
            conditions=tuple(sorted(conditions - dropped)),
            halves=tuple(sorted(halves or {d.kind for d, _ in parts})),
            works=not alone and letting.certain(decision.allowed),
            effect=effect,
            alone=alone,
            public=one.kind == "appears" and lets_outsiders_in(one, self._moments),
            who=_typed(decision.request.principal),
            where=resource,
            owner=self._owner(resource),
        )
        for action in one.actions:
            action = letting.action([s for _, s in read], action)
            self._rows[side, row][action] |= set(parts)

    def _known(self, resource: str) -> bool:
        return any(world.resource(resource) is not None for world in self._worlds)

    def _owner(self, resource: str) -> str:
        found = (world.resource(resource) for world in self._worlds)
        return next(
            (one.account for one in found if one is not None), self._moments.owner(resource)
        )

    def _who(self, who: Principal, parts: list[tuple[Document, Statement]]) -> tuple[str, set[str]]:
        """Return in a reader's words whom statements let in, and the conditions that say so."""
        own = str(who.arn) if who.kind == "role" and who.name else ""
        for document, statement in parts:
            if document.kind in letting.IDENTITY:
                continue
            if statement.not_principals:
                names = [i for group in statement.not_principals for i in group.identifiers]
                return f"everyone but {', '.join(map(self._labels.principal, names))}", set()
            for group in statement.principals:
                for identifier in group.identifiers:
                    meant = named([replace(group, identifiers=(identifier,))], who)
                    if not meant:
                        continue
                    if identifier == "*":
                        return self._everyone(statement), set()
                    if found := self._permission_set(statement):
                        return found
                    if not own or meant[0][0] is not Named.ACCOUNT:
                        return self._labels.principal(identifier), set()
                    # The form that survives a role's recreation: its account, and a condition.
                    return self._labels.principal(own), {f"ArnEquals aws:PrincipalArn {own}"}
        if own:
            return self._labels.principal(own), set()
        return self._labels.anyone(who), set()

    @staticmethod
    def _everyone(statement: Statement) -> str:
        """Return everyone, or those in the organization or the unit of it that is asked for."""
        asked = {c.variable.lower(): c.values for c in statement.conditions if _positive(c.test)}
        within = asked.get(f"{ORGANIZATION[:-2]}paths") or asked.get(ORGANIZATION)
        return f"everyone in {', '.join(within)}" if within else "everyone"

    def _permission_set(self, statement: Statement) -> tuple[str, set[str]] | None:
        """Return the permission set that an account is named for, and the condition on it."""
        for c in statement.conditions:
            if c.variable == "aws:PrincipalArn" and c.test == "ArnLike":
                label = self._labels.principal(c.values[0])
                if label.startswith("permission set"):
                    return label, {f"{c.test} {c.variable} {', '.join(sorted(c.values))}"}
        return None

    # What cannot be read

    def _tell_unreadable(self) -> None:
        was, now = (dict(_unreadable(world)) for world in self._worlds)
        for side, ours, theirs in (("appears", now, was), ("disappears", was, now)):
            for key in ours.keys() - theirs.keys():
                self._add_unreadable(side, *key, where=ours[key])

    def _add_unreadable(
        self, side: str, statement: Unreadable, document: Document, *, where: str
    ) -> None:
        content = _content(statement.text)
        effect = content.get("Effect")
        who = [where] if document.kind in letting.IDENTITY else _principals(content) or ["*"]
        foreign = statement.reason.endswith("is not written here")
        action = f"cannot be read: {statement.text}"
        target = f"({self._moments.place(document)})"
        if foreign and document.kind == "identity policy":
            action, target = f"policy {document.name.rpartition('/')[2]}", "(its own)"
        effects = [effect] if effect in ("Allow", "Deny") else ["Allow"]
        if effect not in ("Allow", "Deny") and not foreign:
            effects = ["Allow", "Deny"]
        for effect_, one in itertools.product(effects, who):
            label = self._labels.principal(one)
            row = Access(
                principal=label,
                target=target,
                actions=(),
                paths=(),
                conditions=(),
                halves=(document.kind,),
                works=True,
                effect=effect_,
                public=side == "appears" and is_outsider(one, self._moments),
                where=document.name,
            )
            self._rows[side, row][action].add((document, statement))


def _unreadable(world: World) -> Iterator[tuple[tuple[Unreadable, Document], str]]:
    """Yield what cannot be read, with its document and the ARN of whose it is."""
    documents: list[tuple[Document | None, str]] = [
        (document, str(who.arn))
        for who, identity in world.identities.items()
        for document in (*identity.policies, identity.boundary)
    ]
    documents += [(resource.policy, arn) for arn, resource in world.resources.items()]
    for document, where in documents:
        for statement in document.statements if document else ():
            if isinstance(statement, Unreadable) and document is not None:
                # Told once, whatever else the document says.
                yield (statement, replace(document, statements=())), where


def _positive(test: str) -> bool:
    """Whether a condition's operator asks for its values, and for them alone."""
    return test.removeprefix("ForAnyValue:") in ("StringEquals", "StringLike")


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _principals(content: dict[str, Any]) -> list[str]:
    """Return whom a statement names that cannot be read otherwise."""
    named_ = content.get("Principal")
    values = named_.values() if isinstance(named_, dict) else [named_]
    texts = [t for value in values for t in (value if isinstance(value, list) else [value])]
    if "NotPrincipal" in content or not all(isinstance(text, str) for text in texts):
        return []
    return [str(text) for text in texts]


def _words(statement: Statement) -> str:
    return json.dumps(as_json([statement])["Statement"][0], indent=2, ensure_ascii=False)


def _typed(who: Principal) -> tuple[tuple[str, str], ...]:
    given_ = {"kind": who.kind, "account": who.account, "path": who.path, "name": who.name}
    return tuple((key, value) for key, value in given_.items())
