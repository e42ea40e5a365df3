"""An S3 access point that requests come through, as the halves on both of its sides speak of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .actions import OF_THE_WHOLE_BUCKET, known
from .policy import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Through"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]")
_ENDINGS = ("-s3alias", "--xa-s3")


@dataclass(frozen=True, kw_only=True)
class Through:
    """An access point: its ARN, and the id of the account that has it.

    Follows "Configuring IAM policies for using access points" in the Amazon S3 User Guide.
    """

    arn: str
    account_id: str

    @property
    def named(self) -> Condition:
        """What the caller's half for the bucket asks: that the request comes through it."""
        return Condition(test="StringEquals", variable="s3:DataAccessPointArn", values=(self.arn,))

    @property
    def delegated(self) -> Condition:
        """What the bucket's half asks: that it comes through an access point of the account."""
        return Condition(
            test="StringEquals", variable="s3:DataAccessPointAccount", values=(self.account_id,)
        )


def access_point_arn(partition: str, region: str, account_id: str, name: str) -> str:
    """Return the ARN of the access point with this name."""
    return f"arn:{partition}:s3:{region}:{account_id}:accesspoint/{name}"


def objects_of(on_arn: str) -> str:
    """Return how the ARNs of the objects begin that are in a bucket, or behind an access point."""
    return f"{on_arn}/object/" if ":accesspoint/" in on_arn else f"{on_arn}/"


def name_problems(name: str) -> list[str]:
    """Return why no access point can be called so: "Naming rules for access points"."""
    if _NAME.fullmatch(name) and "--" not in name and not name.endswith(_ENDINGS):
        return []
    return [
        f"{name!r} is no access point's name: 3 to 50 small letters, digits and single hyphens "
        "between them, which do not end with -s3alias"
    ]


def not_through(actions: Iterable[str]) -> list[str]:
    """Return the actions for which no request can be made through an access point.

    Follows "Access points compatibility" in the Amazon S3 User Guide, which has listing uploads in
    parts besides what the Service Authorization Reference has of access points.
    """
    able = known("accesspoint") | known("accesspointobject") | {OF_THE_WHOLE_BUCKET}
    return [action for action in actions if action not in able]
