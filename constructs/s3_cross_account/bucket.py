"""S3 buckets, each the owner of its only bucket policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from . import policy
from .actions import LIST_GET_PUT
from .bindings import (
    S3Bucket,
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
    S3BucketPolicy,
)
from .document import PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import Account
    from .policy import Statement
    from .role import Role


class Bucket(Construct):
    """Creates an S3 bucket in ``account`` whose objects all belong to that account.

    Object ownership is "bucket owner enforced": what a role of another account writes is owned by
    the bucket's account, and ACLs are off. AWS completes ``prefix`` (37 characters at most) to
    the bucket's name. ``force_destroy`` lets Terraform delete a bucket that still holds objects.

    Follows "Controlling ownership of objects and disabling ACLs for your bucket" in the Amazon S3
    User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        prefix: str,
        force_destroy: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self.account = account
        self._policy: PolicyDocument | None = None
        bucket = S3Bucket(
            self,
            "Resource",
            provider=account.provider,
            bucket_prefix=prefix,
            force_destroy=force_destroy,
        )
        self.name: str = bucket.bucket
        self.arn: str = bucket.arn
        self._id: str = bucket.id
        S3BucketOwnershipControls(
            self,
            "ownership-controls",
            provider=account.provider,
            bucket=self.name,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )

    def grant(self, role: Role, actions: Sequence[str] = LIST_GET_PUT) -> None:
        """Give ``role`` access to this bucket: every half that AWS asks for.

        Always writes the identity half, in the role's account. Where role and bucket were
        declared in different accounts it writes the resource half too, in the bucket's account.
        Declared is what counts: account ids are often unknown before a deployment.

        Follows "Cross-account policy evaluation logic" in the IAM User Guide.
        """
        access = policy.s3_access(self.arn, sid=f"{self.account.title}S3Access", actions=actions)
        role.allow(access, account=self.account)
        if role.account is not self.account:
            sid = f"Allow {role.account.title} IamRole"
            self.allow(policy.named_in_bucket_policy(access, role.arn, sid=sid))

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to the bucket policy, which is created with the first one."""
        if self._policy is not None:
            self._policy.add(statement)
            return
        self._policy = PolicyDocument(
            self, "policy-document", account=self.account, statements=[statement]
        )
        S3BucketPolicy(
            self,
            "policy",
            provider=self.account.provider,
            bucket=self._id,
            policy=self._policy.json,
        )
