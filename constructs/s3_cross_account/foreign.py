"""Roles and users of an account that nobody here has credentials for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .document import PolicyDocument
from .policy import service, trust
from .role import RoleBase, last_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from .account import Account
    from .policy import Condition, Principal, Statement

__all__ = ["ForeignRole"]


class ForeignRole(RoleBase):
    """Stands for a role or a user of a foreign account: ``kind``, by its name or its ARN.

    Creates nothing. What its owner has to give it are ``policies``, by the names proposed for
    them; ``trust_statements`` are what its trust policy has to say, which is then ``trust``.
    ``trusted_service`` is as in :class:`~.role.ExistingRole`.

    AWS refuses a policy that names a role or a user that does not exist. So the policies of other
    resources name its account, with a condition on its ARN: it may be made after them. Whoever may
    make one of that name in that account gets the access. With ``named_directly`` they name itself,
    and it has to be there before.

    Follows "AWS JSON policy elements: Principal" in the IAM User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name_or_arn: str,
        kind: Literal["role", "user"] = "role",
        policy_name_prefix: str,
        named_directly: bool = False,
        trusted_service: str | None = None,
        trust_statements: Sequence[Statement] = (),
    ) -> None:
        super().__init__(
            scope, id_, account=account, policy_names={}, policy_name_prefix=policy_name_prefix
        )
        self.what = kind
        self.name = last_part(name_or_arn)
        by_name = f"arn:{account.partition}:iam::{account.account_id}:{kind}/{self.name}"
        self.arn = name_or_arn if name_or_arn.startswith("arn:") else by_name
        self._directly = named_directly
        if trusted_service is not None:
            self._trust = [trust(service(trusted_service))]
        self.policies: dict[str, PolicyDocument] = {}
        self.trust: PolicyDocument | None = None
        if trust_statements:
            self.trust = PolicyDocument(
                self, "trust", account=account, statements=trust_statements, what="trust policy"
            )

    def principal(self, *, survive_recreation: bool) -> tuple[Principal, tuple[Condition, ...]]:
        """Return how a policy of another resource names it, and the condition with it."""
        return super().principal(survive_recreation=survive_recreation or not self._directly)

    def allow(self, statement: Statement, *, account: Account) -> None:  # noqa: ARG002
        """Add ``statement`` to what is handed over for it: one policy, for all accounts."""
        super().allow(statement, account=self.account)

    def attach(self, id_: str, policy_arn: str) -> None:
        """Attach nothing: its owner does."""

    def _give(self, id_: str, name: str, document: PolicyDocument) -> None:  # noqa: ARG002
        self.policies[name] = document
