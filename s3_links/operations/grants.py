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

    from s3_cross_account.access import Access
    from s3_links.declarations.accounts import LinkAccount
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
        consumers = {consumer.id: self._consumer(consumer) for consumer in link.consumers}
        role = None
        if assumed := link.assumed_role:
            role = self._role(assumed.account, assumed.name, imported=assumed.imported)
            for consumer in link.consumers:
                self._hop(link, consumer, consumers[consumer.id], role)
        arns = {bucket.id: arn for bucket, arn in zip(link.buckets, self.buckets, strict=True)}
        for granted in link.granted:
            reaching = [(c.account, consumers[c.id]) for c in granted.consumers]
            for (_, who), bucket in product(reaching, granted.buckets):
                self.pairs.add((who, arns[bucket.id]))
            if role and assumed:
                reaching = [(assumed.account, role)]
            for (alias, who), bucket in product(reaching, granted.buckets):
                self._on_bucket(link.reaching(granted.access), alias, who, bucket, arns[bucket.id])

    def _on_bucket(
        self, access: Access, alias: str, who: Principal, bucket: LinkBucket, arn: str
    ) -> None:
        named, by_arn = self._named(who)
        own = access.conditions.of_role(account_id=self._id(bucket.account))
        theirs = by_arn + access.conditions.of_bucket(account_id=self._id(alias))
        below = tuple(f"{arn}/{prefix}*" for prefix in access.patterns or ("",))
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
        key_actions = actions.of_key(access.actions)
        self._on_key(who, bucket, arn, key_actions, access.conditions.of_key())

    def _hop(self, link: Link, consumer: Consumer, who: Principal, role: Principal) -> None:
        """Add the grant to assume the role, and with it what the sessions bring along."""
        named, by_arn = self._named(who)
        assumed = link.assumed_role
        given = assumed.external_id if assumed else None
        external = Condition(test="StringEquals", variable="sts:ExternalId", values=(given or "",))
        arn = str(role.arn)
        sessions = consumer.service
        brought = trust_actions(sessions) if sessions else actions.ASSUME_ROLE
        carried = tuple(action for action in brought if action in actions.CARRIED)
        for together in (actions.ASSUME_ROLE, carried):
            theirs = by_arn + link.of_caller.of_caller(
                account_id=self._id(consumer.account), actions=together
            )
            for action in together:
                asked = (external,) if given and action in actions.ASSUME_ROLE else ()
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
