"""Whether a formula can hold: whether there are values of its keys with which it does."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

from s3_cross_account.policy import Condition

from .candidates import Values, candidates, captured, substituted
from .conditions import decided
from .logic import Atom, Formula, Test, Unknown, atoms, given
from .matching import keys as variables
from .regions import TooMany

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_links.world import Principal

_MOST_COMBINATIONS = 4_000
_MOST_STEPS = 2_000


def satisfiable(formula: Formula, who: Principal) -> bool:
    """Return whether any request of ``who`` fulfills ``formula``.

    What no document says may be so or not. Raises ``TooMany`` where there are more combinations of
    conditions than can be tried.
    """
    return _Search(who).any(formula)


class _Search:
    def __init__(self, who: Principal) -> None:
        self._who = who
        self._steps = 0

    def any(self, formula: Formula) -> bool:
        if isinstance(formula, bool):
            return formula
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooMany("more combinations of conditions than can be tried")
        open_ = atoms(formula)
        unknown = next((atom for atom in open_ if isinstance(atom, Unknown)), None)
        if unknown is not None:
            return any(self.any(given(formula, _Known({unknown: so}))) for so in (True, False))
        group = _linked({atom for atom in open_ if isinstance(atom, Test)})
        return any(self.any(given(formula, _Known(vector))) for vector in self._vectors(group))

    def _vectors(self, group: set[Test]) -> Iterator[dict[Atom, Formula]]:
        """Yield every combination in which the conditions of ``group`` can hold or not."""
        keys = sorted({key for atom in group for key in atom.keys})
        values = {key: self._values(key, group, shared=len(keys) > 1) for key in keys}
        for key in keys:
            values[key] = (*dict.fromkeys((*values[key], *_resolved(key, group, values))),)
        if prod(map(len, values.values())) > _MOST_COMBINATIONS:
            raise TooMany("more combinations of conditions than can be tried")
        seen = set()
        for chosen in product(*values.values()):
            context = dict(zip(keys, chosen, strict=True))
            vector: dict[Atom, Formula] = {atom: decided(atom, context) for atom in group}
            mark = frozenset(vector.items())
            if mark not in seen:
                seen.add(mark)
                yield vector

    def _values(self, key: str, group: set[Test], *, shared: bool) -> tuple[Values, ...]:
        conditions = frozenset(
            atom.subject
            for atom in group
            if isinstance(atom.subject, Condition)
            and (shared or atom.subject.variable.lower() == key)
        )
        who = self._who
        # Of a role or a user; of one that GetFederationToken has handed out, another service's.
        own = tuple(f"arn:{who.partition}:{of}::{who.account}:" for of in ("iam", "sts"))
        is_own = key == "aws:principalarn" and bool(who.account)
        found = dict.fromkeys(candidates(conditions, f"{own[0]}*" if is_own else "*"))
        for atom in group:
            if not isinstance(atom.subject, Condition):
                found |= dict.fromkeys(captured(atom.subject.pattern, atom.subject.arn))
        if is_own:
            return tuple(values for values in found if values and values[0].startswith(own))
        return tuple(found)


def _resolved(key: str, group: set[Test], values: Mapping[str, Iterable[Values]]) -> set[Values]:
    """Return what ``key`` is like where its conditions speak of other keys that have values."""
    patterns = {
        value
        for atom in group
        if isinstance(atom.subject, Condition) and atom.subject.variable.lower() == key
        for value in atom.subject.values
        if variables(value)
    }
    named = {name: [v[0] for v in found if len(v) == 1] for name, found in values.items()}
    texts = (text for pattern in patterns for text in substituted(pattern, named))
    return {(text.replace("*", "").replace("?", "x"),) for text in texts}


def _linked(tests: set[Test]) -> set[Test]:
    """Return some of ``tests`` whose keys have nothing to do with those of the others."""
    group = {min(tests, key=lambda test: test.text)}
    while True:
        keys = {key for test in group for key in test.keys}
        more = {test for test in tests if test.keys & keys}
        if more == group:
            return group
        group = more


class _Known:
    def __init__(self, known: Mapping[Atom, Formula]) -> None:
        self._known = known

    def __call__(self, atom: Atom) -> Formula:
        return self._known.get(atom, atom)
