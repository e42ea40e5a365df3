"""Whether a condition holds, where the request's keys are known.

Follows "IAM JSON policy elements: Condition operators", "Set operators for multi-valued context
keys" and "IAM policy elements: Variables and tags" in the IAM User Guide.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from s3_cross_account.policy import Condition

from .logic import Formula, Test, Unknown
from .matching import Context, arn_matches, expression, keys, resource_matches, unresolved

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<name>\w+?)(?P<exists>IfExists)?")
_EPOCH = re.compile(r"-?\d+(?:\.\d+)?")


class _Unclear(Exception):  # noqa: N818 - raised and caught here alone
    """A value that the operator cannot compare."""


@dataclass(frozen=True)
class _Operator:
    """How one value of the policy compares to one of the request, both texts."""

    compare: Callable[[str, str, Context], bool]
    negated: bool = False
    variables: bool = False


def _literal(ours: str, theirs: str, context: Context) -> bool:
    return bool(expression(ours, context, wildcards=False).fullmatch(theirs))


def _ignoring_case(ours: str, theirs: str, context: Context) -> bool:
    pattern = expression(ours, context, wildcards=False).pattern
    return bool(re.fullmatch(pattern, theirs, re.DOTALL | re.IGNORECASE))


def _like(ours: str, theirs: str, context: Context) -> bool:
    return bool(expression(ours, context).fullmatch(theirs))


def _boolean(ours: str, theirs: str, _context: Context) -> bool:
    values = (ours.lower(), theirs.lower())
    if not set(values) <= {"true", "false"}:
        raise _Unclear
    return values[0] == values[1]


def _binary(ours: str, theirs: str, _context: Context) -> bool:
    try:
        return base64.b64decode(ours, validate=True) == base64.b64decode(theirs, validate=True)
    except ValueError as error:
        raise _Unclear from error


def _address(ours: str, theirs: str, _context: Context) -> bool:
    try:
        address, network = ip_address(theirs), _network(ours)
    except ValueError as error:
        raise _Unclear from error
    return address.version == network.version and address in network


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise _Unclear from error


def _moment(text: str) -> float:
    if _EPOCH.fullmatch(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Unclear from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ordered(
    read: Callable[[str], float], holds: Callable[[float, float], bool]
) -> Callable[[str, str, Context], bool]:
    return lambda ours, theirs, _context: holds(read(theirs), read(ours))


def _pair(
    stem: str,
    compare: Callable[[str, str, Context], bool],
    *,
    variables: bool = False,
) -> dict[str, _Operator]:
    kind, _, rest = stem.partition(" ")
    return {
        f"{kind}{rest}": _Operator(compare, variables=variables),
        f"{kind}Not{rest}": _Operator(compare, negated=True, variables=variables),
    }


_OPERATORS: dict[str, _Operator] = {
    **_pair("String Equals", _literal, variables=True),
    **_pair("String EqualsIgnoreCase", _ignoring_case, variables=True),
    **_pair("String Like", _like, variables=True),
    **_pair("Arn Equals", arn_matches, variables=True),
    **_pair("Arn Like", arn_matches, variables=True),
    "Bool": _Operator(_boolean),
    "BinaryEquals": _Operator(_binary),
    "IpAddress": _Operator(_address),
    "NotIpAddress": _Operator(_address, negated=True),
}
for _kind, _read in (("Numeric", _number), ("Date", _moment)):
    _OPERATORS |= _pair(f"{_kind} Equals", _ordered(_read, lambda a, b: a == b))
    _OPERATORS |= {
        f"{_kind}LessThan": _Operator(_ordered(_read, lambda a, b: a < b)),
        f"{_kind}LessThanEquals": _Operator(_ordered(_read, lambda a, b: a <= b)),
        f"{_kind}GreaterThan": _Operator(_ordered(_read, lambda a, b: a > b)),
        f"{_kind}GreaterThanEquals": _Operator(_ordered(_read, lambda a, b: a >= b)),
    }


def holds(condition: Condition, context: Context) -> Formula:
    """Return whether ``condition`` holds; what it needs and ``context`` does not say stays open."""
    key = condition.variable.lower()
    needed = {key}.union(*(keys(value) for value in condition.values))
    missing = frozenset(name for name in needed if name not in context)
    if missing:
        known = frozenset((name, context[name]) for name in needed - missing)
        return _open(condition, missing, known)
    found = _NAME.fullmatch(condition.test)
    values = context[key]
    if found is None or not condition.values:
        return _unclear(condition)
    if found["name"] == "Null" and not found["set"] and not found["exists"]:
        return _null(condition, values)
    operator = _OPERATORS.get(found["name"])
    if operator is None:
        return _unclear(condition)
    try:
        return _compared(operator, condition, values, context, found["set"], bool(found["exists"]))
    except _Unclear:
        return _unclear(condition)


@lru_cache(maxsize=4096)
def _open(
    condition: Condition, missing: frozenset[str], known: frozenset[tuple[str, tuple[str, ...]]]
) -> Test:
    return Test(missing, condition, words(condition), words(condition, negated=True), known)


def _compared(
    operator: _Operator,
    condition: Condition,
    values: tuple[str, ...],
    context: Context,
    quantifier: str | None,
    if_exists: bool,
) -> Formula:
    if quantifier == "ForAllValues" and values == ("",):
        return True  # "a null data set, such as an empty string"
    if not values:
        if quantifier == "ForAnyValue":
            return if_exists
        return quantifier == "ForAllValues" or if_exists or operator.negated
    if quantifier is None and len(values) > 1:
        raise _Unclear  # "single-valued operators on multi-valued keys": AWS does not say
    if operator.negated and any(unresolved(value, context) for value in condition.values):
        raise _Unclear
    each = (
        any(operator.compare(ours, theirs, context) for ours in condition.values)
        is not operator.negated
        for theirs in values
    )
    return any(each) if quantifier == "ForAnyValue" else all(each)


def _null(condition: Condition, values: tuple[str, ...]) -> Formula:
    wanted = {value.lower() for value in condition.values}
    if not wanted <= {"true", "false"}:
        return _unclear(condition)
    return ("true" if not values else "false") in wanted


def _unclear(condition: Condition) -> Unknown:
    return Unknown(words(condition))


def decided(atom: Test, context: Context) -> Formula:
    """Return what ``atom`` is once ``context`` says more."""
    subject, context = atom.subject, {**dict(atom.known), **context}
    if isinstance(subject, Condition):
        return holds(subject, context)
    return resource_matches(subject.pattern, subject.arn, context, negated=subject.negated)


_SAYS = {
    "Equals": ("is", "is not"),
    "EqualsIgnoreCase": ("is", "is not"),
    "Like": ("is like", "is not like"),
    "LessThan": ("is less than", "is not less than"),
    "LessThanEquals": ("is at most", "is more than"),
    "GreaterThan": ("is more than", "is at most"),
    "GreaterThanEquals": ("is at least", "is less than"),
    "IpAddress": ("is in", "is outside"),
    "Bool": ("is", "is not"),
}
_WORDS = re.compile(r"(?:String|Arn|Numeric|Date|Binary)?(?P<not>Not)?(?P<what>\w+)")


def words(condition: Condition, *, negated: bool = False) -> str:
    """Return ``condition`` in a reader's words, or its contrary."""
    values = " or ".join(condition.values)
    found = _NAME.fullmatch(condition.test)
    if found is None:
        return _formal(condition, negated)
    if found["name"] == "Null" and condition.values in (("true",), ("false",)):
        absent = (condition.values == ("true",)) is not negated
        return f"{condition.variable} is {'absent' if absent else 'given'}"
    what = _WORDS.fullmatch(found["name"])
    says = _SAYS.get(what["what"]) if what else None
    if what is None or says is None or found["set"]:
        return _formal(condition, negated)
    if what["what"] == "Bool" and len(condition.values) == 1 and negated:
        contrary = {"true": "false", "false": "true"}.get(condition.values[0].lower())
        if contrary and not found["exists"]:
            return f"{condition.variable} is {contrary} or absent"
    text = f"{condition.variable} {says[(what['not'] is not None) is not negated]} {values}"
    if not found["exists"]:
        return text
    return text + (" and is given" if negated else ", if it is given")


def _formal(condition: Condition, negated: bool) -> str:
    values = " or ".join(condition.values)
    return f"{'not: ' if negated else ''}{condition.test} {condition.variable} {values}"
