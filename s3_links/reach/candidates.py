"""Values of condition keys: enough of them that every condition on a key is tried both ways."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import combinations, islice, pairwise, product
from typing import TYPE_CHECKING

from .matching import PIECES, keys
from .regions import representatives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from s3_cross_account.policy import Condition

Values = tuple[str, ...]
_MOST = 256
# What these compare is no text.
_TYPED = ("Numeric", "Date", "IpAddress", "NotIpAddress", "Bool", "Null")


@lru_cache(maxsize=4096)
def candidates(conditions: frozenset[Condition], within: str = "*") -> tuple[Values, ...]:
    """Return what a request may carry for the key of ``conditions``, and that it carries nothing.

    Together they make each condition true and false in every combination that there is, also among
    the values that the pattern ``within`` covers.
    """
    texts = frozenset(
        value
        for condition in conditions
        if not condition.test.startswith(_TYPED)
        for value in condition.values
    )
    single = dict.fromkeys(_texts(texts | {within}) if texts or not conditions else ())
    for condition in conditions:
        for value in condition.values:
            single |= dict.fromkeys(_around(condition.test, value))
    single |= dict.fromkeys(_ordered(conditions))
    found: list[Values] = [(), *((value,) for value in single)]
    of_sets = sum(condition.test.startswith("For") for condition in conditions)
    for together in range(2, max(of_sets, 2 * (of_sets > 0)) + 1):
        found += islice(combinations(single, together), _MOST * _MOST)
    return tuple(found)


def _texts(values: frozenset[str]) -> Iterator[str]:
    patterns = frozenset(PIECES.sub(lambda piece: piece["wild"] or "*", value) for value in values)
    # A pattern of an ARN may leave out its last parts, which a value has.
    whole = {f"{p}{':*' * (5 - p.count(':'))}" for p in patterns if p.startswith("arn:")}
    yield from representatives(patterns | whole)
    for value in values:
        yield value
        yield value.swapcase()
        yield value[:1].swapcase() + value[1:]


def _ordered(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield the numbers and moments that conditions name, between each two of them and beyond."""
    for kind, read in (("Numeric", Decimal), ("Date", _moment)):
        named = {v for c in conditions if kind in c.test for v in c.values}
        points = sorted({point for value in named if (point := _read(read, value)) is not None})
        for one, other in pairwise(points):
            yield _number((one + other) / 2)
        for point in points:
            yield from (_number(point + step) for step in (-1, 0, 1))


def _read(read: Callable[[str], Decimal], value: str) -> Decimal | None:
    try:
        found = read(value)
    except (ArithmeticError, ValueError):
        return None
    return found if found.is_finite() else None


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _around(test: str, value: str) -> Iterable[str]:
    if "Bool" in test or "Null" in test:
        return ("true", "false")
    if "IpAddress" in test:
        with suppress(ValueError):
            return tuple(_addresses(value))
    return ()


def _moment(value: str) -> Decimal:
    """Return a moment, written as a date and time or in seconds, in seconds."""
    with suppress(ArithmeticError):
        return Decimal(value)
    read = datetime.fromisoformat(value)
    return Decimal((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def _addresses(value: str) -> Iterator[str]:
    network = ip_network(value, strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    of = type(network.network_address)
    most = 2**network.max_prefixlen - 1
    for number in {first, last, max(first - 1, 0), min(last + 1, most)}:
        yield str(of(number))
    yield from (str(ip_address("192.0.2.1")), str(ip_address("2001:db8:ffff::1")))


def substituted(pattern: str, values: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield ``pattern`` with its variables as ``values`` has them, in every combination.

    A variable that it has no values for stands for anything.
    """
    names = sorted(keys(pattern) & values.keys())
    for chosen in islice(product(*(values[name] for name in names)), _MOST):
        yield _plain(pattern, dict(zip(names, chosen, strict=True)))


def _plain(pattern: str, values: Mapping[str, str]) -> str:
    return PIECES.sub(
        lambda piece: piece["wild"] or values.get((piece["name"] or "").strip().lower(), "*"),
        pattern,
    )


def captured(pattern: str, text: str) -> Iterator[Values]:
    """Yield the values of a variable with which ``pattern`` may fit ``text``, and others."""
    yield from ((), ("x",))
    expression = PIECES.sub(_as_group, pattern)
    found = re.fullmatch(expression, text, re.DOTALL)
    for value in found.groups() if found else ():
        yield (value,)


def _as_group(piece: re.Match[str]) -> str:
    return "(.*?)" if piece["name"] is not None else ".*" if piece["wild"] == "*" else "."
