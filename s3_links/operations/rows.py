"""Who reaches a bucket of a world: a row for each, directly, by a role or by an access point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.reading import Unreadable
from s3_links.reach.difference import Half, difference
from s3_links.reach.evaluate import evaluate
from s3_links.reach.logic import alternatives, every
from s3_links.world import AccessPoint, Request, World, head_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_links.reach.difference import Change
    from s3_links.reach.logic import Formula
    from s3_links.world import Principal

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


def told_once(world: World, rows: Iterable[Row]) -> Iterator[Row]:
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
