"""The reference deployment: both patterns, with what they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cdktf import TerraformVariable
from constructs import Construct

from s3_cross_account.account import Account
from s3_cross_account.assume_role import AssumeRole
from s3_cross_account.aws_cli import copy_command
from s3_cross_account.bucket import Bucket
from s3_cross_account.direct_access import DirectAccess
from s3_cross_account.document import rendered_once
from s3_cross_account.instance import Instance, InstanceBasics
from s3_cross_account.network import PublicNetwork
from s3_cross_account.role import Role
from s3_links.declarations.files import write
from s3_links.declarations.state import LOCAL, State
from s3_links.stacks.base import BaseStack

from .reference_names import renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_cross_account.settings import AccountSettings

# As the reference has it, whatever else it matches.
_IMAGE_NAME = "al2023-ami-*-kernel-6.1-x86_64"
_USER_DATA = Path(__file__).with_name("user_data.yaml").read_text(encoding="utf-8")


class ReferenceStack(BaseStack):
    """Creates both patterns between two accounts, at the reference deployment's addresses.

    Two Terraform variables, ``account1`` and ``account2``, begin the names of what is created in
    each account. Without ``instances`` the EC2 instances and their network are left out, which is
    all but a few cents of what the stack costs.
    """

    @rendered_once()
    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        accounts: Mapping[str, AccountSettings],
        state: State = LOCAL,
        instances: bool = True,
    ) -> None:
        super().__init__(scope, id_, accounts=accounts, state=state)
        self._account1 = self._account("account1", accounts["account1"])
        self._account2 = self._account("account2", accounts["account2"])
        self._network = (
            PublicNetwork(self, "network", account=self._account1) if instances else None
        )
        self._basics = InstanceBasics(
            self, "instance-basics", account=self._account1, image_name=_IMAGE_NAME
        )

        self._direct_access(Construct(self, "direct"))
        self._assume_role(Construct(self, "assume"))

    def _direct_access(self, scope: Construct) -> None:
        role = self._instance_role(scope, "1")
        self._instance(scope, "1", role, tag="BucketPolicy", output="Dont_Use_AssumeRole")
        home, away = self._buckets(scope, "bucketpolicy")
        DirectAccess(scope, "access", roles=[role], buckets=[home, away])
        self.outputs(
            bucket1_name=home.name,
            bucket2_name=away.name,
            ec2_role_1_arn=role.arn,
            copy_command_Dont_Use_AssumeRole=copy_command(home.name, away.name),
        )

    def _assume_role(self, scope: Construct) -> None:
        role = self._instance_role(scope, "2")
        self._instance(scope, "2", role, tag="AssumeRole", output="Use_AssumeRole")
        home, away = self._buckets(scope, "assumerole")
        access = AssumeRole(
            scope,
            "access",
            roles=[role],
            buckets=[home, away],
            account=self._account2,
            assumed_role_name=f"{self._account2.name}-ec2-role-3",
            home_access=True,
            policy_names={
                self._account1.alias: f"{self._account2.name}-S3access-iam-policy-3",
                self._account2.alias: f"{self._account2.name}-S3access-iam-policy-2",
            },
        )
        # Rendered locally, so that either provider gives the same; the reference names this one.
        assert home.policy_document is not None
        home.policy_document.overrides["provider"] = f"aws.{self._account2.alias}"
        self.outputs(
            bucket3_name=home.name,
            bucket4_name=away.name,
            ec2_role_2_arn=role.arn,
            ec2_role_3_arn=access.assumed_role.arn,
            aws_config_Use_AssumeRole=access.aws_config,
            copy_command_Use_AssumeRole=copy_command(home.name, away.name, profile=access.profile),
        )

    def _account(self, alias: str, settings: AccountSettings) -> Account:
        name = TerraformVariable(self, alias, type="string", default=alias).string_value
        return Account(self, f"{alias}-provider", alias=alias, settings=settings, name=name)

    def _instance_role(self, scope: Construct, number: str) -> Role:
        return Role(
            scope,
            "role",
            account=self._account1,
            name=f"{self._account1.name}-ec2-role-{number}",
            trust=self._basics.trust,
            policy_names={
                account.alias: f"{account.name}-S3access-iam-policy-{number}"
                for account in (self._account1, self._account2)
            },
        )

    def _instance(
        self, scope: Construct, number: str, role: Role, *, tag: str, output: str
    ) -> None:
        if self._network is None:
            return
        instance = Instance(
            scope,
            "instance",
            role=role,
            basics=self._basics,
            network=self._network,
            name=f"{self._account1.name}-ec2-{tag}",
            instance_profile_name=f"{self._account1.name}-instanceProfile-{number}",
            user_data=self.text(_USER_DATA),
            replaced_by_newer_image=True,
        )
        self.outputs(**{f"ssm_command_{output}": instance.ssm_command})

    def _buckets(self, scope: Construct, suffix: str) -> tuple[Bucket, Bucket]:
        home, away = (
            Bucket(
                scope,
                id_,
                account=account,
                prefix=f"s3-{account.name}-{suffix}-",
                force_destroy=True,
            )
            for id_, account in (("home-bucket", self._account1), ("away-bucket", self._account2))
        )
        return home, away

    def written(self, folder: Path) -> None:
        """Give the blocks the reference's names, as JSON or as HCL."""
        for name in ("cdk.tf.json", "cdk.tf", "metadata.json"):
            if (file := folder / name).exists():
                write(file, renamed(file.read_text(encoding="utf-8")).encode())
