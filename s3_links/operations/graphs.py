"""The access of stacks as the graph that is drawn: who is a node, and what is one edge."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from s3_cross_account.actions import LEVELS, of_level
from s3_links.map.graph import Account, Edge, Grant, Graph, Half, Kind, Missing, Node, State
from s3_links.world import head_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .access import Access
    from .summary import Summary

_POINT = ":accesspoint/"
_KINDS: dict[str, Kind] = {
    _POINT: "other",
    ":s3:": "bucket",
    ":iam:": "role",
    ":kms:": "key",
}
_HALVES: dict[Kind, str] = {"bucket": "bucket policy", "role": "trust policy", "key": "key policy"}
_LEVELS: dict[frozenset[str], dict[str, None]] = {}
for _name, _below in product(LEVELS, (False, True)):
    _LEVELS.setdefault(frozenset(of_level(_name, below_prefixes=_below)), {})[_name] = None
_LONGEST = 30
_REFUSALS: dict[State, str] = {
    "stays": "refused: ",
    "appears": "no longer refused: ",
    "disappears": "refused from now on: ",
}
_KEY_ID = re.compile(r" (?:mrk-)?[0-9a-f-]{32,36}$")
_THROUGH = re.compile(r"StringEquals s3:DataAccessPointArn ([^,]+)")
_ENCRYPTED = re.compile(r":s3:::([^/, ]+)")


def graph(summaries: Iterable[Summary]) -> Graph:
    """Return the map of stacks: what one names as the other does is one node."""
    return _Builder(list(summaries)).graph()


@dataclass(frozen=True)
class _Place:
    """What grants have in common that are one edge."""

    source: str
    target: str
    state: State
    refusal: bool
    missing: Missing | None


class _Builder:
    def __init__(self, summaries: list[Summary]) -> None:
        self._summaries = summaries
        self._aliases = {id_: alias for s in summaries for alias, id_ in s.accounts.items()}
        self._nodes: dict[str, Node] = {}
        self._grants: dict[_Place, list[Grant]] = defaultdict(list)
        self._unread: dict[str, None] = {}
        self._encrypted: dict[tuple[str, str], set[str]] = defaultdict(set)
        every = [(summary.stack, access) for summary in summaries for _, access in _told(summary)]
        for stack, access in every:
            self._encrypted[stack, access.target] |= _encrypted(access)
        points = {(stack, _point(access)) for stack, access in every if _POINT in access.where}
        # The buckets of access points, by what lets requests through these alone.
        self._behind = {
            (stack, point): access.target
            for stack, access in every
            if (point := _through(access)) and (stack, point) in points
        }

    def graph(self) -> Graph:
        for summary in self._summaries:
            for state, access in _told(summary):
                self._add(summary.stack, state, access)
            self._unread |= {f"{summary.stack}: {why}": None for why in summary.undecided}
        nodes = sorted(self._nodes.values(), key=lambda node: (node.account, node.kind, node.id))
        ids = {alias: id_ for id_, alias in self._aliases.items()}
        boxes = sorted({node.account for node in nodes if node.account})
        return Graph(
            accounts=tuple(Account(name, ids.get(name, "")) for name in boxes),
            nodes=tuple(nodes),
            edges=tuple(self._edges()),
            unread=tuple(self._unread),
        )

    def _edges(self) -> Iterator[Edge]:
        def place(entry: tuple[_Place, list[Grant]]) -> str:
            # Readers go from link to link.
            return repr((min(grant.link for grant in entry[1]), entry[0]))

        for number, (key, grants) in enumerate(sorted(self._seen().items(), key=place)):
            words = _REFUSALS[key.state] if key.refusal else ""
            yield Edge(
                id=f"e{number}",
                source=key.source,
                target=key.target,
                state=key.state,
                labels=tuple(words + level for level in _levels(grants)),
                grants=tuple(sorted(grants)),
                missing=key.missing,
            )

    def _seen(self) -> dict[_Place, list[Grant]]:
        """Return what is drawn: not what a key's user may of other keys, as far as they let it."""
        whole = {
            place: {
                action
                for grant in self._grants.get(replace(place, missing=None), [])
                for action in grant.actions
            }
            for place in self._grants
        }
        return {
            place: grants
            for place, grants in self._grants.items()
            if not place.target.startswith("key of ")
            or not (place.missing and {a for g in grants for a in g.actions} <= whole[place])
        }

    def _add(self, stack: str, state: State, access: Access) -> None:
        if not access.who:  # what cannot be read
            self._unread |= {f"{stack}: {action}": None for action in access.actions}
            return
        if (stack, _through(access)) in self._behind:
            return  # told of the access point
        target = self._target(stack, access)
        source = self._source(stack, access, target)
        halves = [Half(s.half, self._alias(s.account), s.place, s.text) for s in access.statements]
        grant = Grant(stack, access.actions, access.paths, access.conditions, tuple(halves))
        missing = None if access.works else _missing(access, source, target)
        refusal = access.effect == "Deny"
        self._grants[_Place(source.id, target.id, state, refusal, missing)].append(grant)

    def _target(self, stack: str, access: Access) -> Node:
        signs = (kind for sign, kind in _KINDS.items() if sign in access.where)
        kind: Kind = next(signs, "other")
        name = access.target.removeprefix(f"{kind} ").partition(" (")[0]
        if bucket := self._behind.get((stack, _point(access))):
            name += f" of {bucket}"
        if kind == "key":  # a reader knows it by the buckets that it is for
            buckets = ", ".join(sorted(_encrypted(access)))
            name = f"of {buckets}" if buckets else name
            of = ", ".join(sorted(self._encrypted[stack, access.target]))
            if of and "…" not in of and not _KEY_ID.search(access.target):
                # A new key is of one bucket, whose whole name is nobody else's.
                return self._named(f"key of {of}", kind, f"of {of}", self._alias(access.owner))
        return self._node(stack, access.target, kind, name, self._alias(access.owner))

    def _source(self, stack: str, access: Access, target: Node) -> Node:
        who = dict(access.who)
        account, label = self._alias(who["account"]), access.principal
        if label.startswith("everyone"):
            kind: Kind = "other" if label.startswith("everyone in ") else "public"
            return self._node(stack, label, kind, label, "")
        if who["kind"] not in ("role", "user", "account"):
            # One for each that it reaches: it is nobody's, and would only join what is apart.
            return self._node(stack, f"{label} > {target.id}", "service", label, target.account)
        named: tuple[Kind, ...] = ("role", "user")
        for kind in named:
            if label == f"{kind} {who['name']} ({account})":
                return self._node(stack, label, kind, who["name"], account)
        name = label.removesuffix(f" ({account})")
        return self._node(stack, label, "user" if who["kind"] == "user" else "other", name, account)

    def _node(self, stack: str, label: str, kind: Kind, name: str, account: str) -> Node:
        # Names that are not known yet are each stack's own, however alike they are.
        unknown = "…" in label or (kind == "key" and not _KEY_ID.search(label))
        return self._named(f"{label} in {stack}" if unknown else label, kind, name, account)

    def _named(self, id_: str, kind: Kind, name: str, account: str) -> Node:
        known = self._nodes.get(id_)
        if known is None or not known.account:
            self._nodes[id_] = Node(id_, kind, name, account)
        return self._nodes[id_]

    def _alias(self, account: str) -> str:
        return self._aliases.get(account, account)


