"""Buckets that stacks share: one writes the policies, the others the halves of their own roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bucket import BucketBase
from .key import KeyBase
from .naming import arns_by_name
from .policy import Condition, Naming, account_root
from .role import RoleBase

if TYPE_CHECKING:
    from constructs import Construct

    from .account import Account
    from .policy import Statement

__all__ = ["SharedBucket", "SharedKey", "Sharer"]


class SharedBucket(BucketBase):
    """A bucket of ``account`` by its ``name``, whose policy another stack writes.

    Creates nothing. What is granted on it gives the roles their half; the other one is written
    where the bucket is made, which is told of them as :class:`Sharer`.
    """

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, name: str, key: KeyBase | None = None
    ) -> None:
        super().__init__(scope, id_, account=account, key=key)
        self.name = self.given_name = name
        self.arn = f"arn:{account.partition}:s3:::{name}"

    def allow(self, statement: Statement) -> None:
        """Keep ``statement`` in mind: it is written elsewhere."""
        self.statements.append(statement)


class SharedKey(KeyBase):
    """The key of a :class:`SharedBucket`, whose policy another stack writes.

    Without its ``arn``, which nobody knows before it is made, the roles' half is for the keys of
    ``account``, by :meth:`~.key.KeyBase.use` for the objects of the one bucket alone; the key
    policy's half stands in the one key.
    """

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, arn: str | None = None
    ) -> None:
        super().__init__(scope, id_)
        self.account, self.region = account, account.region
        place = f"arn:{account.partition}:kms:{account.region}:{account.account_id}"
        self.arn = arn or f"{place}:key/*"
        self.statements = []

    def allow(self, statement: Statement) -> None:
        """Keep ``statement`` in mind: it is written elsewhere."""
        self.statements.append(statement)


class Sharer(RoleBase):
    """Stands for somebody of ``account`` whose own half another stack writes, by a ``naming``.

    Creates nothing. ``title`` and ``abroad`` are those of who it stands for, where it is no role.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        naming: Naming,
        title: str = "",
        abroad: bool = False,
    ) -> None:
        super().__init__(scope, id_, account=account, policy_names={}, policy_name_prefix="")
        self._naming, self.title, self.abroad = naming, title, abroad

    def principal(self, *, survive_recreation: bool) -> Naming:  # noqa: ARG002 - it always does
        """Return the naming."""
        return self._naming

    def allow(self, statement: Statement, *, account: Account) -> None:
        """Write nothing: its own stack does."""

    def attach(self, id_: str, policy_arn: str) -> None:
        """Attach nothing: its own stack does."""


def by_arn(account: Account, kind: str, name_or_arn: str, path: str | None = "/") -> Naming:
    """Return how a policy names a role or a user that is perhaps not there yet.

    That is its account, with a condition on its ARN: AWS refuses a policy that names a role itself
    which does not exist. A ``path`` that is not known is left open: a name is taken once in an
    account, whatever the path.

    Follows "AWS JSON policy elements: Principal" in the IAM User Guide.
    """
    owner = account_root(account.partition, account.account_id)
    if name_or_arn.startswith("arn:"):
        arns: tuple[str, ...] = (name_or_arn,)
    else:
        arns = arns_by_name(account.partition, account.account_id, kind, name_or_arn, path)
    test = "ArnEquals" if len(arns) == 1 else "ArnLike"
    return owner, (Condition(test=test, variable="aws:PrincipalArn", values=arns),)
