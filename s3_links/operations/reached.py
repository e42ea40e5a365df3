"""What a role is granted on a bucket, by its name or through an access point."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from s3_cross_account import actions
from s3_cross_account.policy import Condition
from s3_cross_account.policy import Principal as Named
from s3_cross_account.through import access_point_arn, objects_of
from s3_links.reach.actions import never_carries, resource_types
from s3_links.world import AccessPoint

from .notified import Notified

if TYPE_CHECKING:
    from s3_cross_account.access import Access
    from s3_links.declarations.access_points import BucketAccessPoint
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.world import Principal

    from .asked import Conditions


class _Half(NamedTuple):
    """A resource, how its policy names a role, what both sides ask, whether it needs a policy."""

    on: str
    named: Named
    own: Conditions
    theirs: Conditions
    both: bool


class Reached(Notified):
    """The grants of roles on buckets."""

    def _on_bucket(
        self, access: Access, alias: str, who: Principal, bucket: LinkBucket, arn: str
    ) -> None:
        """Add what a role in the account ``alias`` is granted on the bucket with this ARN."""
        listed = Condition(
            test="StringLike",
            variable="s3:prefix",
            values=tuple(value for p in access.patterns for value in (p, f"{p}*")),
        )
        together: dict[tuple[str, Conditions], list[str]] = defaultdict(list)
        for action in access.actions:
            for kind in sorted(resource_types(action) & {"bucket", "object"}):
                limited = kind == "bucket" and access.prefixes
                also: Conditions = (
                    (listed,) if limited and not never_carries(action, "s3:prefix") else ()
                )
                together[kind, also + access.conditions.of_action(action)].append(action)
        halves = self._halves(access, alias, who, bucket, arn)
        for ((kind, also), granted), half in product(together.items(), halves):
            below = tuple(f"{objects_of(half.on)}{p}*" for p in access.patterns or ("",))
            self._grant(
                who=who,
                actions=tuple(granted),
                on=half.on,
                resources=(half.on,) if kind == "bucket" else below,
                named=half.named,
                own=half.own + also,
                theirs=half.theirs + also,
                both=half.both,
            )
        key_actions = actions.of_key(access.actions)
        self._on_key(who, bucket, arn, key_actions, access.conditions.of_key())

    def _halves(
        self, access: Access, alias: str, who: Principal, bucket: LinkBucket, arn: str
    ) -> list[_Half]:
        """Return what has to let the role: the bucket, and the access point that it comes by."""
        named, by_arn = self._named_on(bucket, who)
        own = access.conditions.of_role(account_id=self._id(bucket.account))
        asked = access.conditions.of_bucket(account_id=self._id(alias))
        abroad = alias != bucket.account
        point = bucket.through(alias)
        if point is None:
            return [_Half(arn, named, own, by_arn + asked, abroad)]
        on = self._access_point(point, arn)
        through = _equals("s3:DataAccessPointArn", on)
        only = _equals("s3:DataAccessPointAccount", self._id(point.account))
        its_own = self._named(who)
        of_point = access.conditions.of_role(account_id=None)
        return [
            _Half(on, its_own[0], of_point, its_own[1] + asked, alias != point.account),
            _Half(arn, named, (through, *own), (*by_arn, only, *asked), abroad),
        ]

    def _access_point(self, point: BucketAccessPoint, arn: str) -> str:
        """Add an access point of the bucket with this ARN; return its own."""
        region, account = self._accounts[point.account].region, self._id(point.account)
        on = access_point_arn(self._partition(point.account), region, account, point.name)
        self.resources[on] = AccessPoint(arn=on, account=account, bucket=arn, vpc=point.vpc_id)
        return on


def _equals(variable: str, value: str) -> Condition:
    return Condition(test="StringEquals", variable=variable, values=(value,))
