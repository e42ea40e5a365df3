"""Customer managed KMS keys, for buckets whose objects another account reads or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdktf import TerraformStack
from constructs import Construct

from . import actions
from .bindings import KmsKey, KmsKeyPolicy
from .document import PolicyDocument
from .imported import lifecycle
from .policy import Condition, Statement, account_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdktf import ITerraformDependable

    from .account import Account

__all__ = ["ExistingKey", "Key", "KeyBase"]

KEY_POLICY_LIMIT = 32768
"""Characters of a key policy: "Quotas" in the AWS KMS Developer Guide."""
TAG = "s3-cross-account"
"""A key's ARN is not known beforehand: by this tag a policy tells the keys of a stack from others.

Its value is the stack's name. Nobody else's tag is called so, as ``ManagedBy`` may be."""


class KeyBase(Construct):
    """What a key that is created here and one that exists have in common.

    ``settled_by`` are the resources that must be there before S3 may use it for somebody.
    ``region`` is where it is: S3 takes keys of the bucket's region only.
    """

    arn: str
    account: Account
    region: str
    statements: list[Statement]
    settled_by: Sequence[ITerraformDependable] = ()

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to the key policy."""
        raise NotImplementedError

    def use(
        self, key_actions: tuple[str, ...], bucket_arn: str, prefixes: tuple[str, ...] = ("",)
    ) -> Statement:
        """Return the identity half of a use of the key for the objects of one bucket.

        It is limited to requests that S3 makes in the key's region (``kms:ViaService``), for
        objects of this bucket (the encryption context: the bucket's ARN with a bucket key, the
        object's without). With ``prefixes`` the object's is one below them; a bucket key's context
        knows no objects, and is let in any case. The key policy's half is the same, for somebody:
        :func:`granted_to`.

        Follows "Using server-side encryption with AWS KMS keys" in the Amazon S3 User Guide.
        """
        service = f"s3.{self.region}.amazonaws.com"
        return Statement(
            sid=f"{self.account.title}Key",
            actions=key_actions,
            resources=(self.arn,),
            conditions=(
                Condition(test="StringEquals", variable="kms:ViaService", values=(service,)),
                Condition(
                    test="StringLike",
                    variable="kms:EncryptionContext:aws:s3:arn",
                    values=(bucket_arn, *(f"{bucket_arn}/{prefix}*" for prefix in prefixes)),
                ),
            ),
        )


class Key(KeyBase):
    """Creates a customer managed key in ``account``, with yearly rotation, and its key policy.

    The account administers the key through IAM, and uses it through S3. Whoever is granted access
    to a bucket with this key is added. The key waits ``deletion_window_in_days`` (7 to 30) before
    it is deleted; with ``prevent_destroy`` Terraform refuses to.

    Follows "Allowing users in other accounts to use a KMS key" in the AWS KMS Developer Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        deletion_window_in_days: int = 30,
        prevent_destroy: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self.account, self.region = account, account.region
        key = KmsKey(
            self,
            "Resource",
            provider=account.provider,
            description="S3 objects that are shared with another account",
            enable_key_rotation=True,
            deletion_window_in_days=deletion_window_in_days,
            tags={TAG: TerraformStack.of(self).node.id},
            lifecycle=lifecycle(imported=False, prevent_destroy=prevent_destroy),
        )
        self.arn = key.arn
        owner = account_root(account.partition, account.account_id)
        service = f"s3.{account.region}.amazonaws.com"
        via_s3 = Condition(test="StringEquals", variable="kms:ViaService", values=(service,))
        self._policy = PolicyDocument(
            self,
            "policy-document",
            account=account,
            what="key policy",
            limit=KEY_POLICY_LIMIT,
            statements=[
                Statement(
                    sid="AccountAdministers",
                    actions=actions.KEY_ADMINISTRATION,
                    resources=(self.arn,),
                    principals=(owner,),
                ),
                Statement(
                    sid="AccountUsesThroughS3",
                    actions=actions.KEY_USE,
                    resources=(self.arn,),
                    principals=(owner,),
                    conditions=(via_s3,),
                ),
            ],
        )
        self.statements = self._policy.statements
        policy = KmsKeyPolicy(
            self,
            "policy",
            provider=account.provider,
            key_id=key.key_id,
            policy=self._policy.json,
        )
        self.settled_by = (policy,)

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to the key policy."""
        self._policy.add(statement)


class ExistingKey(KeyBase):
    """A customer managed key of ``account``, by its ARN.

    Its key policy belongs to somebody else: ``statements`` (``statements_json`` as JSON) is what
    has to be merged into it. With ``imported_policy``, the statements that it has, Terraform takes
    it over and writes them with ours. It refuses to delete it: KMS would give the key its default
    policy, and nobody else's statements.

    Follows "Change a key policy" and "Default key policy" in the AWS KMS Developer Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        arn: str,
        imported_policy: Sequence[Statement] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        if ":key/" not in arn:
            raise ValueError(
                f"{arn!r} is not the ARN of a customer managed key: the AWS managed key aws/s3 "
                "and aliases cannot be shared, because their key policies cannot name another "
                "account's role"
            )
        self.account, self.arn = account, arn
        # A foreign account is not declared with the region of what is in it.
        self.region = arn.split(":")[3] if account.foreign else account.region
        self.statements = []
        self.merge = imported_policy is None
        self._policy: PolicyDocument | None = None
        if imported_policy is not None:
            self._import(imported_policy)

    def _import(self, there: Sequence[Statement]) -> None:
        self._policy = PolicyDocument(
            self,
            "policy-document",
            account=self.account,
            what="key policy",
            limit=KEY_POLICY_LIMIT,
            statements=[],
            others=there,
        )
        key_id = self.arn.rpartition("/")[2]
        policy = KmsKeyPolicy(
            self,
            "policy",
            provider=self.account.provider,
            key_id=key_id,
            policy=self._policy.json,
            lifecycle=lifecycle(imported=False, prevent_destroy=True),
        )
        policy.import_from(key_id, self.account.provider)
        self.settled_by = (policy,)

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to the key policy, or to what has to be merged into it."""
        self.statements.append(statement)
        if self._policy is not None:
            self._policy.add(statement)
        else:
            self._policy = PolicyDocument(
                self, "policy-to-merge", account=self.account, statements=[statement]
            )

    @property
    def statements_json(self) -> str | None:
        """The document to merge into the key policy, where it belongs to somebody else."""
        return self._policy.json if self.merge and self._policy else None
