"""One of a link's grants: which of its roles get which access to which of its buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from .access import LinkAccess
from .part import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .buckets import LinkBucket
    from .consumers import Consumer
    from .named import Named


class Grant(Part):
    """An access for some of a link's roles to some of its buckets."""

    consumers: Annotated[
        list[str] | None,
        Field(
            description="a list of roles of this link. The ones that get the access, by their "
            'names (by "account/name" where two have the same); left out: each of them',
            examples=[["reports-reader"]],
            min_length=1,
        ),
    ] = None
    buckets: Annotated[
        list[str] | None,
        Field(
            description="a list of buckets of this link. The ones that they get it to, by their "
            'names or prefixes (by "account/name" where two have the same); left out: each of them',
            examples=[["reports-"]],
            min_length=1,
        ),
    ] = None
    access: Annotated[
        LinkAccess | None,
        Field(
            description="an access. What is granted, and under which conditions; left out: the "
            "link's",
            examples=[{"level": "read-only"}],
        ),
    ] = None


class Granted(NamedTuple):
    """A grant with the parts of the link that it names."""

    consumers: Sequence[Consumer]
    buckets: Sequence[LinkBucket]
    access: LinkAccess


def called(part: Named, names: Sequence[str] | None) -> bool:
    """Return whether a grant's names, which may be left out, mean a part of the link."""
    return names is None or bool({part.name, _whole(part)} & {*names})


def misnamed(names: Iterable[str], parts: Sequence[Named]) -> list[str]:
    """Return what is wrong with the names of a grant, in the words that follow each name."""
    problems = []
    for name in names:
        meant = [part for part in parts if name in (part.name, _whole(part))]
        if not meant:
            named = [part.name for part in parts]
            whole = (
                n if named.count(n) == 1 else _whole(p) for n, p in zip(named, parts, strict=True)
            )
            there = ", ".join(f'"{name}"' for name in whole)
            problems.append(f'"{name}" is none of this link: there is {there}')
        elif len(meant) > 1:
            either = " or ".join(f'"{_whole(part)}"' for part in meant)
            problems.append(f'"{name}" means two: write {either}')
    return problems


def _whole(part: Named) -> str:
    return f"{part.account}/{part.name}"
