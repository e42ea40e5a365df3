"""What a misspelt word was meant as: a word spelt nearly like it, never one of another meaning."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_ALIKE = 0.7


def near_match(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` is a misspelling of.

    The names are compared word by word (``GetObject`` has two, ``force_destroy`` too), each with
    the one in its place: ``prevent_destroy`` is not ``force_destroy``, and ``ListAllMyBuckets`` not
    ``ListBucket``, however many letters they share.
    """
    by_likeness = {_likeness(name, candidate): candidate for candidate in reversed([*known])}
    best = max(by_likeness, default=0.0)
    return by_likeness[best] if best else None


def _likeness(name: str, candidate: str) -> float:
    words, others = _WORD.findall(name), _WORD.findall(candidate)
    if "".join(words).lower() == "".join(others).lower():
        return 1.0
    if len(words) != len(others):
        return 0.0
    ratios = [
        difflib.SequenceMatcher(None, word.lower(), other.lower()).ratio()
        for word, other in zip(words, others, strict=True)
    ]
    return sum(ratios) / len(ratios) if min(ratios, default=0.0) >= _ALIKE else 0.0
