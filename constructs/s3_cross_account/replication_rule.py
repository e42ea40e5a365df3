"""Replication rules as plain values, and what replication silently gets wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from .prefixes import KEY_LIMIT, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ReplicationRule"]

STORAGE_CLASSES: Final = (
    "STANDARD",
    "INTELLIGENT_TIERING",
    "STANDARD_IA",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
"""The storage classes that a replica can have."""


def _tag_key(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError('begins with "aws:", which AWS reserves for its own tags: choose another')
    if key == "__proto__":
        raise ValueError("is a word of JavaScript, which cdktf is written in: choose another")
    return key


TagKey = Annotated[
    str,
    Field(
        description="a tag's key",
        examples=["share"],
        pattern=r"^[A-Za-z0-9 +=._:/@-]+$",
        max_length=128,
    ),
    AfterValidator(_tag_key),
]
TagValue = Annotated[
    str,
    Field(
        description="a tag's value",
        examples=["yes"],
        pattern=r"^[A-Za-z0-9 +=._:/@-]*$",
        max_length=256,
    ),
]


def _as_object(tags: Any) -> Any:
    return dict(tags) if isinstance(tags, tuple) else tags


def _sorted(tags: dict[str, str]) -> dict[str, str]:
    return dict(sorted(tags.items()))  # written in any order, synthesized in one


class ReplicationRule(BaseModel):
    """What is replicated, and how. ``tags`` may be given as a tuple of pairs too.

    Follows "Replication configuration file elements" in the Amazon S3 User Guide.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )

    priority: Annotated[int, Field(examples=[1], ge=1, le=2147483647)] = 1
    """a number from 1 to 2147483647. Where several rules fit an object, the highest counts; each
    has its own"""

    prefix: Annotated[
        str, Field(examples=["reports/"], pattern=r"^[^$%\x00-\x1f]*$", max_length=KEY_LIMIT)
    ] = ""
    """a prefix (1,024 characters at most, no $ or %). Only objects below it are replicated; left
    out: all"""

    tags: Annotated[
        dict[TagKey, TagValue],
        Field(examples=[{"share": "yes"}], max_length=10),
        BeforeValidator(_as_object),
        AfterValidator(_sorted),
    ] = {}
    """an object of tags. Only objects that have all of them are replicated when they are
    written"""

    delete_markers: Annotated[bool, Field(examples=[True])] = False
    """true or false: whether the marker of a delete is replicated. The delete of a version never
    is, and S3 replicates no marker by a rule with tags"""

    storage_class: Annotated[
        Literal[STORAGE_CLASSES] | None,  # type: ignore[valid-type]
        Field(
            description=f"one of {', '.join(STORAGE_CLASSES)}. The storage class of the replicas; "
            "left out: that of each object",
            examples=["STANDARD_IA"],
        ),
    ] = None

    time_control: Annotated[bool, Field(examples=[True])] = False
    """true or false: whether S3 promises 15 minutes (S3 Replication Time Control). It reports
    metrics then, and costs more for each GB"""

    metrics: Annotated[bool, Field(examples=[True])] = False
    """true or false: whether S3 reports what is pending, how late it is and what failed to
    CloudWatch. It then also has an event for each object that failed; costs four custom metrics"""


def prefixes(rules: Iterable[ReplicationRule]) -> tuple[str, ...]:
    """Return what the keys that ``rules`` mean begin with; one that another covers is left out."""
    every = tuple(dict.fromkeys(rule.prefix for rule in rules))
    return tuple(p for p in every if not any(p != o and p.startswith(o) for o in every))


def problems(rules: Sequence[ReplicationRule]) -> list[str]:
    """Return what is wrong with ``rules``, each with its reason."""
    found = [] if rules else ["there is no rule: declare one at least"]
    found += [
        f"{count} rules have the priority {priority}: S3 could not choose, give each its own"
        for priority, count in Counter(rule.priority for rule in rules).items()
        if count > 1
    ]
    found += [
        f"the rule of priority {rule.priority} has a prefix of {length} bytes: S3's keys have "
        f"{KEY_LIMIT} at most, choose a shorter one"
        for rule in rules
        if (length := len(rule.prefix.encode())) > KEY_LIMIT
    ]
    # The role's policy has it too, which would let the role reach other objects.
    found += [
        f"the rule of priority {rule.priority} has a prefix that cannot be used: {problem}"
        for rule in rules
        for problem in unwritable(rule.prefix)
    ]
    found += [
        f"the rule of priority {rule.priority} has delete markers together with a tag filter: S3 "
        "replicates no delete marker then; leave out one of them"
        for rule in rules
        if rule.delete_markers and rule.tags
    ]
    return found
