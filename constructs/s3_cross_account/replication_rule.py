"""Replication rules as plain values, and what replication silently gets wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .access import KEY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

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


@dataclass(frozen=True, kw_only=True)
class ReplicationRule:
    """What is replicated, and how.

    Only objects below ``prefix`` and with all of ``tags`` are. Where several rules fit, the highest
    ``priority`` counts. ``delete_markers`` replicates the marker of a delete (never the delete of a
    version). ``time_control`` (S3 RTC) promises 15 minutes, reports metrics, and costs more.

    Follows "Replication configuration file elements" in the Amazon S3 User Guide.
    """

    priority: int = 1
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    delete_markers: bool = False
    storage_class: str | None = None
    time_control: bool = False


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
    found += [
        f"the rule of priority {rule.priority} has delete markers together with a tag filter: S3 "
        "replicates no delete marker then; leave out one of them"
        for rule in rules
        if rule.delete_markers and rule.tags
    ]
    return found
