"""One text for every region that a set of patterns cuts out of all texts.

Two texts that the same patterns match cannot be told apart by any policy that uses these patterns:
one of them stands for all.
"""

from __future__ import annotations

from functools import lru_cache

_OTHER = "x"  # for a character that no pattern names; replaced where one does
_MOST = 20_000


class TooMany(Exception):  # noqa: N818 - no error: the caller says that it can't decide
    """The patterns cut out more regions than can be looked at."""


@lru_cache(maxsize=512)
def representatives(patterns: frozenset[str]) -> tuple[str, ...]:
    """Return the shortest text of every region that ``patterns`` (with ``*`` and ``?``) cut out."""
    ordered = sorted(patterns)
    other = _unused(ordered)
    start = tuple(_closed(pattern, frozenset([0])) for pattern in ordered)
    seen, layer = {start}, [(start, "")]
    found: dict[tuple[bool, ...], str] = {}
    while layer:
        following = []
        for state, text in layer:
            matched = tuple(len(p) in at for p, at in zip(ordered, state, strict=True))
            found.setdefault(matched, text)
            for character in _characters(ordered, state) | {other}:
                after = tuple(
                    _step(pattern, at, character)
                    for pattern, at in zip(ordered, state, strict=True)
                )
                if after not in seen:
                    seen.add(after)
                    following.append((after, text + character))
        if len(seen) > _MOST:
            raise TooMany
        layer = sorted(following, key=lambda item: item[1])
    return tuple(found.values())


def left(pattern: str, beginning: str) -> list[str]:
    """Return the patterns of what may follow ``beginning`` in a text that ``pattern`` covers.

    That nothing follows is none of them.
    """
    at = _closed(pattern, frozenset([0]))
    for character in beginning:
        at = _step(pattern, at, character)
    return [pattern[position:] for position in sorted(at) if position < len(pattern)]


def _characters(patterns: list[str], state: tuple[frozenset[int], ...]) -> set[str]:
    return {
        pattern[position]
        for pattern, at in zip(patterns, state, strict=True)
        for position in at
        if position < len(pattern) and pattern[position] not in "*?"
    }


@lru_cache(maxsize=65536)
def _step(pattern: str, at: frozenset[int], character: str) -> frozenset[int]:
    after = set()
    for position in at:
        if position == len(pattern):
            continue
        wanted = pattern[position]
        if wanted == "*":
            after.add(position)
        elif wanted in ("?", character):
            after.add(position + 1)
    return _closed(pattern, frozenset(after))


@lru_cache(maxsize=65536)
def _closed(pattern: str, at: frozenset[int]) -> frozenset[int]:
    """Return the positions with those that a star, which may match nothing, leads to."""
    result = set(at)
    for position in at:
        while position < len(pattern) and pattern[position] == "*":
            position += 1
            result.add(position)
    return frozenset(result)


def _unused(patterns: list[str]) -> str:
    used = set("".join(patterns))
    return next(c for c in _OTHER + "yzwvutsrqponmlkjihgfedcba0123456789_" if c not in used)
