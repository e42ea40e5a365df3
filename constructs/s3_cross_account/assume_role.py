"""Pattern 2: AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from . import policy
from .actions import LIST_GET_PUT
from .aws_cli import instance_profile_config
from .document import PolicyDocument
from .role import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .account import Account
    from .bucket import Bucket


class AssumeRole(Construct):
    """Lets ``role`` reach ``buckets`` by assuming a role of another account.

    Creates the role to assume (``assumed_role``) in ``account``, with a trust policy that names
    ``role``, and allows ``role`` to assume it. The assumed role may reach every bucket; a bucket
    outside its account names it in the bucket policy. ``role`` itself also keeps direct access to
    the buckets of its own account. ``aws_config`` is the AWS CLI profile, named ``profile``, that
    an instance with ``role`` uses.

    Follows "IAM tutorial: Delegate access across AWS accounts using IAM roles" in the IAM User
    Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        role: Role,
        buckets: Sequence[Bucket],
        account: Account,
        assumed_role_name: str,
        policy_names: Mapping[str, str] | None = None,
        actions: Sequence[str] = LIST_GET_PUT,
    ) -> None:
        super().__init__(scope, id_)
        self.assumed_role = Role(
            self,
            "assumed-role",
            account=account,
            name=assumed_role_name,
            trust=PolicyDocument(
                self, "trust", account=account, statements=[policy.trust("AWS", role.arn)]
            ),
            policy_names=policy_names,
        )
        for bucket in buckets:
            if bucket.account is role.account:
                bucket.grant(role, actions)
            bucket.grant(self.assumed_role, actions)
        role.allow(
            policy.may_assume(self.assumed_role.arn, sid=f"{role.account.title}AssumeRole"),
            account=role.account,
        )
        self.profile = account.alias
        self.aws_config = instance_profile_config(
            profile=self.profile, role_arn=self.assumed_role.arn, region=account.region
        )
