"""What a link declares: its grants, and the documents that say so much and nothing else."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING

from s3_cross_account import actions
from s3_cross_account.policy import Condition
from s3_cross_account.trusted_services import trust_actions
from s3_links.declarations.link import Link
from s3_links.reach.actions import never_carries, resource_types

from .grantees import Grantees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.assumed import AssumedRole
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.consumers import Consumer
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.replication import ReplicationLink
    from s3_links.synthesized.blocks import Blocks
    from s3_links.world import Principal

    from .asked import Conditions


class Declared(Grantees):
    """A link's grants, by its pattern, and what they ask for."""

    def __init__(self, blocks: Blocks, link: AnyLink, accounts: Mapping[str, LinkAccount]) -> None:
        super().__init__(blocks, link, accounts)
        if isinstance(link, Link):
            self._of_link(link)
        else:
            self._of_replication(link)

    # Direct access and AssumeRole

    def _of_link(self, link: Link) -> None:
        consumers = [(consumer, self._consumer(consumer)) for consumer in link.consumers]
        reaching = [(c.account, who) for c, who in consumers]
        if assumed := link.assumed_role:
            role = self._assumed(assumed)
            reaching = [(assumed.account, role)]
            for consumer, who in consumers:
                self._hop(link, consumer, who, role)
        buckets = list(zip(link.buckets, self.buckets, strict=True))
        for (alias, who), (bucket, arn) in product(reaching, buckets):
            self._on_bucket(link, alias, who, bucket, arn)
        for _, who in consumers:
            self.pairs |= {(who, arn) for arn in self.buckets}

    def _assumed(self, assumed: AssumedRole) -> Principal:
        """Add the role to assume, with the grant to assume itself where it has that."""
        if self._accounts[assumed.account].foreign:
            role = self._foreign_role(assumed.account, assumed.name)
        else:
            role = self._role(assumed.account, assumed.name, imported=assumed.imported)
        if assumed.self_assuming:
            arn = str(role.arn)
            self._grant(
                who=role,
                actions=actions.ASSUME_ROLE,
                on=arn,
                resources=(arn,),
                named=self._root(role.account, role.partition),
                theirs=(self._by_arn("ArnEquals", arn), *_external(assumed)),
            )
        return role

    def _on_bucket(
        self, link: Link, alias: str, who: Principal, bucket: LinkBucket, arn: str
    ) -> None:
        access = link.access.access
        named, by_arn = self._named(who)
        own = access.conditions.of_role(account_id=self._id(bucket.account))
        theirs = by_arn + access.conditions.of_bucket(account_id=self._id(alias))
        below = tuple(f"{arn}/{prefix}*" for prefix in access.prefixes or ("",))
        listed = Condition(
            test="StringLike",
            variable="s3:prefix",
            values=tuple(value for p in access.prefixes for value in (p, f"{p}*")),
        )
        together: dict[tuple[str, Conditions], list[str]] = defaultdict(list)
        for action in access.actions:
            for kind in sorted(resource_types(action) & {"bucket", "object"}):
                limited = kind == "bucket" and access.prefixes
                also: Conditions = (
                    (listed,) if limited and not never_carries(action, "s3:prefix") else ()
                )
                together[kind, also].append(action)
        for (kind, also), granted in together.items():
            self._grant(
                who=who,
                actions=tuple(granted),
                on=arn,
                resources=(arn,) if kind == "bucket" else below,
                named=named,
                own=own + also,
                theirs=theirs + also,
                both=alias != bucket.account,
            )
        self._on_key(who, bucket, arn, actions.of_key(access.actions))

    def _hop(self, link: Link, consumer: Consumer, who: Principal, role: Principal) -> None:
        """Add the grant to assume the role, and with it what the sessions bring along."""
        named, by_arn = self._named(who)
        access, assumed = link.access.access, link.assumed_role
        theirs = by_arn + access.conditions.of_caller(account_id=self._id(consumer.account))
        external = _external(assumed)
        arn = str(role.arn)
        sessions = consumer.service
        for action in trust_actions(sessions) if sessions else actions.ASSUME_ROLE:
            if action in (*actions.ASSUME_ROLE, *actions.CARRIED):
                asked = external if action in actions.ASSUME_ROLE else ()
                self._grant(
                    who=who,
                    actions=(action,),
                    on=arn,
                    resources=(arn,),
                    named=named,
                    theirs=theirs + asked,
                )

    # Replication

    def _of_replication(self, link: ReplicationLink) -> None:
        ways = [(link.role_name, (0, 1)), (f"{link.role_name}-back", (1, 0))]
        for name, (here, there) in ways if link.both_ways else ways[:1]:
            source, destination = link.buckets[here], link.buckets[there]
            who = self._role(source.account, name)
            self._trusting(who, "s3.amazonaws.com")
            here_arn, there_arn = self.buckets[here], self.buckets[there]
            self._plain(who, actions.REPLICATION_ON_SOURCE, here_arn, "", both=False)
            self._plain(who, actions.REPLICATION_ON_SOURCE_OBJECTS, here_arn, "/*", both=False)
            self._plain(who, actions.REPLICATION_ON_DESTINATION_OBJECTS, there_arn, "/*")
            self._on_key(who, source, here_arn, ("kms:Decrypt",))
            self._on_key(who, destination, there_arn, actions.REPLICATION_INTO_KEY)
            self.pairs |= {(who, here_arn), (who, there_arn)}
        if link.batch_role:
            who = self._role(link.source.account, f"{link.role_name}-batch")
            self._trusting(who, "batchoperations.s3.amazonaws.com")
            self._plain(who, actions.BATCH_ON_SOURCE, self.buckets[0], "", both=False)
            self._plain(who, actions.BATCH_ON_SOURCE_OBJECTS, self.buckets[0], "/*", both=False)
            self.pairs.add((who, self.buckets[0]))

    def _plain(
        self, who: Principal, granted: tuple[str, ...], arn: str, of: str, *, both: bool = True
    ) -> None:
        named, _ = self._named(who)
        self._grant(
            who=who, actions=granted, on=arn, resources=(f"{arn}{of}",), named=named, both=both
        )


def _external(assumed: AssumedRole | None) -> Conditions:
    """Return what a trust policy asks of the external id."""
    given = assumed.external_id if assumed else None
    variable = "sts:ExternalId"
    return (Condition(test="StringEquals", variable=variable, values=(given,)),) if given else ()
