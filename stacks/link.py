"""One declared link: its consumers, its buckets, and the pattern between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.assume_role import AssumeRole
from s3_cross_account.direct_access import DirectAccess
from s3_cross_account.document import PolicyDocument
from s3_cross_account.instance import Instance, InstanceBasics
from s3_cross_account.network import PublicNetwork
from s3_cross_account.policy import service, trust
from s3_cross_account.role import ExistingRole, Role, RoleBase

from .linked import LinkedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from .links_file import Consumer, Link, LinkAccount


class LinkStack(LinkedStack):
    """Creates one link between the accounts that it names, with a state of its own."""

    def __init__(
        self, scope: Construct, id_: str, *, link: Link, accounts: Mapping[str, LinkAccount]
    ) -> None:
        super().__init__(scope, id_, switches=link.switches, accounts=accounts)
        self._link_id = id_
        roles = [self._role(consumer) for consumer in link.consumers]
        buckets = [self.bucket(bucket, bucket.label) for bucket in link.buckets]
        if link.assumed_role is None:
            DirectAccess(
                self,
                "access",
                roles=roles,
                buckets=buckets,
                access=link.access.access,
                survive_recreation=link.survive_role_recreation,
            )
        else:
            assume = AssumeRole(
                self,
                "access",
                roles=roles,
                buckets=buckets,
                account=self.account(link.assumed_role.account),
                assumed_role_name=link.assumed_role.name,
                access=link.access.access,
                external_id=link.assumed_role.external_id,
                survive_recreation=link.survive_role_recreation,
            )
            self.outputs(assumed_role_arn=assume.assumed_role.arn, aws_config=assume.aws_config)
        for consumer, role in zip(link.consumers, roles, strict=True):
            self.outputs(**{f"role_arn_{consumer.label}": role.arn})
        for declared, bucket in zip(link.buckets, buckets, strict=True):
            self.bucket_outputs(declared.label, bucket)

    def _role(self, consumer: Consumer) -> RoleBase:
        account = self.account(consumer.account)
        if consumer.new_role is None:
            return ExistingRole(
                self,
                f"role-{consumer.label}",
                account=account,
                policy_name_prefix=f"{self._link_id}-{consumer.label}",
                name=consumer.existing_role,
                instance_profile=consumer.instance_profile,
            )
        id_ = f"role-{consumer.new_role}"
        role = Role(
            self,
            id_,
            account=account,
            name=consumer.new_role,
            trust=PolicyDocument(
                self,
                f"{id_}-trust",
                account=account,
                statements=[trust(service(consumer.trusted_service))],
            ),
        )
        if consumer.instance:
            self._instance(role, consumer.new_role)
        return role

    def _instance(self, role: Role, name: str) -> None:
        instance = Instance(
            self,
            f"instance-{name}",
            role=role,
            basics=InstanceBasics(self, f"instance-{name}-basics", account=role.account),
            network=PublicNetwork(self, f"instance-{name}-network", account=role.account),
            name=name,
            instance_profile_name=name,
            imdsv2=self.switches.imdsv2,
        )
        self.outputs(**{f"ssm_command_{name}": instance.ssm_command})
