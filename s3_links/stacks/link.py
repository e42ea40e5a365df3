"""One declared link: its consumers, its buckets, and the pattern between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from s3_cross_account.access import Access
from s3_cross_account.access_point import AccessPoint
from s3_cross_account.assume_role import AssumeRole
from s3_cross_account.aws_cli import instance_profile_config
from s3_cross_account.document import rendered_once
from s3_cross_account.foreign import ForeignRole
from s3_cross_account.instance import Instance, InstanceBasics
from s3_cross_account.network import PublicNetwork
from s3_cross_account.role import Role
from s3_links.declarations.named import label

from .consumers import grantee, handed_over, outputs
from .linked import LinkedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_cross_account.bucket import BucketBase
    from s3_cross_account.role import RoleBase
    from s3_links.declarations.access_points import BucketAccessPoint
    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.assumed import AssumedRole
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.consumers import Consumer
    from s3_links.declarations.link import Link
    from s3_links.declarations.state import State


class LinkStack(LinkedStack):
    """Creates one link between the accounts that it names, with a state of its own."""

    @rendered_once()
    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        link: Link,
        accounts: Mapping[str, LinkAccount],
        state: State,
    ) -> None:
        super().__init__(scope, id_, link=link, accounts=accounts, state=state)
        self._link, self._link_id = link, id_
        self._chain: list[RoleBase] = []
        roles = [self._role(consumer) for consumer in link.consumers]
        buckets = [self.bucket(bucket, bucket.id) for bucket in link.buckets]
        reaching = dict(zip([c.id for c in link.consumers], roles, strict=True))
        if link.assumed_role is not None:
            assumed = self._assumed(link, link.assumed_role, roles)
            reaching = dict.fromkeys(reaching, assumed)
        reached = dict(zip([b.id for b in link.buckets], buckets, strict=True))
        points = {
            (of.id, point.account): self._access_point(of, point, bucket)
            for of, bucket in zip(link.buckets, buckets, strict=True)
            for point in of.access_points
        }
        for consumers, of_these, access in link.granted:
            for of in of_these:
                for point, through in link.by_access_point(consumers, of).items():
                    on = points[of.id, point.account] if point else reached[of.id]
                    on.grant(
                        *dict.fromkeys(reaching[consumer.id] for consumer in through),
                        access=link.reaching(access),
                        survive_recreation=link.survive_role_recreation,
                    )
        if link.assumed_role is not None and isinstance(assumed := self._chain[-1], ForeignRole):
            name = label(link.assumed_role.account, link.assumed_role.name)
            self.outputs(**handed_over(name, assumed))
        for consumer, role in zip(link.consumers, roles, strict=True):
            self.outputs(**outputs(consumer, role))
            if link.assumed_role and (link.assumed_role.through or consumer.names_its_chain):
                arns = [role.arn, *(passed.arn for passed in self._chain)]
                self.outputs(**{f"iam_role_{consumer.label}": ",".join(arns)})
        self.share()
        for declared, bucket in zip(link.buckets, buckets, strict=True):
            self.bucket_outputs(declared.label, bucket)
        self.last_outputs()

    def _assumed(self, link: Link, declared: AssumedRole, roles: list[RoleBase]) -> RoleBase:
        """Create the role that consumers assume; what it reaches is granted to it afterwards.

        And before it the roles of the chain that it is the end of, as "Chaining IAM roles in Amazon
        Redshift" in the Amazon Redshift Management Guide has them: each trusts the one before it.
        """
        config = ""
        for number, passed in enumerate(declared.through):
            hop = AssumeRole(
                self,
                f"through.{passed.account}.{passed.name}",
                roles=self._chain[-1:] or roles,
                buckets=[],
                account=self.account(passed.account),
                assumed_role_name=passed.name,
                access=Access(conditions=link.asked_at(number)),
                survive_recreation=link.survive_role_recreation,
            )
            self._chain.append(hop.assumed_role)
            self.outputs(**{f"role_arn_{passed.label}": hop.assumed_role.arn})
            config += instance_profile_config(
                profile=passed.name,
                role_arn=hop.assumed_role.arn,
                region=hop.assumed_role.account.region,
                source_profile=declared.through[number - 1].name if number else None,
            )
        assume = AssumeRole(
            self,
            "access",
            roles=self._chain[-1:] or roles,
            buckets=[],
            account=self.account(declared.account),
            assumed_role_name=declared.name,
            imported=declared.imported,
            access=Access(conditions=link.asked_at(len(declared.through))),
            external_id=declared.external_id,
            survive_recreation=link.survive_role_recreation,
            source_profile=declared.through[-1].name if declared.through else None,
            self_assuming=declared.self_assuming,
            named_directly=link.names_directly,
        )
        self._chain.append(assume.assumed_role)
        self.outputs(assumed_role_arn=assume.assumed_role.arn)
        if any(consumer.on_instances for consumer in link.consumers):
            self.outputs(aws_config=config + assume.aws_config)
        return assume.assumed_role

    def _role(self, consumer: Consumer) -> RoleBase:
        # An organization is in no account, and what is handed out for it in any.
        account = self.account(consumer.account or self._link.buckets[0].account)
        # Dots keep apart what the declaration keeps apart: an alias has none.
        scope = Construct(self, f"role.{consumer.id}")
        if note := consumer.note():
            # What cdktf's command shows as a warning; its own call would add paths of this machine.
            scope.node.add_metadata("@cdktf/warn", note)
        role = grantee(
            scope,
            consumer,
            account=account,
            link=self._link_id,
            named_directly=self._link.names_directly,
        )
        if isinstance(role, Role) and consumer.instance:
            self._instance(scope, role, consumer)
        return role

    def _access_point(
        self, of: LinkBucket, declared: BucketAccessPoint, bucket: BucketBase
    ) -> AccessPoint:
        point = AccessPoint(
            self,
            f"access-point.{of.id}.{declared.account}.{declared.name}",
            account=self.account(declared.account),
            bucket=bucket,
            name=declared.name,
            vpc_id=declared.vpc_id,
        )
        of_label = {"arn": point.arn, "alias": point.alias}
        self.outputs(
            **{f"access_point_{what}_{declared.label}": of_label[what] for what in of_label}
        )
        return point

    def _instance(self, scope: Construct, role: Role, consumer: Consumer) -> None:
        instance = Instance(
            scope,
            "instance",
            role=role,
            basics=InstanceBasics(scope, "instance-basics", account=role.account),
            network=PublicNetwork(scope, "network", account=role.account, hardening=self.switches),
            name=consumer.name,
            instance_profile_name=consumer.name,
            hardening=self.switches,
        )
        self.outputs(**{f"ssm_command_{consumer.label}": instance.ssm_command})
