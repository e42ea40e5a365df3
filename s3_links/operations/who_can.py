"""Who can reach a bucket, from what is declared: the synthesized documents, evaluated."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.actions import as_listed, problems
from s3_cross_account.reading import Unreadable
from s3_cross_account.through import objects_of
from s3_links.reach.difference import Half, difference
from s3_links.reach.evaluate import evaluate
from s3_links.reach.logic import alternatives, every
from s3_links.reach.matching import action_matches, resource_matches
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.world import AccessPoint, Request, World, head_of

from .asked import Note
from .compared import Comparison
from .joined import joined
from .labels import Labels
from .sharing import Declared, sources
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_links.declarations.links import Links
    from s3_links.reach.difference import Change
    from s3_links.reach.logic import Formula
    from s3_links.world import Principal

    from .stack import Stack


_NOBODY = "s3-links-nobody"
"""Stands for a role, and a key, that no document names."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one principal may do; ``through`` is the role that it assumes for that, if any.

    ``only_if`` are alternatives, each what has to hold together; none: always.
    """

    who: Principal
    through: Principal | None
    actions: tuple[str, ...]
    on: str
    only_if: tuple[tuple[str, ...], ...]
    halves: tuple[Half, ...]

    def values(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {
            "who": str(self.who),
            "through": str(self.through) if self.through else None,
            "actions": list(self.actions),
            "on": self.on,
            "only_if": [list(together) for together in self.only_if],
            "halves": [vars(half) for half in self.halves],
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who can reach a bucket or an object, and what is not known of it."""

    asked: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    labels: Labels

    def as_json(self) -> str:
        """Return it for a machine."""
        rows = [row.values() for row in self.rows]
        content = {"asked": self.asked, "who": rows, "notes": list(self.notes)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def cells(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield the rows as they are shown: who, may, only if, by which halves."""
        for row in self.rows:
            who = self._who(row.who)
            if row.through:
                who += f" as {self._who(row.through)}"
            target, path = self.labels.target(row.on)
            on = f"on {target}/{path}" if path else f"on {target}"
            only_if = " or ".join(" and ".join(together) for together in row.only_if)
            halves = dict.fromkeys(
                f"{half.what} in {self.labels.account(half.account)}" for half in row.halves
            )
            yield who, f"{', '.join(row.actions)} {on}", only_if or "always", ", ".join(halves)

    def _who(self, who: Principal) -> str:
        if who.arn and who.kind != "federated":
            return self.labels.principal(who.arn)
        return self.labels.anyone(who)


def who_can(stacks: Sequence[Stack], links: Links, asked: str, actions: Sequence[str]) -> Answer:
    """Return who can reach ``asked``: a bucket's name or prefix, perhaps with ``/`` and a key.

    Raises :class:`OperationError` for a bucket that no link declares, and for an action that S3
    does not know.
    """
    actions = known_actions(actions)
    bucket = asked.partition("/")[0]
    known = [name for link in links.links.values() for name in (b.name for b in link.buckets)]
    if bucket not in known:
        names = ", ".join(sorted(set(known)))
        raise OperationError(f"no link declares the bucket {bucket!r}: there are {names}")
    found = _Worlds(stacks, links, bucket)
    rows = [row for arn, world in found.by_arn() for row in _told_once(world, rows_of(world, arn))]
    wanted = chosen(rows, asked, actions)
    about = {str(who) for row in wanted for who in (row.who, row.through) if who}
    about |= {arn for arn, _ in found.by_arn()}
    notes = dict.fromkeys(note.text for note in found.notes if note.about in about)
    return Answer(asked=asked, rows=wanted, notes=tuple(notes), labels=found.labels)


def known_actions(actions: Sequence[str]) -> Sequence[str]:
    """Return actions as AWS lists them. Raises :class:`OperationError` for one that S3 lacks."""
    actions = as_listed(actions)
    if wrong := problems(action for action in actions if "*" not in action):
        raise OperationError("\n".join(wrong))
    return actions


def chosen(rows: Iterable[Row], asked: str, actions: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows of what is asked for: some actions, or a key."""
    _, slash, key = asked.partition("/")
    wanted = [
        replace(row, actions=some)
        for row in rows
        if (some := tuple(a for a in row.actions if _is_wanted(a, actions)))
        and (not slash or _covers(row.on, key))
    ]
    return tuple(sorted(wanted, key=lambda row: (str(row.who), str(row.through), row.on)))


def _told_once(world: World, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows without those of nobody but who has a row as a grantee.

    A policy that names an account, and its roles by a condition, lets in everybody in it whom the
    condition fits: a permission set's roles, say. So does one that names an organization.
    """
    rows = list(rows)
    for row in rows:
        others = any(
            (r.actions, r.on, r.through) == (row.actions, row.on, None) and r.who != row.who
            for r in rows
        )
        everybody = row.who.kind == "role" and not row.who.name and row.who.path == "/"
        direct = everybody and row.through is None
        if not (direct and others and _refused_otherwise(world, row)):
            yield row


def _refused_otherwise(world: World, row: Row) -> bool:
    who = row.who
    nobody = f"arn:{who.partition}:iam::{who.account}:role/{_NOBODY}"
    context = {
        "aws:PrincipalArn": (nobody,),
        "aws:PrincipalOrgID": ("o-0000000000",),
        "aws:PrincipalOrgPaths": ("o-0000000000/r-0000/",),
    }
    resource = row.on.replace("*", _NOBODY)
    request = Request(principal=who, action=row.actions[0], resource=resource, context=context)
    return evaluate(world, request).allowed is False


def _is_wanted(action: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(action_matches(pattern, action) for pattern in wanted)


def _covers(on: str, key: str) -> bool:
    head = head_of(on)
    return on != head and resource_matches(on, f"{objects_of(head)}{key}", {}) is not False


class _Worlds:
    """The worlds of the links that declare a bucket, joined where it is the same one."""

    def __init__(self, stacks: Sequence[Stack], links: Links, bucket: str) -> None:
        self.notes: list[Note] = []
        self._found: dict[tuple[str, str], list[World]] = defaultdict(list)
        self._accounts: dict[str, str] = {}
        others = sources(stacks, (links.links[s.name] for s in stacks if s.name in links.links))
        for stack in stacks:
            link = links.links.get(stack.name)
            names = [b.name for b in link.buckets] if link else []
            if link is None or bucket not in names:
                continue
            source = stack.content
            blocks = Blocks(declared_blocks(source), aliases_of(source), source)
            declared = Declared(blocks, link, links.accounts, others)
            world = Comparison(blocks, declared).seen
            self._accounts |= blocks.accounts
            self.labels = Labels(self._accounts)
            self.notes += declared.notes
            for name, arn in zip(names, declared.buckets, strict=True):
                if name == bucket:
                    # A new bucket is its link's alone: what follows its prefix is not known yet.
                    own = stack.name if "…" in arn else ""
                    self._found[own, arn].append(world)
                    account = self.labels.account(world.resources[arn].account)
                    text = f"whom {account}, the owner, lets in by IAM alone is not looked up"
                    self.notes.append(Note(arn, text))
                    self._of_points(points_of(world, arn).values(), arn)
                    if key := declared.keys.get(arn):
                        text = f"whoever reads or writes objects needs both halves of {key} too"
                        self.notes.append(Note(arn, text))

    def _of_points(self, points: Iterable[AccessPoint], arn: str) -> None:
        for point in points:
            what, account = self.labels.target(point.arn)[0], self.labels.account(point.account)
            text = f"whom {account} lets in through its {what} by IAM alone is not looked up"
            self.notes.append(Note(arn, text))

    def by_arn(self) -> Iterator[tuple[str, World]]:
        """Yield each bucket with all that is known of it."""
        for (_, arn), worlds in self._found.items():
            yield arn, joined(worlds)


def rows_of(world: World, arn: str) -> Iterator[Row]:
    """Yield who can reach a bucket of ``world``, by itself or by a role that it assumes.

    It is reached by its own name and by those of its access points.
    """
    points = points_of(world, arn)
    asked = {arn: world.resources[arn], **points}
    for change in difference(World(), replace(world, resources=asked)).of("appears"):
        on = head_of(change.example)
        nobody = not change.halves  # but whom an account lets in by IAM alone
        if on in asked and not nobody and not (on == arn and _told_of(world, change, points)):
            yield (row := _row(change))
            role, action = change.who, change.actions[0]
            if role.kind == "role" and role.name:
                request = Request(principal=role, action=action, resource=change.example)
                yield from _assumed(world, change, (row,), evaluate(world, request).allowed)


def points_of(world: World, arn: str) -> dict[str, AccessPoint]:
    """Return the access points of a bucket, by their ARNs."""
    return {
        on: point
        for on, point in world.resources.items()
        if isinstance(point, AccessPoint) and point.bucket == arn
    }


def _told_of(world: World, change: Change, points: Mapping[str, AccessPoint]) -> bool:
    """Whether a bucket's policy lets so through these access points alone, which tell of it."""
    others = [
        Request(
            principal=change.who,
            action=change.actions[0],
            resource=change.example,
            context={
                "s3:DataAccessPointArn": (f"{point.arn}-{_NOBODY}",),
                "s3:DataAccessPointAccount": (point.account,),
            },
        )
        for point in points.values()
    ]
    return bool(others) and all(evaluate(world, other).allowed is False for other in others)


def _row(change: Change, **parts: Any) -> Row:
    usual: Mapping[str, Any] = {
        "who": change.who,
        "through": None,
        "only_if": change.only_if,
        "halves": change.halves,
    }
    return Row(actions=change.actions, on=change.on, **{**usual, **parts})


def _assumed(
    world: World, change: Change, rows: tuple[Row, ...], allowed: Formula
) -> Iterator[Row]:
    """Yield a row for each role that may assume the one that the last row is of, and so on.

    ``allowed`` is when that one is.
    """
    role = rows[-1].who
    for caller in sorted(world.identities, key=str):
        request = Request(principal=caller, action="sts:AssumeRole", resource=str(role.arn))
        decision = evaluate(world, request)
        if caller in [row.who for row in rows] or decision.allowed is False:
            continue
        allows = [f for f in decision.findings if f.effect == "Allow"]
        # Of a chain's further roles only what is written is told: of one that is only looked up,
        # anybody in its account might be in the trust policy.
        if len(rows) > 1 and all(isinstance(f.statement, Unreadable) for f in allows):
            continue
        letting = {f.document for f in allows}
        both = every(decision.allowed, allowed)
        halves = {Half(what=d.kind, account=d.account, name=d.name) for d in letting}
        only_if = tuple(map(tuple, alternatives(both)))
        row = _row(
            change,
            who=caller,
            through=role,
            only_if=() if only_if == ((),) else only_if,
            halves=(*sorted(halves, key=str), *rows[-1].halves),
        )
        yield row
        yield from _assumed(world, change, (*rows, row), both)
