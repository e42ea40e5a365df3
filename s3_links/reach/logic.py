"""Formulas: what has to hold for a request to be allowed.

A formula is ``True``, ``False``, an atom (one thing that is not known: a condition, or what could
not be read) or several joined. Joined formulas are simplified as they are made, so what does not
depend on anything unknown is ``True`` or ``False``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3_cross_account.policy import Condition

    from .matching import Fits


@dataclass(frozen=True)
class Unknown:
    """Something that no document says and that may be so or not, in a reader's words."""

    text: str


@dataclass(frozen=True)
class Test:
    """A condition, or an element with a policy variable, whose keys are not known.

    ``keys`` are the keys in lower case; ``subject`` is what decides once they are known, with what
    is ``known`` of its other keys; ``text`` and ``contrary`` are it and its contrary in a reader's
    words.
    """

    __test__ = False  # not one of pytest's

    keys: frozenset[str]
    subject: Condition | Fits
    text: str
    contrary: str
    known: frozenset[tuple[str, tuple[str, ...]]] = frozenset()

    @cached_property
    def _hash(self) -> int:
        return hash(self.subject)

    def __hash__(self) -> int:
        return self._hash


Atom = Unknown | Test


@dataclass(frozen=True)
class Joined:
    """Several formulas of which all, or any, hold."""

    every: bool
    parts: frozenset[Formula]

    @cached_property
    def _hash(self) -> int:
        return hash((self.every, self.parts))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Not:
    """The contrary of an atom."""

    part: Atom


Formula = bool | Unknown | Test | Joined | Not


def every(*formulas: Formula) -> Formula:
    """Return the formula that holds where all of ``formulas`` do."""
    return _joined(formulas, every=True)


def some(*formulas: Formula) -> Formula:
    """Return the formula that holds where any of ``formulas`` does."""
    return _joined(formulas, every=False)


def contrary(formula: Formula) -> Formula:
    """Return the formula that holds where ``formula`` does not."""
    if isinstance(formula, bool):
        return not formula
    if isinstance(formula, Not):
        return formula.part
    if isinstance(formula, Joined):
        return _joined(tuple(map(contrary, formula.parts)), every=not formula.every)
    return Not(formula)


def _joined(formulas: tuple[Formula, ...], *, every: bool) -> Formula:
    parts: set[Formula] = set()
    for formula in formulas:
        if isinstance(formula, bool):
            if formula is not every:
                return formula
        elif isinstance(formula, Joined) and formula.every is every:
            parts |= formula.parts
        else:
            parts.add(formula)
    if any(isinstance(part, Not) and part.part in parts for part in parts):
        return not every
    if not parts:
        return every
    if len(parts) == 1:
        return parts.pop()
    return Joined(every, frozenset(parts))


def atoms(formula: Formula) -> frozenset[Atom]:
    """Return everything unknown that ``formula`` speaks of."""
    if isinstance(formula, bool):
        return frozenset()
    if isinstance(formula, Not):
        return frozenset([formula.part])
    if isinstance(formula, Joined):
        return frozenset().union(*map(atoms, formula.parts))
    return frozenset([formula])


def given(formula: Formula, known: Callable[[Atom], Formula]) -> Formula:
    """Return ``formula`` with each atom replaced by what ``known`` says of it."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, Not):
        return contrary(known(formula.part))
    if isinstance(formula, Joined):
        return _joined(tuple(given(p, known) for p in formula.parts), every=formula.every)
    return known(formula)


def alternatives(formula: Formula) -> list[list[str]]:
    """Return in a reader's words the alternatives, each a list of what has to hold together."""
    found = {frozenset(a) for a in _alternatives(formula)}
    least = [a for a in found if not any(other < a for other in found)]
    return sorted(sorted(_words(part) for part in a) for a in least)


def _alternatives(formula: Formula) -> list[set[Formula]]:
    if formula is False:
        return []
    if formula is True:
        return [set()]
    if not isinstance(formula, Joined):
        return [{formula}]
    if not formula.every:
        return [a for part in formula.parts for a in _alternatives(part)]
    result: list[set[Formula]] = [set()]
    for part in formula.parts:
        result = [one | other for one in result for other in _alternatives(part)]
        if len(result) > 64:  # beyond any reader
            return [set(formula.parts)]
    return [a for a in result if not any(isinstance(p, Not) and p.part in a for p in a)]


def _words(formula: Formula) -> str:
    if isinstance(formula, Test):
        return formula.text
    if isinstance(formula, Unknown):
        return formula.text
    if isinstance(formula, Not):
        part = formula.part
        return part.contrary if isinstance(part, Test) else f"not: {part.text}"
    if isinstance(formula, Joined):
        return (" and " if formula.every else " or ").join(sorted(map(_words, formula.parts)))
    return str(formula)
