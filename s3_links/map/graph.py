"""The graph that is drawn: accounts, what is in them, and the access between that."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["role", "user", "bucket", "key", "service", "public", "other"]
State = Literal["stays", "appears", "disappears"]


@dataclass(frozen=True, order=True)
class Account:
    """A box: its alias, and its id where that is known and another."""

    name: str
    id: str = ""


@dataclass(frozen=True, order=True)
class Node:
    """Somebody who reaches, or what is reached; ``account`` is a box's name, or empty."""

    id: str
    kind: Kind
    name: str
    account: str = ""


@dataclass(frozen=True, order=True)
class Half:
    """A statement of one half, as JSON, and the block that it stands in; ``account`` is a name."""

    what: str
    account: str
    place: str
    text: str


@dataclass(frozen=True, order=True)
class Grant:
    """What an edge lets: actions, on which part of what it leads to, and on which conditions."""

    link: str
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    halves: tuple[Half, ...]


@dataclass(frozen=True, order=True)
class Missing:
    """A half without which an edge grants nothing, known not to be there or just not seen."""

    what: str
    account: str
    known: bool


@dataclass(frozen=True, order=True)
class Edge:
    """Access from one node to another; ``labels`` are a line for each level that it gives."""

    id: str
    source: str
    target: str
    state: State
    labels: tuple[str, ...]
    grants: tuple[Grant, ...]
    missing: Missing | None = None


@dataclass(frozen=True)
class Graph:
    """All of it; ``unread`` is what cannot be drawn, because it cannot be read."""

    accounts: tuple[Account, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    unread: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Return it for a script; nothing in it ends an element of HTML."""
        return json.dumps(asdict(self), ensure_ascii=False).replace("<", "\\u003c")


SIGNS: dict[State, str] = {"stays": "", "appears": "+ ", "disappears": "− "}
"""What stands before the words of an edge, beside its colour."""


def missing_words(missing: Missing) -> str:
    """Return which half is missing in a few words."""
    return f"{missing.what} {'missing' if missing.known else 'not seen here'}"
