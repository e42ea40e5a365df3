"""A service of another account that delivers into a bucket, or reads from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from constructs import Construct

from .bucket import ExistingBucket
from .document import rendered_once
from .key import ExistingKey

if TYPE_CHECKING:
    from .bucket import BucketBase
    from .delivery import Delivery
    from .policy import Statement

__all__ = ["ServiceDelivery"]


class ServiceDelivery(Construct):
    """Lets a service of other accounts deliver into ``bucket``, or read from it.

    Writes the statements of the bucket policy and, for a bucket with a KMS key, of the key policy,
    limited to the sources of ``delivery`` as the service's documents print them (``documents`` of
    :data:`~s3_cross_account.delivery_services.SERVICES` has their titles). A service has no half
    of its own: what its account's owner enters there, such as the trail, is in ``settings``.

    Raises ``ValueError`` for what the service would refuse: a KMS key where it takes none, another
    region where it delivers within one only, a missing name.
    """

    def __init__(
        self, scope: Construct, id_: str, *, bucket: BucketBase, delivery: Delivery
    ) -> None:
        super().__init__(scope, id_)
        account, key = bucket.account, bucket.key
        if found := delivery.problems(region=account.region, encrypted=key is not None):
            raise ValueError("; ".join(found))
        self._allow(bucket, delivery)
        self.settings = delivery.settings(
            bucket=bucket.name,
            arn=bucket.arn,
            region=account.region,
            key=key.arn if key is not None else "",
        )

    @rendered_once()
    def _allow(self, bucket: BucketBase, delivery: Delivery) -> None:
        partition = bucket.account.partition
        merged = isinstance(bucket, ExistingBucket) and bucket.merge
        for statement in delivery.on_bucket(bucket.arn, partition):
            bucket.allow(_unnamed(statement) if merged else statement)
        if (key := bucket.key) is not None:
            merged = isinstance(key, ExistingKey) and key.merge
            for statement in delivery.on_key(key.arn, partition):
                key.allow(_unnamed(statement) if merged else statement)


def _unnamed(statement: Statement) -> Statement:
    """Return a statement without a sid: somebody's policy may hold those of many deliveries."""
    return replace(statement, sid=None)
