"""What decides beside the policies of a bucket: who owns its objects, and whether it is public.

Follows "Blocking public access to your Amazon S3 storage", "Controlling ownership of objects and
disabling ACLs for your bucket" and "Access control list (ACL) overview" in the Amazon S3 User
Guide.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable

from . import actions
from .logic import Formula, Unknown, every, some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_cross_account.policy import Condition, Principal, Statement
    from s3_links.world import Bucket

# Fixed values of these limit a statement to whom they name.
_LIMITING = frozenset(
    {"aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount"}
    | {"aws:sourceip", "aws:userid", "aws:principalorgid"}
    | {"s3:dataaccesspointaccount", "s3:dataaccesspointarn"}
)
# AWS does not say of these whether they do.
_PERHAPS = frozenset({"aws:principalarn", "aws:principalaccount", "aws:principalorgpaths"})
_EXACT = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
_LIKE = ("StringLike", "ArnLike", "ArnEquals")
_NARROW = {4: 8, 6: 32}


def acl(bucket: Bucket, action: str) -> Formula:
    """Return whether an ACL may let another account in."""
    if bucket.ownership == "BucketOwnerEnforced" or action not in actions.BY_ACL:
        return False
    return Unknown(f"an ACL of {bucket.arn} or its objects allows it")


def governs(bucket: Bucket, action: str) -> Formula:
    """Return whether the bucket's policy speaks for the object: only for its owner's objects."""
    on_object = "object" in actions.resource_types(action) and action not in actions.MAKES_OBJECT
    if bucket.ownership == "BucketOwnerEnforced" or not on_object:
        return True
    return Unknown(f"the object is owned by {bucket.account}, as its bucket is")


def restricted(bucket: Bucket) -> Formula:
    """Return whether ``RestrictPublicBuckets`` keeps all but the owner's account out.

    ``BlockPublicPolicy`` and the others refuse configurations, not requests.
    """
    if bucket.restrict_public is False or bucket.policy is None:
        return False
    restricts: Formula = True
    if bucket.restrict_public is None:
        restricts = Unknown(f"RestrictPublicBuckets is on for {bucket.arn}")
    return every(restricts, is_public(bucket.policy.statements))


def is_public(statements: Iterable[Statement | Unreadable]) -> Formula:
    """Return whether Amazon S3 counts a bucket policy with ``statements`` as public."""
    return some(*map(_lets_the_public_in, statements))


def _lets_the_public_in(statement: Statement | Unreadable) -> Formula:
    unclear = Unknown("Amazon S3 counts the bucket policy as public")
    if isinstance(statement, Unreadable):
        return unclear
    if statement.effect == "Deny":
        return False
    if not statement.not_principals and not any(map(_is_everybody, statement.principals)):
        return False
    limits = [_limits(condition) for condition in statement.conditions]
    if any(limit is True for limit in limits):
        return False
    return unclear if None in limits else True


def _is_everybody(principal: Principal) -> bool:
    return principal.type in ("*", "AWS") and "*" in principal.identifiers


def _limits(condition: Condition) -> bool | None:
    """Whether ``condition`` limits whom a statement is for; ``None``: AWS does not say."""
    key = condition.variable.lower()
    if key in _PERHAPS:
        return None
    if key not in _LIMITING:
        return False
    if key == "s3:dataaccesspointarn" and condition.test in _LIKE:
        return all(map(_is_of_an_account, condition.values))
    if any(sign in value for value in condition.values for sign in ("*", "?", "${")):
        return False if condition.test in _LIKE else None
    if condition.test == "IpAddress" and key == "aws:sourceip":
        return all(map(_is_narrow, condition.values))
    return True if condition.test in _EXACT else None


def _is_of_an_account(point: str) -> bool:
    """Whether an access point's ARN has a fixed account: the name alone may be a wildcard."""
    return bool(re.fullmatch(r"[^*?$]+:s3:[^*?$]*:\d{12}:accesspoint/.+", point))


def _is_narrow(cidr: str) -> bool:
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _NARROW[network.version]
