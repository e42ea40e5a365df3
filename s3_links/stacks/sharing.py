"""What the owner of a bucket writes for the other links that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.naming import organization_limits, permission_set_arns
from s3_cross_account.policy import Condition, Principal, account_root
from s3_cross_account.service_delivery import ServiceDelivery
from s3_cross_account.shared import Sharer, by_arn
from s3_cross_account.through import Through, access_point_arn
from s3_links.declarations.delivery import ServiceDeliveryLink

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from constructs import Construct

    from s3_cross_account.account import Account
    from s3_cross_account.bucket import BucketBase
    from s3_cross_account.policy import Naming
    from s3_links.declarations.consumers import Consumer
    from s3_links.declarations.link import Link
    from s3_links.declarations.shared import Sharer as Declared


def share(
    scope: Construct,
    declared: Declared,
    bucket: BucketBase,
    *,
    account: Callable[[str], Account],
    foreign: Collection[str],
) -> None:
    """Write the bucket's halves, and its key's, of what a link declares on it.

    ``account`` tells the accounts of its callers, in which nothing is written; ``foreign`` are the
    aliases of those that nobody has credentials for.
    """
    link = declared.link
    if isinstance(link, ServiceDeliveryLink):
        of = link.delivery(lambda a: account(a).account_id, lambda a: account(a).region)
        ServiceDelivery(scope, "delivery", bucket=bucket, delivery=of)
        return
    roles = _roles(scope, link, bucket, account, foreign)
    for granted in link.granted:
        if declared.bucket in granted.buckets:
            by = link.by_access_point(granted.consumers, declared.bucket)
            for point, through in by.items():
                bucket.grant(
                    *dict.fromkeys(roles[consumer.id] for consumer in through),
                    access=link.reaching(granted.access),
                    through=_through(account(point.account), point.name) if point else None,
                )


def _roles(
    scope: Construct,
    link: Link,
    bucket: BucketBase,
    account: Callable[[str], Account],
    foreign: Collection[str],
) -> dict[str, Sharer]:
    """Return who reaches the bucket for each consumer: itself, or the role that it assumes."""
    if assumed := link.assumed_role:
        of = account(assumed.account)
        naming = by_arn(of, "role", assumed.name, None if assumed.imported else "/")
        role = Sharer(scope, "assumed-role", account=of, naming=naming)
        return {consumer.id: role for consumer in link.consumers}
    return {
        consumer.id: Sharer(
            scope,
            f"role.{consumer.id}",
            account=(of := account(consumer.account) if consumer.account else bucket.account),
            naming=_naming(consumer, of, foreign),
            title="Organization" if consumer.organization else "",
            abroad=bool(consumer.organization),
        )
        for consumer in link.consumers
    }


def _through(account: Account, name: str) -> Through:
    id_ = account.account_id
    arn = access_point_arn(account.partition, account.region, id_, name)
    return Through(arn=arn, account_id=id_)


def _naming(consumer: Consumer, account: Account, foreign: Collection[str]) -> Naming:
    owner = account_root(account.partition, account.account_id)
    if consumer.organization:
        limits = organization_limits(consumer.organization, consumer.organization_path)
        return Principal(type="*", identifiers=("*",)), limits
    if consumer.whole_account:
        return owner, ()
    if consumer.permission_set:
        arns = permission_set_arns(account.partition, account.account_id, consumer.permission_set)
        return owner, (Condition(test="ArnLike", variable="aws:PrincipalArn", values=arns),)
    # The path of who exists is not known; a foreign one without its ARN is taken to have none.
    path = "/" if consumer.account in foreign else None
    if consumer.existing_user:
        return by_arn(account, "user", consumer.existing_user, path)
    if consumer.new_role:
        return by_arn(account, "role", consumer.new_role, consumer.path or "/")
    return by_arn(account, "role", str(consumer.existing_role or consumer.imported_role), path)