def _point(access: Access) -> str:
    """Return the ARN of the access point that a request comes through, if it does."""
    return head_of(access.where) if _POINT in access.where else ""


def _through(access: Access) -> str:
    """Return the ARN of the access point that a bucket's policy asks to come through, if any."""
    found = (_THROUGH.fullmatch(condition) for condition in access.conditions)
    return next((one[1] for one in found if one and ":s3:::" in access.where), "")


def _encrypted(access: Access) -> set[str]:
    """Return the buckets whose objects a use of a key is for."""
    return {bucket for c in access.conditions for bucket in _ENCRYPTED.findall(c)}


def _told(summary: Summary) -> Iterator[tuple[State, Access]]:
    """Yield all access; a refusal that goes away lets somebody in, and the other way round."""
    for access in summary.stays:
        yield "stays", access
    for access in summary.appears:
        yield "disappears" if access.effect == "Deny" else "appears", access
    for access in summary.disappears:
        yield "appears" if access.effect == "Deny" else "disappears", access


def _missing(access: Access, source: Node, target: Node) -> Missing:
    if "identity policy" in access.halves:
        return Missing(_HALVES.get(target.kind, "other half"), target.account, access.alone)
    return Missing("identity policy", source.account, access.alone)


def _levels(grants: Iterable[Grant]) -> Iterator[str]:
    """Yield a line for each level that grants give together: its name, and below which keys."""
    by_path: dict[str, set[str]] = defaultdict(set)
    for grant in grants:
        for path in grant.paths or ("",):
            by_path[path] |= set(grant.actions)
    whole = by_path.pop("", set())
    paths: dict[str, list[str]] = defaultdict(list)
    for path, actions in sorted(by_path.items()):
        paths[_level(actions | whole)].append(path)
    if not by_path:
        yield _level(whole)
    for level, below in paths.items():
        yield level if below == ["*"] else f"{level} {', '.join(below)}"


def _level(actions: set[str]) -> str:
    if same := _LEVELS.get(frozenset(actions)):  # several services may need the same
        return " or ".join(same)
    names = sorted({action.partition(":")[2] or action for action in actions}, key=_telling)
    shown = 1
    while shown < len(names) and len(", ".join(names[: shown + 1])) <= _LONGEST:
        shown += 1
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" +{more}" if more else "")


def _telling(name: str) -> tuple[bool, str]:
    """Return the place of an action: a replication is known by those that S3 alone makes use of."""
    return "Replic" not in name, name
