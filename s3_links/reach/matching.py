"""Whether an action's or a resource's pattern matches, with wildcards and policy variables.

Follows "IAM JSON policy elements: Resource" and "IAM policy elements: Variables and tags" in the
IAM User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .logic import Formula, Test, Unknown, some

Context = Mapping[str, tuple[str, ...]]
"""What is known of a request: values by key, in lower case; no values: the key is absent."""

PIECES = re.compile(r"\$\{(?P<name>[^},]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}|(?P<wild>[*?])")
_LITERALS = {"*", "?", "$"}
_PARTS = 6  # of an ARN
_ABSENT = "\0"  # in no value: matches nothing


@lru_cache(maxsize=4096)
def keys(pattern: str) -> frozenset[str]:
    """Return the keys of the policy variables in ``pattern``, in lower case."""
    names = (found["name"] for found in PIECES.finditer(pattern) if found["name"] is not None)
    return frozenset(name.strip().lower() for name in names if name not in _LITERALS)


def unresolved(pattern: str, context: Context) -> bool:
    """Whether a variable in ``pattern`` has no value, or several, and no default."""
    for found in PIECES.finditer(pattern) if "${" in pattern else ():
        name = found["name"]
        if name is None or name in _LITERALS or found["default"] is not None:
            continue
        if len(context.get(name.strip().lower(), ())) != 1:
            return True
    return False


def expression(pattern: str, context: Context, *, wildcards: bool = True) -> re.Pattern[str]:
    """Return ``pattern`` as a regular expression; values that variables bring are no wildcards."""
    if "${" not in pattern:
        return _expression(pattern, (), wildcards)
    values = tuple(sorted((key, context.get(key, ())) for key in keys(pattern)))
    return _expression(pattern, values, wildcards)


@lru_cache(maxsize=16384)
def _expression(
    pattern: str, values: tuple[tuple[str, tuple[str, ...]], ...], wildcards: bool
) -> re.Pattern[str]:
    context = dict(values)
    result, end = [], 0
    for found in PIECES.finditer(pattern):
        result.append(re.escape(pattern[end : found.start()]))
        end = found.end()
        if found["wild"]:
            wild = {"*": ".*", "?": "."}[found["wild"]]
            result.append(wild if wildcards else re.escape(found["wild"]))
        elif found["name"] in _LITERALS:
            result.append(re.escape(found["name"]))
        else:
            value = context.get(found["name"].strip().lower(), ())
            literal = value[0] if len(value) == 1 else found["default"]
            result.append(re.escape(_ABSENT if literal is None else literal))
    return re.compile("".join(result) + re.escape(pattern[end:]), re.DOTALL)


@lru_cache(maxsize=16384)
def action_matches(pattern: str, action: str) -> bool:
    """Whether ``pattern`` covers ``action``; letters' case makes no difference."""
    return bool(expression(pattern.lower(), {}).fullmatch(action.lower()))


@lru_cache(maxsize=16384)
def whole(pattern: str) -> tuple[str, ...]:
    """Return a Resource's pattern as patterns of six parts, which cover the same part for part.

    A ``*`` that ends a part may reach over colons: ``arn:aws:s3:*:b/*`` covers
    ``arn:aws:s3:::b/x``.
    """
    if pattern == "*":
        return (pattern,)

    def completed(parts: tuple[str, ...], following: tuple[str, ...]) -> Iterator[str]:
        if not following:
            if len(parts) >= _PARTS:
                yield ":".join(parts)
            return
        parts += following[:1]
        yield from completed(parts, following[1:])
        while parts[-1].endswith("*") and len(parts) < _PARTS:
            parts += ("*",)
            yield from completed(parts, following[1:])

    return tuple(dict.fromkeys(completed((), _parts(pattern, every=True))))


def arn_matches(pattern: str, arn: str, context: Context) -> bool:
    """Whether ``pattern`` covers ``arn``, part for part: no wildcard reaches over a colon.

    A pattern of fewer than six parts is completed with wildcards.
    """
    if pattern == "*":
        return True
    own, others = _parts(arn), _parts(pattern)
    if len(others) < _PARTS and others[-1].endswith("*"):
        others += ("*",) * (_PARTS - len(others))
    return len(own) == len(others) and all(
        other == "*"
        or (other == part and "$" not in other)
        or expression(other, context).fullmatch(part)
        for part, other in zip(own, others, strict=True)
    )


@lru_cache(maxsize=16384)
def _parts(text: str, *, every: bool = False) -> tuple[str, ...]:
    """Split an ARN, or a pattern of one, at its first five colons outside of variables."""
    parts: list[str] = []
    start = depth = 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == ":" and depth <= 0 and (every or len(parts) < _PARTS - 1):
            parts.append(text[start:position])
            start = position + 1
    return (*parts, text[start:])


@lru_cache(maxsize=65536)
def _plainly_matches(pattern: str, arn: str) -> bool:
    return arn_matches(pattern, arn, {})


@dataclass(frozen=True)
class Fits:
    """Whether a pattern with policy variables covers an ARN; ``negated``: in a NotResource."""

    pattern: str
    arn: str
    negated: bool


def resource_matches(pattern: str, arn: str, context: Context, *, negated: bool = False) -> Formula:
    """Return whether a Resource's (or, ``negated``, a NotResource's) pattern covers ``arn``."""
    return some(*(_whole_matches(p, arn, context, negated=negated) for p in whole(pattern)))


def _whole_matches(pattern: str, arn: str, context: Context, *, negated: bool) -> Formula:
    if "${" not in pattern:
        return _plainly_matches(pattern, arn)
    needed = keys(pattern)
    if missing := frozenset(key for key in needed if key not in context):
        if not _plainly_matches(PIECES.sub(lambda piece: piece["wild"] or "*", pattern), arn):
            return False
        known = frozenset((key, context[key]) for key in needed - missing)
        text, contrary = f"{arn} fits {pattern}", f"{arn} does not fit {pattern}"
        return Test(missing, Fits(pattern, arn, negated), text, contrary, known)
    if unresolved(pattern, context):
        return Unknown(f"{pattern} without a value for its variable") if negated else False
    return arn_matches(pattern, arn, context)
