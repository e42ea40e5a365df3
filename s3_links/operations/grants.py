"""What a link declares: its grants, and the documents that say so much and nothing else."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from s3_cross_account import actions
from s3_cross_account.policy import Condition, account_root, passing
from s3_cross_account.replication_rule import prefixes
from s3_cross_account.trusted_services import session_tags, trust_actions
from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink
from s3_links.synthesized.blocks import first, nested
from s3_links.world import Principal

from .reached import Reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_cross_account.access import Conditions as Asked
    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.assumed import AssumedRole
    from s3_links.declarations.delivery import ServiceDeliveryLink
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.replication import Way
    from s3_links.synthesized.blocks import Blocks

    from .asked import Conditions


class Carried(NamedTuple):
    """What a session brings along to the next role: the actions, and the keys of its tags."""

    actions: tuple[str, ...]
    tags: tuple[str, ...]


class Grants(Reached):
    """A link's grants, by its pattern, and what they ask for."""

    def __init__(self, blocks: Blocks, link: AnyLink, accounts: Mapping[str, LinkAccount]) -> None:
        super().__init__(blocks, link, accounts)
        self._copies = set[tuple[str, str]]()
        if isinstance(link, Link):
            self._of_link(link)
        elif isinstance(link, ReplicationLink):
            self._of_replication(link)
        else:
            self._of_delivery(link)
        self._copied()
        self._notifications()

    # Direct access and AssumeRole

    def _of_link(self, link: Link) -> None:
        consumers = {consumer.id: self._consumer(consumer) for consumer in link.consumers}
        role = None
        if assumed := link.assumed_role:
            callers = [(c.account, consumers[c.id], _carried(c.services)) for c in link.consumers]
            for number, passed in enumerate((*assumed.through, assumed)):
                last = passed is assumed
                brought = _together(carried for *_, carried in callers)
                role = (
                    self._assumed(assumed, brought)
                    if last
                    else self._role(passed.account, passed.name)
                )
                for account, who, carried in callers:
                    given = assumed.external_id if last else None
                    self._hop(link.asked_at(number), account, who, role, carried, given)
                callers = [(passed.account, role, brought)]
        arns = {bucket.id: arn for bucket, arn in zip(link.buckets, self.buckets, strict=True)}
        for granted in link.granted:
            reaching = [(c.account, consumers[c.id]) for c in granted.consumers]
            for (_, who), bucket in product(reaching, granted.buckets):
                self.pairs.add((who, arns[bucket.id]))
            if role and assumed:
                reaching = [(assumed.account, role)]
            for (alias, who), bucket in product(reaching, granted.buckets):
                self._on_bucket(link.reaching(granted.access), alias, who, bucket, arns[bucket.id])

    def _assumed(self, assumed: AssumedRole, brought: Carried) -> Principal:
        """Add the role to assume, with the grant to assume itself where it has that."""
        if self._accounts[assumed.account].foreign:
            role = self._foreign_role(assumed.account, assumed.name)
        else:
            role = self._role(assumed.account, assumed.name, imported=assumed.imported)
        if assumed.self_assuming:
            arn = str(role.arn)
            itself = (self._by_arn("ArnEquals", arn),)
            for together, conditions in (
                (actions.ASSUME_ROLE, itself + _external(assumed)),
                (brought.actions, passing(brought.tags, itself)),
            ):
                for action in together:
                    self._grant(
                        who=role,
                        actions=(action,),
                        on=arn,
                        resources=(arn,),
                        named=account_root(role.partition, role.account),
                        theirs=conditions,
                    )
        return role

    def _hop(
        self,
        asked: Asked,
        account: str,
        who: Principal,
        role: Principal,
        carried: Carried,
        given: str | None,
    ) -> None:
        """Add the grant to assume a role, and with it what the sessions bring along.

        ``account`` is the caller's, ``given`` the external id that it has to give.
        """
        named, by_arn = self._named(who)
        external = Condition(test="StringEquals", variable="sts:ExternalId", values=(given or "",))
        arn = str(role.arn)
        for together, tags in (Carried(actions.ASSUME_ROLE, ()), carried):
            theirs = by_arn + asked.of_caller(account_id=self._id(account), actions=together)
            theirs = passing(tags, theirs)
            for action in together:
                also = (external,) if given and action in actions.ASSUME_ROLE else ()
                self._grant(
                    who=who,
                    actions=(action,),
                    on=arn,
                    resources=(arn,),
                    named=named,
                    theirs=theirs + also,
                )

    # Replication

    def _of_replication(self, link: ReplicationLink) -> None:
        arns = {end.label: arn for end, arn in zip(link.ends, self.buckets, strict=True)}
        for way in link.ways:
            source, here = way.source.bucket, arns[way.source.label]
            who = self._replicating(way)
            read = prefixes(way.rules)
            self._plain(who, actions.REPLICATION_ON_SOURCE, (here,), here, both=False)
            objects = tuple(f"{here}/{prefix}*" for prefix in read)
            copied = actions.from_source(locked=source.object_lock)
            self._plain(who, copied, objects, here, both=False)
            self._on_key(who, source, here, ("kms:Decrypt",), below=read)
            self.pairs.add((who, here))
            for to, rules in way.destinations:
                there, written = arns[to.label], prefixes(rules)
                if not way.merged:
                    self._copies.add((here, there))
                away = to.bucket.account != source.account
                given = actions.into_replica(away=away)
                on = tuple(f"{there}/{prefix}*" for prefix in written)
                self._plain(who, given, on, there, both=away)
                self._on_key(who, to.bucket, there, actions.REPLICATION_INTO_KEY, below=written)
                self.pairs.add((who, there))
            if link.batch_role and not way.back:
                batch = self._role(source.account, f"{way.role}-batch")
                self._trusting(batch, "batchoperations.s3.amazonaws.com")
                self._plain(batch, actions.BATCH_ON_SOURCE, (here,), here, both=False)
                self._plain(batch, actions.BATCH_ON_SOURCE_OBJECTS, objects, here, both=False)
                self.pairs.add((batch, here))

    def _copied(self) -> None:
        """Look whether buckets are replicated to those that are declared, and to no other."""
        blocks = self._blocks
        found = {
            (
                f"arn:{blocks.partition(address)}:s3:::{blocks.attribute(address, 'bucket')}",
                blocks.text(str(first(rule.get("destination")).get("bucket"))),
            )
            for address in blocks.of("aws_s3_bucket_replication_configuration")
            for rule in nested(blocks.known(address, "rule"))
        }
        for here, there in sorted(found ^ self._copies):
            told = "is" if (here, there) in found else "is not"
            self.problems.append(f"{here}: {told} replicated to {there}, other than declared")

    def _replicating(self, way: Way) -> Principal:
        """Return the role of a replication: the link's, or the one of somebody's configuration."""
        account = way.source.bucket.account
        if not way.merged:
            who = self._role(account, way.role)
            self._trusting(who, "s3.amazonaws.com")
            return who
        who = self._existing(self._principal(account, way.role))
        rules = f"replication_rules_to_merge_{way.source.label}"
        self._note(who, f"the output {rules} has to be merged before {who} copies anything")
        return who

    def _plain(
        self,
        who: Principal,
        granted: tuple[str, ...],
        resources: tuple[str, ...],
        on: str,
        *,
        both: bool,
    ) -> None:
        named, _ = self._named(who)
        self._grant(who=who, actions=granted, on=on, resources=resources, named=named, both=both)

    # Deliveries of services

    def _of_delivery(self, link: ServiceDeliveryLink) -> None:
        """Add what a service may, which has no half of its own."""
        (arn,) = self.buckets
        of = self._partition(link.bucket.account)
        delivery = link.delivery(self._id, lambda alias: self._accounts[alias].region)
        asked = [(arn, statement) for statement in delivery.on_bucket(arn, of)]
        if key := self.keys.get(arn):
            asked += [(key, statement) for statement in delivery.on_key(key, of)]
        for on, statement in asked:
            (named,) = statement.principals
            who = Principal(kind="service", name=named.identifiers[0])
            self._grant(
                who=who,
                actions=statement.actions,
                on=on,
                resources=statement.resources,
                named=named,
                theirs=statement.conditions,
            )
            self.pairs.add((who, arn))


def _carried(trusted: list[str]) -> Carried:
    """Return what the sessions that services hand out bring along to another role."""
    return _together(
        Carried(
            tuple(action for action in trust_actions(name) if action in actions.CARRIED),
            session_tags(name),
        )
        for name in trusted
    )


def _together(carried: Iterable[Carried]) -> Carried:
    """Return what sessions bring along that may come from any of these."""
    every = list(carried)
    brought = dict.fromkeys(action for one in every for action in one.actions)
    tags = dict.fromkeys(tag for one in every for tag in one.tags)
    return Carried(tuple(brought), tuple(tags))


def _external(assumed: AssumedRole | None) -> Conditions:
    """Return what a trust policy asks of the external id."""
    given = assumed.external_id if assumed else None
    variable = "sts:ExternalId"
    return (Condition(test="StringEquals", variable=variable, values=(given,)),) if given else ()
