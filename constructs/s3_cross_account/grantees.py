"""Who gets access and is no role that is made or looked up: a user, a permission set, many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bindings import DataAwsIamUser, IamUserPolicyAttachment
from .document import PolicyDocument
from .naming import organization_limits, permission_set_arns
from .policy import Condition, Principal, account_root
from .role import MANAGED_POLICY_LIMIT, RoleBase, last_part

if TYPE_CHECKING:
    from cdktf import ITerraformDependable
    from constructs import Construct

    from .account import Account
    from .policy import Statement

__all__ = ["ExistingUser", "Organization", "PermissionSet", "WholeAccount"]


class ExistingUser(RoleBase):
    """An IAM user of ``account`` that exists, looked up by its name or told by its ARN.

    The policies that it is given with :meth:`allow` are attached to the user itself, beside what
    it has; policies of other resources name its ARN. See :class:`ExistingRole`.

    Follows "IAM users" and "AWS JSON policy elements: Principal" in the IAM User Guide.
    """

    what = "user"

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        policy_name_prefix: str,
        name: str | None = None,
        arn: str | None = None,
    ) -> None:
        super().__init__(
            scope, id_, account=account, policy_names={}, policy_name_prefix=policy_name_prefix
        )
        if (name is None) == (arn is None):
            raise ValueError("give the existing user's name or its ARN, one of the two")
        if arn is not None:
            self.name, self.arn = last_part(arn), arn
        else:
            user = DataAwsIamUser(self, "user", provider=account.provider, user_name=str(name))
            self.name, self.arn = str(name), user.arn

    def _attachment(self, id_: str, policy_arn: str) -> ITerraformDependable:
        return IamUserPolicyAttachment(
            self, id_, provider=self.account.provider, user=self.name, policy_arn=policy_arn
        )


class PermissionSet(RoleBase):
    """Stands for the role that IAM Identity Center makes in ``account`` of a permission set.

    Nobody can attach anything to that role, and its name's end changes with each assignment. So
    policies of other resources name the account, with a condition on the role's ARN, and what it
    may do becomes customer managed policies (``to_reference`` has their names), which the
    permission set has to reference by their names.

    Follows "Referencing permission sets in resource policies, Amazon EKS Cluster config maps, and
    AWS KMS key policies" and "Custom permissions" in the IAM Identity Center User Guide.
    """

    what = "permission set"

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, policy_name_prefix: str, name: str
    ) -> None:
        super().__init__(
            scope, id_, account=account, policy_names={}, policy_name_prefix=policy_name_prefix
        )
        self.name = name

    @property
    def to_reference(self) -> tuple[str, ...]:
        """The names of the policies that the permission set has to reference."""
        return tuple(name for what, name, _ in self._names if what == "policy")

    def principal(
        self,
        *,
        survive_recreation: bool,  # noqa: ARG002 - nobody is named who can be made again
    ) -> tuple[Principal, tuple[Condition, ...]]:
        """Return the account, and the condition on the role's ARN."""
        values = permission_set_arns(self.account.partition, self.account.account_id, self.name)
        return account_root(self.account.partition, self.account.account_id), (
            Condition(test="ArnLike", variable="aws:PrincipalArn", values=values),
        )

    def attach(self, id_: str, policy_arn: str) -> None:
        """Attach nothing: a permission set is given a policy where it is managed."""


class WholeAccount(RoleBase):
    """Stands for everybody in ``account`` whom its administrators let.

    Policies of other resources name the account. What they let is ``statements_json``, which the
    account's administrators attach to whom they want.

    Follows "AWS account principals" in "AWS JSON policy elements: Principal" in the IAM User Guide.
    """

    what = "account"

    def __init__(self, scope: Construct, id_: str, *, account: Account) -> None:
        super().__init__(scope, id_, account=account, policy_names={}, policy_name_prefix="")
        self._document: PolicyDocument | None = None

    @property
    def statements_json(self) -> str | None:
        """The identity half as a policy document, to attach to whoever is to have the access."""
        return self._document.json if self._document else None

    def principal(
        self,
        *,
        survive_recreation: bool,  # noqa: ARG002 - nobody is named who can be made again
    ) -> tuple[Principal, tuple[Condition, ...]]:
        """Return the account itself."""
        return account_root(self.account.partition, self.account.account_id), ()

    def allow(
        self,
        statement: Statement,
        *,
        account: Account,  # noqa: ARG002 - one document for all accounts
    ) -> None:
        """Add ``statement`` to what is handed out."""
        if self._document is not None:
            self._document.add(statement)
            return
        self._document = PolicyDocument(
            self,
            "identity-policy",
            account=self.account,
            statements=[statement],
            what="managed policy",
            limit=MANAGED_POLICY_LIMIT,
        )


class Organization(WholeAccount):
    """Stands for everybody in an organization, or in a unit of it, whom their administrators let.

    Policies of other resources name everybody, limited to the organization ``id`` and, with
    ``path``, to what is below that. S3 does not count that as public: it does so by the id alone,
    which stands beside a path for that. ``account`` is any that the stack has.

    Follows "AWS global condition context keys" in the IAM User Guide and "Blocking public access
    to your Amazon S3 storage" in the Amazon S3 User Guide.
    """

    title = "Organization"
    abroad = True
    what = "organization"

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        organization_id: str,
        path: str | None = None,
    ) -> None:
        super().__init__(scope, id_, account=account)
        self._limits = organization_limits(organization_id, path)

    def principal(
        self,
        *,
        survive_recreation: bool,  # noqa: ARG002 - nobody is named who can be made again
    ) -> tuple[Principal, tuple[Condition, ...]]:
        """Return everybody, and the conditions that limit them to the organization."""
        return Principal(type="*", identifiers=("*",)), self._limits
