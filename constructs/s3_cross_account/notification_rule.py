"""What of a bucket is notified of, as plain values: the events and the keys.

S3 and EventBridge tell of the same in words of their own; here S3's are written, and said as
EventBridge has them ("EventBridge event message structure" and "Amazon S3 event notification types
and destinations" in the Amazon S3 User Guide).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .prefixes import KEY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NotificationRule"]

_CREATED, _DELETED = "Object Created", "Object Deleted"
_BY_REQUEST, _BY_LIFECYCLE = {"reason": ["DeleteObject"]}, {"reason": ["Lifecycle Expiration"]}
_FOR_GOOD, _MARKED = "Permanently Deleted", "Delete Marker Created"
_RESTORED = ("Object Restore Initiated", "Object Restore Completed", "Object Restore Expired")
_TAGGED = ("Object Tags Added", "Object Tags Deleted")


def _deleted(reason: Mapping[str, Any], how: str) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    return (_DELETED,), {**reason, "deletion-type": [how]}


IN_EVENTBRIDGE: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]] | None]] = {
    "s3:ObjectCreated:*": ((_CREATED,), {}),
    "s3:ObjectCreated:Put": ((_CREATED,), {"reason": ["PutObject"]}),
    "s3:ObjectCreated:Post": ((_CREATED,), {"reason": ["POST Object"]}),
    "s3:ObjectCreated:Copy": ((_CREATED,), {"reason": ["CopyObject"]}),
    "s3:ObjectCreated:CompleteMultipartUpload": (
        (_CREATED,),
        {"reason": ["CompleteMultipartUpload"]},
    ),
    "s3:ObjectRemoved:*": ((_DELETED,), _BY_REQUEST),
    "s3:ObjectRemoved:Delete": _deleted(_BY_REQUEST, _FOR_GOOD),
    "s3:ObjectRemoved:DeleteMarkerCreated": _deleted(_BY_REQUEST, _MARKED),
    "s3:ObjectRestore:*": (_RESTORED, {}),
    "s3:ObjectRestore:Post": (_RESTORED[:1], {}),
    "s3:ObjectRestore:Completed": (_RESTORED[1:2], {}),
    "s3:ObjectRestore:Delete": (_RESTORED[2:], {}),
    "s3:ObjectTagging:*": (_TAGGED, {}),
    "s3:ObjectTagging:Put": (_TAGGED[:1], {}),
    "s3:ObjectTagging:Delete": (_TAGGED[1:], {}),
    "s3:ObjectAcl:Put": (("Object ACL Updated",), {}),
    "s3:LifecycleExpiration:*": ((_DELETED,), _BY_LIFECYCLE),
    "s3:LifecycleExpiration:Delete": _deleted(_BY_LIFECYCLE, _FOR_GOOD),
    "s3:LifecycleExpiration:DeleteMarkerCreated": _deleted(_BY_LIFECYCLE, _MARKED),
    "s3:LifecycleTransition": (("Object Storage Class Changed",), {}),
    "s3:IntelligentTiering": (("Object Access Tier Changed",), {}),
    "s3:ReducedRedundancyLostObject": None,
    "s3:Replication:*": None,
    "s3:Replication:OperationFailedReplication": None,
    "s3:Replication:OperationMissedThreshold": None,
    "s3:Replication:OperationReplicatedAfterThreshold": None,
    "s3:Replication:OperationNotTracked": None,
}
"""Each event of S3 as EventBridge has it, its detail types and what else of the detail; or none."""


def _once(events: list[str]) -> list[str]:
    for one, other in combinations(events, 2):
        if _same_event(one, other):
            both = f'"{one}" twice' if one == other else f'"{one}" and "{other}"'
            raise ValueError(f"{both}: S3 takes each event once, leave one out")
    return events


# The characters that need no percent-encoding in a filter, and none in a pattern of EventBridge.
_SAFE = r"^[A-Za-z0-9!_.'()/-]*$"


class NotificationRule(BaseModel):
    """Which events of which objects.

    Follows "Amazon S3 event notification types and destinations" and "Configuring event
    notifications using object key name filtering" in the Amazon S3 User Guide.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )

    events: Annotated[
        list[
            Annotated[
                Literal[tuple(IN_EVENTBRIDGE)],  # type: ignore[valid-type]
                Field(description="events of S3", examples=["s3:ObjectCreated:*"]),
            ]
        ],
        Field(
            description='a list of events of S3, such as "s3:ObjectCreated:*". Which are told of',
            examples=[["s3:ObjectCreated:*"]],
            min_length=1,
        ),
        AfterValidator(_once),
    ]

    prefix: Annotated[str, Field(examples=["in/"], pattern=_SAFE, max_length=KEY_LIMIT)] = ""
    """a prefix (letters, digits and !_.'()/-, which S3 takes as they are). Only objects below it
    are told of; left out: all"""

    suffix: Annotated[str, Field(examples=[".csv"], pattern=_SAFE, max_length=KEY_LIMIT)] = ""
    """a suffix (letters, digits and !_.'()/-, which S3 takes as they are). Only objects whose keys
    end with it are told of; left out: all"""

    def untold(self) -> list[str]:
        """Return the events that EventBridge does not know."""
        return [event for event in self.events if IN_EVENTBRIDGE[event] is None]

    def patterns(self, bucket: str) -> list[dict[str, Any]]:
        """Return the patterns of EventBridge's rules that this is, for a bucket by its name."""
        detail: dict[str, Any] = {"bucket": {"name": [bucket]}}
        if self.prefix and self.suffix:
            detail["object"] = {"key": [{"wildcard": f"{self.prefix}*{self.suffix}"}]}
        elif self.prefix or self.suffix:
            how = "prefix" if self.prefix else "suffix"
            detail["object"] = {"key": [{how: self.prefix or self.suffix}]}
        types: dict[str, list[str]] = {}
        more: dict[str, Mapping[str, Any]] = {}
        for event in self.events:
            if (told := IN_EVENTBRIDGE[event]) is not None:
                key = repr(told[1])
                types.setdefault(key, []).extend(told[0])
                more[key] = told[1]
        return [
            {"source": ["aws.s3"], "detail-type": names, "detail": {**detail, **more[key]}}
            for key, names in types.items()
        ]


def overlapping(rules: Sequence[NotificationRule]) -> list[tuple[int, int]]:
    """Return the pairs of rules, by their numbers, that S3 does not take together.

    For the same event, objects that fit both are told of once only: prefixes, or suffixes, must
    leave none.
    """
    return [
        (first, second)
        for (first, one), (second, other) in combinations(enumerate(rules), 2)
        if any(_same_event(a, b) for a in one.events for b in other.events)
        and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
        and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
    ]


def _same_event(one: str, other: str) -> bool:
    return one == other or any(
        a.endswith(":*") and b.startswith(a[:-1]) for a, b in ((one, other), (other, one))
    )
