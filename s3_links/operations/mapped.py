"""The map of stacks: of what is declared, or of what their plans make appear and disappear."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from s3_cross_account.actions import LEVELS
from s3_links.declarations.files import write
from s3_links.map.drawing import DrawingError, page, svg
from s3_links.map.graph import Account, Edge, Grant, Graph, Half, Kind, Missing, Node, State
from s3_links.map.mermaid import fits, mermaid

from .access import Access, Stated, difference
from .moments import Moments
from .stack import OperationError, Stack
from .summary import Summary, to_merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_KINDS: dict[str, Kind] = {":s3:": "bucket", ":iam:": "role", ":kms:": "key"}
_HALVES: dict[Kind, str] = {"bucket": "bucket policy", "role": "trust policy", "key": "key policy"}
_LEVELS = {frozenset(actions): name for name, actions in LEVELS.items()}
_LONGEST = 30
_ENCRYPTED = re.compile(r":s3:::([^/, ]+)")


def declared(stacks: Iterable[Stack]) -> list[Summary]:
    """Return the access of synthesized stacks, as what stays."""
    return [_declared(stack) for stack in stacks]


def _declared(stack: Stack) -> Summary:
    moments = Moments.declared(stack.content)
    found = difference(moments)
    return Summary(
        stack=stack.name,
        changes=[],
        appears=[],
        disappears=[],
        to_merge=to_merge(stack.content),
        undecided=found.undecided,
        stays=found.appears,
        accounts=moments.after.accounts,
    )


def planned(file: Path, names: Sequence[str] = ()) -> list[Summary]:
    """Return the summaries in a ``summary.json``, all of them or those of some stacks."""
    try:
        stacks = json.loads(file.read_text(encoding="utf-8"))["stacks"]
        found = {values["stack"]: _summary(values) for values in stacks}
    except (OSError, ValueError, KeyError, TypeError):
        raise OperationError(f"{file}: holds no summary: run `s3-links plan` first") from None
    if unknown := [name for name in names if name not in found]:
        told = f"there is no {', '.join(unknown)}: choose from {', '.join(found)}"
        raise OperationError(f"{file}: {told}")
    return [found[name] for name in names or found]


def _summary(values: Mapping[str, Any]) -> Summary:
    sides: dict[str, Any] = {
        side: list(map(_access, values[side])) for side in ("appears", "disappears", "stays")
    }
    same = {name: values[name] for name in ("stack", "to_merge", "undecided", "accounts")}
    return Summary(changes=[], **sides, **same)


def _access(values: Mapping[str, Any]) -> Access:
    lists = ("actions", "paths", "conditions", "halves")
    statements = tuple(Stated(**stated) for stated in values["statements"])
    typed = {"who": tuple(values["who"].items()), "statements": statements}
    return Access(**{**values, **{name: tuple(values[name]) for name in lists}, **typed})


def graph(summaries: Iterable[Summary]) -> Graph:
    """Return the map of stacks: what one names as the other does is one node."""
    return _Builder(list(summaries)).graph()


def of_changes(summaries: Iterable[Summary]) -> str | None:
    """Return as Mermaid the stacks whose access changes: nothing without any.

    ``None``: Mermaid would not draw it.
    """
    drawn = graph(summary for summary in summaries if summary.appears or summary.disappears)
    text = mermaid(drawn) if drawn.edges else ""
    return text if fits(text, drawn) else None


class _Builder:
    def __init__(self, summaries: list[Summary]) -> None:
        self._summaries = summaries
        self._aliases = {id_: alias for s in summaries for alias, id_ in s.accounts.items()}
        self._nodes: dict[str, Node] = {}
        self._grants: dict[tuple[str, str, State, Missing | None], list[Grant]] = defaultdict(list)
        self._unread: dict[str, None] = {}

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
        def place(entry: tuple[tuple[str, str, State, Missing | None], list[Grant]]) -> str:
            # Readers go from link to link.
            return repr((min(grant.link for grant in entry[1]), entry[0]))

        for number, (key, grants) in enumerate(sorted(self._grants.items(), key=place)):
            source, target, state, missing = key
            yield Edge(
                id=f"e{number}",
                source=source,
                target=target,
                state=state,
                labels=tuple(_levels(grants)),
                grants=tuple(sorted(grants)),
                missing=missing,
            )

    def _add(self, stack: str, state: State, access: Access) -> None:
        if not access.who:  # what cannot be read
            self._unread |= {f"{stack}: {action}": None for action in access.actions}
            return
        target = self._target(stack, access)
        source = self._source(stack, access, target)
        halves = [Half(s.half, self._alias(s.account), s.place, s.text) for s in access.statements]
        grant = Grant(stack, access.actions, access.paths, access.conditions, tuple(halves))
        missing = None if access.works else _missing(access, source, target)
        self._grants[source.id, target.id, state, missing].append(grant)

    def _target(self, stack: str, access: Access) -> Node:
        signs = (kind for sign, kind in _KINDS.items() if sign in access.where)
        kind: Kind = next(signs, "other")
        name = access.target.removeprefix(f"{kind} ").partition(" (")[0]
        if kind == "key":  # a reader knows it by the buckets that it is for
            buckets = {b for c in access.conditions for b in _ENCRYPTED.findall(c)}
            name = f"of {', '.join(sorted(buckets))}" if buckets else name
        return self._node(stack, access.target, kind, name, self._alias(access.owner))

    def _source(self, stack: str, access: Access, target: Node) -> Node:
        who = dict(access.who)
        account, label = self._alias(who["account"]), access.principal
        if label.startswith("everyone"):
            return self._node(stack, label, "public", label, "")
        if who["kind"] not in ("role", "user", "account"):
            # One for each that it reaches: it is nobody's, and would only join what is apart.
            return self._node(stack, f"{label} > {target.id}", "service", label, target.account)
        if label == f"role {who['name']} ({account})":
            return self._node(stack, label, "role", who["name"], account)
        return self._node(
            stack, label, "user" if who["kind"] == "user" else "other", label, account
        )

    def _node(self, stack: str, label: str, kind: Kind, name: str, account: str) -> Node:
        # Names that are completed later are each stack's own, however alike they begin.
        id_ = f"{label} in {stack}" if "…" in label else label
        known = self._nodes.get(id_)
        if known is None or not known.account:
            self._nodes[id_] = Node(id_, kind, name, account)
        return self._nodes[id_]

    def _alias(self, account: str) -> str:
        return self._aliases.get(account, account)


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
    if name := _LEVELS.get(frozenset(actions)):
        return name
    names = sorted({action.partition(":")[2] or action for action in actions})
    shown = 1
    while shown < len(names) and len(", ".join(names[: shown + 1])) <= _LONGEST:
        shown += 1
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" +{more}" if more else "")


# How it is drawn

Format = Literal["mermaid", "svg", "html"]
_FORMATS: dict[str, Format] = {".svg": "svg", ".html": "html", ".htm": "html"}


def format_of(output: Path | None) -> Format:
    """Return the format that a file's name says: Mermaid where it says nothing."""
    return _FORMATS.get(output.suffix.lower(), "mermaid") if output else "mermaid"


def draw(drawn: Graph, format_: Format) -> str:
    """Return a map in a format; raise :class:`OperationError` where Node.js cannot draw it."""
    if format_ == "mermaid":
        return mermaid(drawn)
    try:
        return page(drawn) if format_ == "html" else svg(drawn)
    except DrawingError as error:
        raise OperationError(str(error)) from None


def save(output: Path, drawn: str) -> None:
    """Write a map into a file."""
    try:
        write(output, drawn.encode())
    except OSError as error:
        raise OperationError(f"{output}: cannot be written to ({error.strerror})") from None
