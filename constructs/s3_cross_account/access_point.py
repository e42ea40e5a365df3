"""An S3 access point, by which another account reaches a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .access import REFERENCE, Access
from .account import in_one_partition
from .bindings import S3AccessPoint, S3AccessPointVpcConfiguration
from .document import PolicyDocument
from .policy import together
from .through import Through, access_point_arn, name_problems, not_through

if TYPE_CHECKING:
    from .account import Account
    from .bucket import BucketBase
    from .policy import Naming, Statement
    from .role import RoleBase

__all__ = ["AccessPoint"]

ACCESS_POINT_POLICY_LIMIT = 20480
"""Bytes of its policy: "Access points restrictions and limitations" in the Amazon S3 User Guide."""


class AccessPoint(Construct):
    """Creates an S3 access point of ``bucket`` in ``account``, which may be another than its.

    To create it gives nobody anything. Its ``name`` is taken once in an account and region, which
    is that of the bucket; its ``alias`` stands where tools want a bucket's name. With ``vpc_id``
    only requests from that VPC come through. Public access is blocked, as it is by default.

    Follows "Creating access points" and "Granting permissions for cross-account access points" in
    the Amazon S3 User Guide. Raises ``ValueError`` for another region than the bucket's, and for a
    name that no access point can have.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        bucket: BucketBase,
        name: str,
        vpc_id: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        in_one_partition(account, bucket.account)
        found = name_problems(name)
        if account.region != bucket.account.region:
            found.append(
                f"{account.alias} works in {account.region}, the bucket is in "
                f"{bucket.account.region}: an access point is in its bucket's region"
            )
        if found:
            raise ValueError("; ".join(found))
        self.account, self.bucket = account, bucket
        elsewhere = bucket.account is not account
        self._resource = S3AccessPoint(
            self,
            "Resource",
            provider=account.provider,
            name=name,
            bucket=bucket.name,
            bucket_account_id=bucket.account.account_id if elsewhere else None,
            # Without any, Terraform would leave the one there that it is to take away.
            policy="{}",
            vpc_configuration=S3AccessPointVpcConfiguration(vpc_id=vpc_id) if vpc_id else None,
        )
        # Its own attribute would be known only once it is there, and its policy names it.
        self.arn = access_point_arn(account.partition, account.region, account.account_id, name)
        self.alias = self._resource.alias
        self.through = Through(arn=self.arn, account_id=account.account_id)
        self.policy_document: PolicyDocument | None = None

    def grant(
        self, *roles: RoleBase, access: Access = REFERENCE, survive_recreation: bool = False
    ) -> None:
        """Give ``roles`` access to the bucket through this access point: every half of it.

        S3 asks for both, the access point and the bucket behind it. So the identity half in the
        role's account names both, the bucket only for requests that come through here, and the
        bucket policy lets the role through access points of this account. Where the role is in
        another account than the access point, that has a policy which names the role; else the
        role's own half is enough. A key of the bucket has the halves that it has without an access
        point, see :meth:`~.bucket.BucketBase.grant`.

        To :class:`~.grantees.WholeAccount` the bucket policy delegates: the account's
        administrators say who comes through, and by which of their access points.

        Follows "Configuring IAM policies for using access points" in the Amazon S3 User Guide.
        Raises ``ValueError`` also for actions that no request through an access point can make.
        """
        if found := not_through(access.actions):
            raise ValueError(f"{', '.join(found)}: not for requests through an access point")
        self.bucket.grant(
            *roles, access=access, survive_recreation=survive_recreation, through=self.through
        )
        same = access.conditions.same_accounts
        named: dict[tuple[Account, str], list[Naming]] = {}
        for role in roles:
            # Its ARN names the account, which the condition on the bucket's is not about.
            for statement in access.identity_half(self.arn, sid=f"{self.account.title}AccessPoint"):
                role.allow(statement, account=self.bucket.account)
            if role.abroad or role.account is not self.account:
                naming = role.principal(survive_recreation=survive_recreation)
                named.setdefault((role.account, role.title or role.account.title), []).append(
                    naming
                )
        for (account, title), namings in named.items():
            for principal, by_arn in together(namings):
                for statement in access.resource_half(
                    self.arn,
                    sid=f"Allow {title} IamRole",
                    principal=principal,
                    account_id=account.account_id if same else None,
                    extra=by_arn,
                ):
                    self._allow(statement)

    def _allow(self, statement: Statement) -> None:
        if self.policy_document is not None:
            self.policy_document.add(statement)
            return
        self.policy_document = PolicyDocument(
            self,
            "policy-document",
            account=self.account,
            statements=[statement],
            what="access point policy",
            limit=ACCESS_POINT_POLICY_LIMIT,
        )
        self._resource.policy = self.policy_document.json
