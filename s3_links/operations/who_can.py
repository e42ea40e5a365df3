"""Who can reach a bucket, from what is declared: the synthesized documents, evaluated."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s3_cross_account.actions import as_listed, problems
from s3_cross_account.through import objects_of
from s3_links.reach.matching import action_matches, resource_matches
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.world import AccessPoint, World, head_of

from .asked import Note
from .compared import Comparison
from .joined import joined
from .labels import Labels
from .rows import points_of, rows_of, told_once
from .sharing import Declared, sources
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from s3_links.declarations.links import Links
    from s3_links.world import Principal

    from .rows import Row
    from .stack import Stack


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
    rows = [row for arn, world in found.by_arn() for row in told_once(world, rows_of(world, arn))]
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
