"""IAM roles and the managed policies that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    DataAwsIamInstanceProfile,
    DataAwsIamRole,
    IamPolicy,
    IamRole,
    IamRolePolicyAttachment,
)
from .document import PolicyDocument
from .imported import lifecycle
from .policy import (
    Condition,
    Principal,
    Reference,
    account_root,
    carried,
    service,
    size,
    tags_of,
    trust,
)
from .role_name import reserved
from .validation import add_validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import ITerraformDependable

    from .account import Account
    from .policy import Statement

__all__ = ["ExistingRole", "Role", "RoleBase"]

MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy: "IAM and AWS STS quotas" in the IAM User Guide."""
POLICY_NAME_LIMIT = 128
ROLE_NAME_LIMIT = 64
ATTACHED_POLICIES_LIMIT = 10
"""Managed policies of one role, by default."""


class RoleBase(Construct):
    """What a role that is created here and one that exists have in common.

    What the role may do is added with :meth:`allow`, in customer managed policies for each account
    whose resources it reaches. ``policy_names`` names them by that account's alias; a policy that
    would get too long is continued in another, with a number behind its name. ``settled_by`` are
    the policies and attachments that must be there before the role may do what it was given.
    """

    name: str
    arn: str
    title = ""
    """Begins what statements are called; empty: the account's."""
    abroad = False
    """Whether each bucket policy names it, whichever account the bucket is in."""
    what = "role"

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        policy_names: Mapping[str, str],
        policy_name_prefix: str,
    ) -> None:
        super().__init__(scope, id_)
        self.account = account
        self._policy_names = policy_names
        self._policy_name_prefix = policy_name_prefix
        self._documents: dict[str, list[PolicyDocument]] = {}
        self._attached = 0
        self.settled_by: list[ITerraformDependable] = []
        self._trust: list[Statement] = []
        self._names: list[tuple[str, str, int]] = []
        add_validation(self, account, lambda: [*self._too_many(), *self._bad_names()])

    @property
    def carried(self) -> tuple[str, ...]:
        """What the role's sessions bring along when they assume another role."""
        return carried(self._trust)

    @property
    def tags(self) -> tuple[str, ...]:
        """The keys of the tags that they bring along, as patterns."""
        return tags_of(self._trust)

    def principal(self, *, survive_recreation: bool) -> tuple[Principal, tuple[Condition, ...]]:
        """Return how a policy of another resource names this role, and the condition with it.

        With ``survive_recreation`` that is the role's account with a condition on the role's ARN;
        see :meth:`BucketBase.grant`.
        """
        if not survive_recreation:
            return Principal(type="AWS", identifiers=(self.arn,)), ()
        condition = Condition(test="ArnEquals", variable="aws:PrincipalArn", values=(self.arn,))
        return account_root(self.account.partition, self.account.account_id), (condition,)

    def _reference(self, arn: str, name: str) -> str:
        """Return a reference to the role's ARN; a path, which few roles have, is not known."""
        return Reference(arn, f"arn:{self.account.partition}:iam::{'0' * 12}:role/{name}")

    def allow(self, statement: Statement, *, account: Account) -> None:
        """Add ``statement`` to the role's policy on resources of ``account``.

        Creates the policy, its document and its attachment, in the role's own account, with the
        first statement.
        """
        documents = self._documents.setdefault(account.alias, [])
        if documents and size([*documents[-1].statements, statement]) <= MANAGED_POLICY_LIMIT:
            documents[-1].add(statement)
            return
        number = f"-{len(documents) + 1}" if documents else ""
        id_ = f"{account.alias}-policy{number}"
        document = PolicyDocument(
            self,
            f"{id_}-document",
            account=self.account,
            statements=[statement],
            what="managed policy",
            limit=MANAGED_POLICY_LIMIT,
        )
        default = f"{self._policy_name_prefix}-{account.alias}"
        name = self._policy_names.get(account.alias, default) + number
        documents.append(document)
        self._names.append(("policy", name, POLICY_NAME_LIMIT))
        self._give(id_, name, document)

    def _give(self, id_: str, name: str, document: PolicyDocument) -> None:
        """Create a policy called ``name`` and attach it."""
        policy = IamPolicy(
            self,
            id_,
            provider=self.account.provider,
            name=name,
            policy=document.json,
        )
        self.settled_by.append(policy)
        self.attach(f"{id_}-attachment", policy.arn)

    def attach(self, id_: str, policy_arn: str) -> None:
        """Attach an existing managed policy to the role."""
        self._attached += 1
        self.settled_by.append(self._attachment(id_, policy_arn))

    def _attachment(self, id_: str, policy_arn: str) -> ITerraformDependable:
        return IamRolePolicyAttachment(
            self, id_, provider=self.account.provider, role=self.name, policy_arn=policy_arn
        )

    def _too_many(self) -> list[str]:
        if self._attached <= ATTACHED_POLICIES_LIMIT:
            return []
        return [
            f"the {self.what} needs {self._attached} managed policies, AWS attaches "
            f"{ATTACHED_POLICIES_LIMIT}: declare fewer buckets for one {self.what}"
        ]

    def _bad_names(self) -> list[str]:
        too_long = [
            f"the {what}'s name {name!r} has {len(name)} characters, AWS takes {limit}: "
            "choose a shorter one"
            for what, name, limit in self._names
            if len(name) > limit and "${" not in name  # a variable's length is not known here
        ]
        roles = [name for what, name, _ in self._names if what == "role"]
        return [*too_long, *(problem for name in roles if (problem := reserved(name)))]


