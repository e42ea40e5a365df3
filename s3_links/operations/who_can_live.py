"""Who can reach a bucket in the accounts themselves: what is really there, evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_links.live.world import Live

from .explain.declared import Declared
from .explain.explain import reader_of
from .explain.question import Finder
from .labels import Labels
from .rows import rows_of
from .stack import OperationError
from .who_can import Answer, chosen, known_actions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3_links.live.limits import Kind
    from s3_links.live.reader import Reader

    from .stack import Stack

_KINDS: tuple[Kind, ...] = ("service control policy", "resource control policy")


def who_can_live(stacks: Sequence[Stack], asked: str, actions: Sequence[str]) -> Answer:
    """Return who can reach a bucket, or an object of it, of everybody in the declared accounts.

    Only reads. What could not be read is noted, and counts as what access may depend on. Raises
    :class:`OperationError` where the bucket is not in any of the accounts.
    """
    return answered(reader_of(stacks), stacks, asked, actions)


def answered(reader: Reader, stacks: Sequence[Stack], asked: str, actions: Sequence[str]) -> Answer:
    """Return the answer of what ``reader`` reads."""
    actions = known_actions(actions)
    ids = {account.alias: account.id for account in reader.accounts.values()}
    target = Finder(reader, Declared(stacks, ids)).where(asked)
    if not target.owner.account:
        there = ", ".join(f"{alias} ({id_})" for alias, id_ in ids.items())
        unread = "".join(f"\n  {one}" for one in reader.unread)
        raise OperationError(f"{target.bucket or asked}: is no bucket of {there}{unread}")
    live = Live(reader)
    for account in reader.accounts:
        live.everybody(account)
        live.points(account, target.bucket)
        for kind in _KINDS:
            live.organization(account, kind)
    live.bucket(target.bucket, target.owner, target.arn.split(":")[1])
    rows = chosen(rows_of(live.world, target.arn), asked, actions)
    notes = (f"could not be read: {one}" for one in reader.unread)
    return Answer(asked=asked, rows=rows, notes=tuple(notes), labels=Labels(ids))
