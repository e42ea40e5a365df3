"""The files of links: JSON or YAML, one or a folder of them, as one content that knows its lines.

ruamel.yaml reads YAML 1.2, in which ``no`` is text and JSON is YAML too: so the lines of both come
from it. Those of JSON are looked for only when something is wrong.
"""

from __future__ import annotations

import json
import re
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from .errors import ConfigurationError
from .files import SUFFIXES, json_object, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ruamel.yaml.nodes import Node

    from .part import Place, Problem

_SLIP = re.compile(r"\.(jsonc?|ya?ml)(\.(txt|json|ya?ml))?$", re.IGNORECASE)
_OF_YAML = "tag:yaml.org,2002:"
_MOST = 100_000
"""Values in one file: anchors in anchors would otherwise fill the memory."""


class Document:
    """One file of links."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._text = text_of(file)
        if file.suffix == ".json":
            self.content, self.problems = json_object(self._text, str(file))
        else:
            if not isinstance(self._values.top, dict):
                raise ConfigurationError([f"{file}: write keys and their values: accounts: …"])
            self.content, self.problems = self._values.top, self._values.problems

    def line(self, place: Place) -> int | None:
        """Return the line in which this place begins, if it is here."""
        return self._values.lines.get(place)

    @cached_property
    def _values(self) -> _Values:
        values = _Values()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ReusedAnchorWarning)
                node = YAML(typ="safe", pure=True).compose(self._text)
            if node is None:
                raise ConfigurationError([f"{self.file}: is empty: write it"])
            values.top = values.of(node, ())
        except (YAMLError, ReusedAnchorWarning) as error:
            if self.file.suffix != ".json":
                raise ConfigurationError([_unreadable(self.file, error)]) from None
        except RecursionError:
            told = "is nested too deeply: flatten it"
            raise ConfigurationError([f"{self.file}: {told}"]) from None
        except _TooMuchError:
            told = f"has more than {_MOST} values, its anchors put in: use fewer"
            raise ConfigurationError([f"{self.file}: {told}"]) from None
        return values


class Documents(NamedTuple):
    """All files of links, as if they were one."""

    path: Path
    all: Sequence[Document]
    content: dict[str, Any]
    problems: list[Problem]

    def where(self, place: Place) -> str:
        """Return the file, and the line as far as it is known, of a place in the content."""
        for end in range(len(place), 0, -1):
            for document in self.all:
                if line := document.line(place[:end]):
                    return f"{document.file}:{line}"
        return str(self.path)


def read(path: Path) -> Documents:
    """Return what is in the file, or the folder of files, or raise :class:`ConfigurationError`."""
    if path.suffix in SUFFIXES:
        document = Document(path)
        return Documents(path, [document], document.content, document.problems)
    if not path.is_dir():
        raise ConfigurationError(
            [f"{path}: is no folder, and ends in none of {', '.join(SUFFIXES)}"]
        )
    problems: list[str] = []
    documents: list[Document] = []
    for file in _files(path):
        try:
            documents.append(Document(file))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    content, found = _together(documents)
    return Documents(path, documents, content, [p for d in documents for p in d.problems] + found)


def _files(folder: Path) -> list[Path]:
    """Return the folder's files of links: hidden files, and those of other purposes, are not."""
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    files = [entry for entry in entries if entry.suffix in SUFFIXES]
    if slips := [e for e in entries if e not in files and _SLIP.search(e.name)]:
        raise ConfigurationError(
            f"{slip}: its name ends in none of {', '.join(SUFFIXES)}: rename it, or move it away"
            for slip in slips
        )
    if inner := [e for e in entries if e.is_dir() and any(map(_is_of_links, e.rglob("*")))]:
        raise ConfigurationError(
            f"{one}: is a folder, and only {folder} itself is read: move its files there"
            for one in inner
        )
    if not files:
        raise ConfigurationError([f"{folder}: has no file in it: write one, such as accounts.yaml"])
    return files


def _is_of_links(file: Path) -> bool:
    return file.suffix in SUFFIXES and not file.name.startswith(".")