class Role(RoleBase):
    """Creates an IAM role in ``account``, with the account's permissions boundary if it has one.

    ``trust`` is its trust policy: who may assume it. ``path``, which begins and ends with ``/``, is
    a part of its ARN.

    With ``imported`` the role exists and Terraform takes it over: it gets ``trust``, keeps the
    policies, the description, the session duration and the tags that it has (and its boundary
    where the account has none), and Terraform refuses to delete it.

    Follows "IAM roles" and "Managed policies and inline policies" in the IAM User Guide and
    "Import" in the Terraform documentation.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name: str,
        trust: PolicyDocument,
        policy_names: Mapping[str, str] | None = None,
        imported: bool = False,
        path: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            id_,
            account=account,
            policy_names=policy_names or {},
            policy_name_prefix=name,
        )
        self._names.append(("role", name, ROLE_NAME_LIMIT))
        self._trust = trust.statements
        role = IamRole(
            self,
            "Resource",
            provider=account.provider,
            name=name,
            path=path,
            assume_role_policy=trust.json,
            permissions_boundary=account.permissions_boundary,
            lifecycle=lifecycle(imported=imported, kept=_kept(account)),
        )
        if imported:
            role.import_from(name, account.provider)
        self.name = role.name
        self.arn = self._reference(role.arn, name)


def _kept(account: Account) -> tuple[str, ...]:
    boundary = () if account.permissions_boundary else ("permissions_boundary",)
    return ("description", "max_session_duration", "path", *boundary)


class ExistingRole(RoleBase):
    """Looks up a role of ``account``, by its name or by an instance profile that holds it.

    Creates nothing but the policies that it is given with :meth:`allow`, whose names begin with
    ``policy_name_prefix``, and their attachments. Its ARN, with its path, is AWS's answer, unless
    ``arn`` says it in the place of the name: then nothing is looked up.
    ``trusted_service`` is who hands out its sessions: they may bring along what the next role has
    to allow.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        policy_name_prefix: str,
        name: str | None = None,
        arn: str | None = None,
        instance_profile: str | None = None,
        trusted_service: str | None = None,
    ) -> None:
        super().__init__(
            scope, id_, account=account, policy_names={}, policy_name_prefix=policy_name_prefix
        )
        if [name, arn, instance_profile].count(None) != 2:
            raise ValueError("give the existing role's name, its ARN or its instance profile")
        if trusted_service is not None:
            self._trust = [trust(service(trusted_service))]
        if arn is not None:
            self.name, self.arn = last_part(arn), arn
        elif name is not None:
            self._names.append(("role", name, ROLE_NAME_LIMIT))
            role = DataAwsIamRole(self, "role", provider=account.provider, name=name)
            self.name, self.arn = name, self._reference(role.arn, name)
        else:
            assert instance_profile is not None
            profile = DataAwsIamInstanceProfile(
                self, "instance-profile", provider=account.provider, name=instance_profile
            )
            self.name, self.arn = profile.role_name, profile.role_arn


def last_part(arn: str) -> str:
    """Return the name at the end of an ARN."""
    return arn.rpartition("/")[2]
