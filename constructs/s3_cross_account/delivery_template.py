"""What a service needs that delivers into a bucket of another account, and its statements.

What a statement has in braces is filled in for each source; one that differs between sources has a
value for each of them, as the documents print it for several accounts ("Setting bucket policy for
multiple accounts" in the AWS CloudTrail User Guide).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from .policy import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DeliveryService", "Template"]

BY_DEFAULT: Final = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"),
        *("ap-southeast-1", "ap-southeast-2"),
    }
)
"""The regions of the partition aws that need not be enabled: "Enable or disable AWS Regions in your
account" in the AWS Account Management Reference Guide."""

Choice = Literal["organization_id", "write"]
"""What a statement is for alone, where it is not for every delivery."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A statement as a document prints it, with braces around what differs.

    ``on`` is what of the bucket it is for: nothing for the bucket itself, else the keys. It stands
    only where the delivery has what ``when`` names.
    """

    sid: str
    actions: tuple[str, ...]
    on: str = ""
    conditions: tuple[Condition, ...]
    when: Choice | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryService:
    """What a service needs to deliver into a bucket of another account, or to read from it.

    ``principal`` is called by its region where the service has one for each. ``name`` is what a
    source of it is called by in ``aws:SourceArn``, as a field of a links file. ``asks`` are further
    fields that it knows. Without ``key`` it takes no bucket with a KMS key; ``only_with_key`` is a
    service that takes no other. One of ``same_region`` delivers within a region only. ``settings``
    are what to enter in the source's account, by the names of the service's API. ``documents`` are
    the titles.
    """

    principal: str
    bucket: tuple[Template, ...]
    key: tuple[Template, ...] = ()
    name: Literal["trail", "source_buckets", "distribution_ids"] | None = None
    asks: tuple[str, ...] = ()
    same_region: bool = False
    only_with_key: bool = False
    settings: Mapping[str, str]
    documents: tuple[str, ...]


def equals(variable: str, *values: str) -> Condition:
    """Return the condition that a key has one of these values."""
    return Condition(test="StringEquals", variable=variable, values=values)


def arn_like(value: str) -> Condition:
    """Return the condition on what the service delivers for."""
    return Condition(test="ArnLike", variable="aws:SourceArn", values=(value,))


OWNED = equals("s3:x-amz-acl", "bucket-owner-full-control")
OF_ACCOUNT = equals("aws:SourceAccount", "{account}")
