"""IAM roles and the managed policies that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import IamPolicy, IamRole, IamRolePolicyAttachment
from .document import PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .account import Account
    from .policy import Statement


class Role(Construct):
    """Creates an IAM role in ``account``.

    ``trust`` is its trust policy: who may assume it. What it may do is added with :meth:`allow`,
    in one customer managed policy for each account whose resources it reaches; ``policy_names``
    names them by that account's alias.

    Follows "IAM roles" and "Managed policies and inline policies" in the IAM User Guide.
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
    ) -> None:
        super().__init__(scope, id_)
        self.account = account
        self._own_name = name
        self._policy_names = policy_names or {}
        self._documents: dict[str, PolicyDocument] = {}
        role = IamRole(
            self,
            "Resource",
            provider=account.provider,
            name=name,
            assume_role_policy=trust.json,
        )
        self.name: str = role.name
        self.arn: str = role.arn

    def allow(self, statement: Statement, *, account: Account) -> None:
        """Add ``statement`` to the role's policy on resources of ``account``.

        Creates the policy, its document and its attachment, in the role's own account, with the
        first statement.
        """
        document = self._documents.get(account.alias)
        if document is not None:
            document.add(statement)
            return
        id_ = f"{account.alias}-policy"
        document = PolicyDocument(
            self, f"{id_}-document", account=self.account, statements=[statement]
        )
        policy = IamPolicy(
            self,
            id_,
            provider=self.account.provider,
            name=self._policy_names.get(account.alias, f"{self._own_name}-{account.alias}"),
            policy=document.json,
        )
        self.attach(f"{id_}-attachment", policy.arn)
        self._documents[account.alias] = document

    def attach(self, id_: str, policy_arn: str) -> None:
        """Attach an existing managed policy to the role."""
        IamRolePolicyAttachment(
            self, id_, provider=self.account.provider, role=self.name, policy_arn=policy_arn
        )