def _together(documents: Sequence[Document]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the content of all, and what two of them declare."""
    content: dict[str, Any] = {}
    problems: list[Problem] = []
    first: dict[Place, Document] = {}

    def put(into: dict[str, Any], key: str, value: Any, place: Place, document: Document) -> None:
        owner = first.setdefault(place, document)
        if owner is document:
            into[key] = value
            return
        files = " and ".join(f"{d.file}:{d.line(place)}" for d in (owner, document))
        problems.append((place, f"is declared twice, in {files}: remove one"))

    for document in documents:
        for key, value in document.content.items():
            if key == "$schema":
                continue
            if key in ("accounts", "links") and isinstance(value, dict):
                inside = content.setdefault(key, {})
                for name, item in value.items() if isinstance(inside, dict) else ():
                    put(inside, name, item, (key, name), document)
            else:
                put(content, key, value, (key,), document)
    return content, problems


class _TooMuchError(Exception):
    pass


class _Values:
    """The plain values of YAML's nodes, their lines, and what YAML would make of them unasked."""

    def __init__(self) -> None:
        self.top: Any = None
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._inside: list[Node] = []
        self._count = 0

    def of(self, node: Node, place: Place) -> Any:
        """Return the value of a node."""
        self._count += 1
        if self._count > _MOST:
            raise _TooMuchError
        if any(node is outer for outer in self._inside):
            self.problems.append((place, f"the anchor {node.anchor!r} holds itself: write it out"))
            return None
        kind = str(node.tag).removeprefix(_OF_YAML)
        if kind not in _KINDS[type(node)]:
            tag = str(node.tag).replace(_OF_YAML, "!!")
            self.problems.append((place, f"the tag {tag} is not known here: remove it"))
        if isinstance(node, ScalarNode):
            return self._scalar(node, kind, place)
        self._inside.append(node)
        value = (
            self._mapping(node, place) if isinstance(node, MappingNode) else self._list(node, place)
        )
        self._inside.pop()
        return value

    def _list(self, node: Node, place: Place) -> list[Any]:
        found = []
        for number, item in enumerate(node.value):
            self.lines[*place, number] = item.start_mark.line + 1
            found.append(self.of(item, (*place, number)))
        return found

    def _mapping(self, node: Node, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, line = key.value, key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.tag != f"{_OF_YAML}str":
                self.problems.append((place, f"line {line}: {_wrong_key(key)}"))
                continue
            if name in found:
                told = f"the key {json.dumps(name)} stands twice, in lines "
                told += f"{self.lines[*place, name]} and {line}: remove one"
                self.problems.append((place, told))
            self.lines[*place, name] = line
            found[name] = self.of(value, (*place, name))
        return found

    def _scalar(self, node: ScalarNode, kind: str, place: Place) -> Any:
        written = node.value
        plain = {"true": True, "false": False} if kind == "bool" else {}
        if kind == "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,9})", written):
            return int(written)
        if kind == "bool" and written.lower() in plain:
            return plain[written.lower()]
        if kind == "null":
            return None
        if kind in _READ_AS:
            told = f"YAML takes {written} for {_READ_AS[kind]}: quote it, {json.dumps(written)}"
            self.problems.append((place, told))
        return written


_KINDS: dict[type[Node], tuple[str, ...]] = {
    ScalarNode: ("str", "int", "float", "bool", "null", "timestamp"),
    SequenceNode: ("seq",),
    MappingNode: ("map",),
}
_READ_AS = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
}


def _wrong_key(key: Node) -> str:
    if key.tag == f"{_OF_YAML}merge":
        return "<< does not merge here: write the keys out"
    if not isinstance(key, ScalarNode):
        return "a key is a list or an object: write text"
    return f"the key {key.value} is not text: quote it, {json.dumps(key.value)}"


def _unreadable(file: Path, error: Exception) -> str:
    told = str(getattr(error, "problem", None) or error).splitlines()[0]
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    place = f"{file}:{mark.line + 1}" if mark else str(file)
    if isinstance(error, ReusedAnchorWarning):
        return f"{place}: two anchors have one name: rename one"
    if "another document" in told:
        return f"{place}: begins another document: keep one, without ---"
    if r"'\t'" in told:
        return f"{place}: has a tab where YAML takes spaces only: replace it"
    return f"{place}: is not YAML: {told}: mend it there"
