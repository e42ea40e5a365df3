"""S3 buckets, each the owner of its only bucket policy."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from constructs import Construct

from . import actions
from .access import REFERENCE, Access
from .account import in_one_partition
from .bindings import (
    S3Bucket,
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLoggingA,
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
    S3BucketPolicy,
    S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from .document import PolicyDocument
from .hardening import (
    LOGS_DAYS,
    NONE,
    OLD_VERSIONS_DAYS,
    UNFINISHED_UPLOADS_DAYS,
    Hardening,
)
from .imported import lifecycle
from .policy import (
    Condition,
    Principal,
    Statement,
    asking,
    deny_without_tls,
    granted_to,
    together,
)

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from .account import Account
    from .key import KeyBase
    from .policy import Naming
    from .role import RoleBase
    from .through import Through

__all__ = ["Bucket", "BucketBase", "ExistingBucket"]

BUCKET_POLICY_LIMIT = 20480
"""Bytes of a bucket policy: "Bucket policies" in the Amazon S3 User Guide."""


class BucketBase(Construct):
    """What a bucket that is created here and one that exists have in common.

    ``statements`` is what was granted on it so far, as plain values; ``settled_by`` are the
    resources that must be there before S3 replicates from or to it. ``given_name`` is its name,
    where that is known before a deployment.
    """

    name: str
    arn: str

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, key: KeyBase | None = None
    ) -> None:
        super().__init__(scope, id_)
        self.account = account
        self.key = key
        self.versioned = False
        self.given_name: str | None = None
        self.settled_by: list[ITerraformDependable] = []
        self.statements: list[Statement] = []
        self.policy_document: PolicyDocument | None = None
        self._imported_policy: str | None = None

    def grant(
        self,
        *roles: RoleBase,
        access: Access = REFERENCE,
        survive_recreation: bool = False,
        through: Through | None = None,
    ) -> None:
        """Give ``roles`` access to this bucket: every half that AWS asks for.

        Always writes the identity half, in the role's account. Where role and bucket were
        declared in different accounts it writes the resource half too, in the bucket's account,
        one for all roles of an account. Declared is what counts: account ids are often unknown
        before a deployment. A bucket with a KMS key gets the same two halves for the key, the key
        policy's in any case.

        A policy that names a role keeps the role's unique id, and so refuses a role that was
        deleted and made again with the same name. With ``survive_recreation`` the resource halves
        name the role's account with a condition on the role's ARN instead. The trade-off: whoever
        may create a role of that name in that account gets the access.

        With ``through`` requests have to come by that access point: see
        :class:`~.access_point.AccessPoint`, whose ``grant`` writes the other halves.

        Raises ``ValueError`` where role and bucket are in different partitions of AWS, and for a
        condition that only the trust policy of a role to assume can ask.

        Follows "Cross-account policy evaluation logic" and "AWS JSON policy elements: Principal"
        in the IAM User Guide.
        """
        in_one_partition(self.account, *(role.account for role in roles))
        # What is asked of a KMS key is no mistake where only others of several buckets have one.
        nowhere = access.conditions.unplaced(access.actions, assumed=False, keyed=True)
        if found := [f"{test} {asked}: {told}" for (test, asked), told in nowhere]:
            raise ValueError("; ".join(found))
        same = access.conditions.same_accounts
        key_actions = actions.of_key(access.actions)
        of_key = self.key.use(key_actions, self.arn) if self.key and key_actions else None
        if of_key:
            of_key = asking(of_key, *access.conditions.of_key())
        named: dict[tuple[Account, str, bool], list[Naming]] = {}
        for role in roles:
            for statement in access.identity_half(
                self.arn,
                sid=f"{self.account.title}S3Access",
                account_id=self.account.account_id if same else None,
            ):
                asked = asking(statement, through.named) if through else statement
                role.allow(asked, account=self.account)
            if of_key:
                role.allow(of_key, account=self.account)
            title = role.title or role.account.title
            abroad = role.abroad or role.account is not self.account
            naming = role.principal(survive_recreation=survive_recreation)
            named.setdefault((role.account, title, abroad), []).append(naming)
        for (account, title, abroad), namings in named.items():
            for principal, by_arn in together(namings):
                if abroad:
                    for statement in access.resource_half(
                        self.arn,
                        sid=f"Allow {title} {'AccessPoint' if through else 'IamRole'}",
                        principal=principal,
                        account_id=account.account_id if same else None,
                        extra=(*by_arn, through.delegated) if through else by_arn,
                    ):
                        self.allow(statement)
                if self.key and of_key:
                    self.key.allow(granted_to(principal, of_key, *by_arn))

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to the bucket policy, which is created with the first one."""
        self.statements.append(statement)
        if self.policy_document is not None:
            self.policy_document.add(statement)
        else:
            self.policy_document = self._create_policy(statement)

    def _create_policy(self, first: Statement) -> PolicyDocument:
        document = PolicyDocument(
            self,
            "policy-document",
            account=self.account,
            statements=[first],
            what="bucket policy",
            limit=BUCKET_POLICY_LIMIT,
        )
        policy = S3BucketPolicy(
            self,
            "policy",
            provider=self.account.provider,
            bucket=self._policy_target(),
            policy=document.json,
        )
        self.settled_by.append(policy)
        if self._imported_policy is not None:
            policy.import_from(self._imported_policy, self.account.provider)
        return document

    def _policy_target(self) -> str:
        return self.name


class Bucket(BucketBase):
    """Creates an S3 bucket in ``account`` whose objects all belong to that account.

    Object ownership is "bucket owner enforced": what a role of another account writes is owned by
    the bucket's account, and ACLs are off. AWS completes ``prefix`` (37 characters at most) to
    the bucket's name; ``name`` is a whole one, of the two give one. ``force_destroy`` lets
    Terraform delete a bucket that still holds objects, ``prevent_destroy`` has it refuse.
    With ``key`` its objects are encrypted with that KMS key, by way of a bucket key; with
    ``sse_algorithm`` ``aws:kms:dsse`` twice, and without a bucket key, which that has not.
    ``AES256`` has S3's own keys encrypt, whatever did before.

    ``old_versions_days`` is how long overwritten and deleted objects can be restored, where the
    hardening has them expire, and ``logs_days`` how long a log bucket that is created keeps logs.

    Access logs go to ``log_bucket``, below this bucket's name: a bucket of the same account and
    region. Without one a log bucket is created, which keeps them for a year and is deleted with
    them: S3 still delivers for about an hour after logging was turned off.

    With ``imported`` the bucket ``name`` exists and Terraform takes it over: it keeps its tags and
    lifecycle rules, and Terraform refuses to delete it. ``"with-policy"`` takes over its bucket
    policy as well; ``"without-policy"`` says that it has none.

    Follows "Controlling ownership of objects and disabling ACLs for your bucket", "Enabling Amazon
    S3 server access logging" and "Examples of S3 Lifecycle configurations" in the Amazon S3 User
    Guide, and "Import" in the Terraform documentation.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        prefix: str | None = None,
        name: str | None = None,
        force_destroy: bool = False,
        prevent_destroy: bool = False,
        imported: Literal["with-policy", "without-policy"] | None = None,
        key: KeyBase | None = None,
        sse_algorithm: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None,
        hardening: Hardening = NONE,
        log_bucket: BucketBase | None = None,
        old_versions_days: int = OLD_VERSIONS_DAYS,
        logs_days: int = LOGS_DAYS,
    ) -> None:
        super().__init__(scope, id_, account=account, key=key)
        if (prefix is None) == (name is None):
            raise ValueError("give the bucket's prefix or its name, one of the two")
        if (key is None) != (sse_algorithm in (None, "AES256")) and sse_algorithm is not None:
            raise ValueError(f"{sse_algorithm} and a key do not go together: give one of them")
        if log_bucket is not None and log_bucket.account is not account:
            raise ValueError("S3 delivers access logs within an account: give a log bucket of it")
        bucket = S3Bucket(
            self,
            "Resource",
            provider=account.provider,
            bucket=name,
            bucket_prefix=prefix,
            force_destroy=force_destroy,
            lifecycle=lifecycle(prevent_destroy=prevent_destroy, imported=imported is not None),
        )
        if imported is not None:
            assert name is not None, "a bucket is imported by its name"
            bucket.import_from(name, account.provider)
            self._imported_policy = name if imported == "with-policy" else None
        self.name = bucket.bucket
        self.given_name = name
        self.arn = bucket.arn
        self._resource = bucket
        S3BucketOwnershipControls(
            self,
            "ownership-controls",
            provider=account.provider,
            bucket=self.name,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        algorithm = sse_algorithm or ("aws:kms" if key else "AES256")
        if key is not None or sse_algorithm is not None or hardening.encryption:
            self._encrypt(algorithm)
        self._harden(hardening)
        if hardening.lifecycle and imported is None:  # which has rules that this would replace
            self._expire(old_versions_days=old_versions_days)
        self.log_bucket = log_bucket
        if hardening.access_logging:
            self.log_bucket = log_bucket or self._create_log_bucket(
                str(prefix or name), hardening, days=logs_days
            )
            self._log_to(self.log_bucket)

    def _policy_target(self) -> str:
        return str(self._resource.id)

    def _encrypt(self, sse_algorithm: str) -> None:
        algorithm = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            provider=self.account.provider,
            bucket=self.name,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=algorithm(
                        sse_algorithm=sse_algorithm,
                        kms_master_key_id=self.key.arn if self.key else None,
                    ),
                    bucket_key_enabled=True if sse_algorithm == "aws:kms" else None,
                )
            ],
        )

    def _harden(self, hardening: Hardening) -> None:
        provider = self.account.provider
        if hardening.public_access_block:
            S3BucketPublicAccessBlock(
                self,
                "public-access-block",
                provider=provider,
                bucket=self.name,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            )
        self.versioned = hardening.versioning
        if hardening.versioning:
            versioning = S3BucketVersioningA(
                self,
                "versioning",
                provider=provider,
                bucket=self.name,
                versioning_configuration=S3BucketVersioningVersioningConfiguration(
                    status="Enabled"
                ),
            )
            self.settled_by.append(versioning)
        if hardening.tls_only:
            self.allow(deny_without_tls(self.arn))

    def _expire(
        self, *, after_days: int | None = None, old_versions_days: int = OLD_VERSIONS_DAYS
    ) -> None:
        """Delete what nobody asks for any more, and with ``after_days`` every object."""
        rule = S3BucketLifecycleConfigurationRule
        unfinished = S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload
        old = S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration
        S3BucketLifecycleConfiguration(
            self,
            "lifecycle",
            provider=self.account.provider,
            bucket=self.name,
            rule=[
                rule(
                    id="expire",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    abort_incomplete_multipart_upload=[
                        unfinished(days_after_initiation=UNFINISHED_UPLOADS_DAYS)
                    ],
                    noncurrent_version_expiration=[old(noncurrent_days=old_versions_days)],
                    # With days, S3 removes delete markers without versions by itself.
                    expiration=[
                        S3BucketLifecycleConfigurationRuleExpiration(
                            days=after_days,
                            expired_object_delete_marker=None if after_days else True,
                        )
                    ],
                )
            ],
        )

    def _create_log_bucket(self, name: str, hardening: Hardening, *, days: int) -> Bucket:
        logs = Bucket(
            self,
            "access-logs",
            account=self.account,
            prefix=log_bucket_prefix(name),
            force_destroy=True,
            hardening=hardening.model_copy(update={"access_logging": False, "lifecycle": False}),
        )
        logs._expire(after_days=days, old_versions_days=min(days, OLD_VERSIONS_DAYS))
        return logs

    def _log_to(self, logs: BucketBase) -> None:
        prefix = f"{self.name}/"
        logs.allow(_may_log(f"{logs.arn}/{prefix}*", self.arn, self.account.account_id))
        S3BucketLoggingA(
            self,
            "access-logging",
            provider=self.account.provider,
            bucket=self.name,
            target_bucket=logs.name,
            target_prefix=prefix,
        )


class ExistingBucket(BucketBase):
    """A bucket of ``account`` that exists, by its name. Creates nothing but, perhaps, its policy.

    ``policy`` says who owns the bucket policy. ``"create"``: nobody does yet, and this construct
    creates it. ``"merge"``: somebody does, and ``statements`` (``statements_json`` as JSON) is what
    has to be merged into it; until it is, access across accounts is refused. ``versioned`` says
    that versioning is enabled.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name: str,
        policy: Literal["create", "merge"],
        key: KeyBase | None = None,
        versioned: bool = False,
    ) -> None:
        super().__init__(scope, id_, account=account, key=key)
        self.versioned = versioned
        self.name = self.given_name = name
        self.arn = f"arn:{account.partition}:s3:::{name}"
        self.merge = policy == "merge"

    @property
    def statements_json(self) -> str | None:
        """The document to merge into the bucket policy, where it belongs to somebody else."""
        document = self.policy_document
        return document.json if self.merge and document else None

    def _create_policy(self, first: Statement) -> PolicyDocument:
        if not self.merge:
            return super()._create_policy(first)
        return PolicyDocument(self, "policy-to-merge", account=self.account, statements=[first])


def log_bucket_prefix(name: str) -> str:
    """Return how the log bucket of the bucket with this name or prefix begins.

    No two buckets share one, so that a role that may deploy the one never reaches the other's logs.
    """
    if "${" in name:
        raise ValueError("the bucket's prefix is known to Terraform only: give it a log_bucket")
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{name[:22].rstrip('.-')}-logs-{digest[:8]}-"


def _may_log(objects: str, source_arn: str, account_id: str) -> Statement:
    """Return what S3's log delivery needs; "Enabling Amazon S3 server access logging".

    Without a sid: a log bucket's policy may hold those of many links, and sids must differ.
    """
    return Statement(
        effect="Allow",
        actions=("s3:PutObject",),
        resources=(objects,),
        principals=(Principal(type="Service", identifiers=("logging.s3.amazonaws.com",)),),
        conditions=(
            Condition(test="ArnLike", variable="aws:SourceArn", values=(source_arn,)),
            Condition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,)),
        ),
    )
