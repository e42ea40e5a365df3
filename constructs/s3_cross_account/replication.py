"""Pattern 3: replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from . import actions
from .account import in_one_partition
from .bindings import (
    S3BucketReplicationConfigurationA,
    S3BucketReplicationConfigurationRule,
    S3BucketReplicationConfigurationRuleDeleteMarkerReplication,
    S3BucketReplicationConfigurationRuleDestination,
    S3BucketReplicationConfigurationRuleDestinationAccessControlTranslation,
    S3BucketReplicationConfigurationRuleDestinationEncryptionConfiguration,
    S3BucketReplicationConfigurationRuleDestinationMetrics,
    S3BucketReplicationConfigurationRuleDestinationMetricsEventThreshold,
    S3BucketReplicationConfigurationRuleDestinationReplicationTime,
    S3BucketReplicationConfigurationRuleDestinationReplicationTimeTime,
    S3BucketReplicationConfigurationRuleFilter,
    S3BucketReplicationConfigurationRuleFilterAnd,
    S3BucketReplicationConfigurationRuleFilterTag,
    S3BucketReplicationConfigurationRuleSourceSelectionCriteria,
    S3BucketReplicationConfigurationRuleSourceSelectionCriteriaReplicaModifications,
    S3BucketReplicationConfigurationRuleSourceSelectionCriteriaSseKmsEncryptedObjects,
)
from .document import PolicyDocument, rendered_once
from .policy import Principal, Statement, granted_to, service, trust
from .replication_rule import ReplicationRule, problems
from .role import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bucket import BucketBase

__all__ = ["BatchReplicationRole", "Replication"]

_RTC_MINUTES = 15


class Replication(Construct):
    """Replicates new objects of ``source`` to ``destination``, a bucket of another account.

    Creates the replication role in the source's account, with its permissions on both buckets and
    their keys, the statement for it in the destination's bucket policy (and key policy), and the
    replication configuration of the source. Replicas belong to the destination's account. With
    ``replica_modifications`` changes to the metadata of replicas come back, for use in both
    directions.

    The configuration comes last: what is written while the role still lacks a permission is not
    replicated later either ("Getting replication status information").

    Raises ``ValueError`` for what S3 accepts and then does not do, and for a second replication of
    one source, whose configuration would replace the first: S3 keeps one for each bucket.

    Follows "Configuring replication for buckets in different accounts" and "Replicating encrypted
    objects" in the Amazon S3 User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        source: BucketBase,
        destination: BucketBase,
        role_name: str,
        rules: Sequence[ReplicationRule] = (ReplicationRule(),),
        replica_modifications: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        found = problems(rules)
        if source is destination:
            found.append("source and destination are the same bucket: S3 would replicate nothing")
        found += [
            f"{bucket.node.id} is not versioned: S3 replicates versioned buckets only"
            for bucket in (source, destination)
            if not bucket.versioned
        ]
        if source.key is not None and destination.key is None:
            found.append(
                "the source is encrypted with a KMS key and the destination has none: its objects "
                "would not be replicated; give the destination a key"
            )
        if not source.account.claim("replication configuration", source.name):
            found.append(
                f"{source.node.id} is replicated already: S3 keeps one configuration for each "
                "bucket, and this one would replace the first; declare all rules in one replication"
            )
        if found:
            raise ValueError("; ".join(found))
        in_one_partition(source.account, destination.account)

        self._replica_modifications = replica_modifications
        self.role = Role(
            self,
            "role",
            account=source.account,
            name=role_name,
            trust=PolicyDocument(
                self,
                "trust",
                account=source.account,
                statements=[trust(service("s3.amazonaws.com"))],
            ),
        )
        self._allow(source, destination)
        S3BucketReplicationConfigurationA(
            self,
            "configuration",
            provider=source.account.provider,
            bucket=source.name,
            role=self.role.arn,
            rule=[self._rule(rule, destination) for rule in rules],
            # S3 looks at the buckets when it takes the configuration, and at the rest afterwards.
            depends_on=[
                *source.settled_by,
                *destination.settled_by,
                *self.role.settled_by,
                *(
                    policy
                    for key in (source.key, destination.key)
                    if key
                    for policy in key.settled_by
                ),
            ],
        )

    @rendered_once()
    def _allow(self, source: BucketBase, destination: BucketBase) -> None:
        for sid, granted, arn in (
            ("SourceBucket", actions.REPLICATION_ON_SOURCE, source.arn),
            ("SourceObjects", actions.REPLICATION_ON_SOURCE_OBJECTS, f"{source.arn}/*"),
        ):
            statement = Statement(sid=sid, actions=granted, resources=(arn,))
            self.role.allow(statement, account=source.account)
        objects = (f"{destination.arn}/*",)
        self.role.allow(
            Statement(
                sid="DestinationObjects",
                actions=actions.REPLICATION_ON_DESTINATION_OBJECTS,
                resources=objects,
            ),
            account=destination.account,
        )
        principal = Principal(type="AWS", identifiers=(self.role.arn,))
        destination.allow(
            Statement(
                sid=f"Replicate from {source.account.title}",
                effect="Allow",
                actions=actions.REPLICATION_ON_DESTINATION_OBJECTS,
                resources=objects,
                principals=(principal,),
            )
        )
        uses: tuple[tuple[BucketBase, tuple[str, ...]], ...] = (
            (source, ("kms:Decrypt",)),
            (destination, actions.REPLICATION_INTO_KEY),
        )
        for bucket, key_actions in uses:
            if bucket.key is not None:
                use = bucket.key.use(key_actions, bucket.arn)
                self.role.allow(use, account=bucket.account)
                bucket.key.allow(granted_to(principal, use))

    def _rule(
        self, rule: ReplicationRule, destination: BucketBase
    ) -> S3BucketReplicationConfigurationRule:
        target = S3BucketReplicationConfigurationRuleDestination
        encryption = S3BucketReplicationConfigurationRuleDestinationEncryptionConfiguration
        translation = S3BucketReplicationConfigurationRuleDestinationAccessControlTranslation
        return S3BucketReplicationConfigurationRule(
            id=f"priority-{rule.priority}",
            priority=rule.priority,
            status="Enabled",
            filter=_filter(rule),
            delete_marker_replication=S3BucketReplicationConfigurationRuleDeleteMarkerReplication(
                status=_status(rule.delete_markers)
            ),
            source_selection_criteria=self._criteria(encrypted=destination.key is not None),
            destination=target(
                bucket=destination.arn,
                account=destination.account.account_id,
                access_control_translation=translation(owner="Destination"),
                storage_class=rule.storage_class,
                encryption_configuration=encryption(replica_kms_key_id=destination.key.arn)
                if destination.key
                else None,
                replication_time=_time() if rule.time_control else None,
                metrics=_metrics() if rule.time_control else None,
            ),
        )

    def _criteria(
        self, *, encrypted: bool
    ) -> S3BucketReplicationConfigurationRuleSourceSelectionCriteria | None:
        if not encrypted and not self._replica_modifications:
            return None
        prefix = S3BucketReplicationConfigurationRuleSourceSelectionCriteria
        kms = S3BucketReplicationConfigurationRuleSourceSelectionCriteriaSseKmsEncryptedObjects
        modified = S3BucketReplicationConfigurationRuleSourceSelectionCriteriaReplicaModifications
        return prefix(
            sse_kms_encrypted_objects=kms(status="Enabled") if encrypted else None,
            replica_modifications=modified(status="Enabled")
            if self._replica_modifications
            else None,
        )


class BatchReplicationRole(Construct):
    """Creates the role of a Batch Replication job, in the account of ``source``.

    Replication covers new objects only; the job replicates those from before. ``command`` is what
    starts it.

    Follows "Replicating existing objects with Batch Replication" in the Amazon S3 User Guide.
    """

    def __init__(self, scope: Construct, id_: str, *, source: BucketBase, name: str) -> None:
        super().__init__(scope, id_)
        account = source.account
        self.role = Role(
            self,
            "role",
            account=account,
            name=name,
            trust=PolicyDocument(
                self,
                "trust",
                account=account,
                statements=[trust(service("batchoperations.s3.amazonaws.com"))],
            ),
        )
        for sid, granted, arn in (
            ("Initiate", actions.BATCH_ON_SOURCE_OBJECTS, f"{source.arn}/*"),
            ("Manifest", actions.BATCH_ON_SOURCE, source.arn),
        ):
            statement = Statement(sid=sid, actions=granted, resources=(arn,))
            self.role.allow(statement, account=account)
        # The AWS CLI's shorthand: cdktf cannot write quotes in an output as HCL.
        objects = "EligibleForReplication=true,ObjectReplicationStatuses=[NONE,FAILED]"
        generator = f"SourceBucket={source.arn},EnableManifestOutput=false,Filter={{{objects}}}"
        self.command = (
            f"aws s3control create-job --account-id {account.account_id} "
            f"--region {account.region} --operation 'S3ReplicateObject={{}}' "
            f"--manifest-generator 'S3JobManifestGenerator={{{generator}}}' "
            f"--report Enabled=false --priority 1 "
            f"--role-arn {self.role.arn} --no-confirmation-required"
        )


def _status(enabled: bool) -> str:
    return "Enabled" if enabled else "Disabled"


def _filter(rule: ReplicationRule) -> S3BucketReplicationConfigurationRuleFilter:
    both = S3BucketReplicationConfigurationRuleFilterAnd
    if len(rule.tags) > 1 or (rule.tags and rule.prefix):
        return S3BucketReplicationConfigurationRuleFilter(
            and_=both(prefix=rule.prefix or None, tags=rule.tags)
        )
    if rule.tags:
        ((key, value),) = rule.tags.items()
        tag = S3BucketReplicationConfigurationRuleFilterTag(key=key, value=value)
        return S3BucketReplicationConfigurationRuleFilter(tag=tag)
    return S3BucketReplicationConfigurationRuleFilter(prefix=rule.prefix)


def _time() -> S3BucketReplicationConfigurationRuleDestinationReplicationTime:
    time = S3BucketReplicationConfigurationRuleDestinationReplicationTimeTime(minutes=_RTC_MINUTES)
    return S3BucketReplicationConfigurationRuleDestinationReplicationTime(
        status="Enabled", time=time
    )


def _metrics() -> S3BucketReplicationConfigurationRuleDestinationMetrics:
    threshold = S3BucketReplicationConfigurationRuleDestinationMetricsEventThreshold(
        minutes=_RTC_MINUTES
    )
    return S3BucketReplicationConfigurationRuleDestinationMetrics(
        status="Enabled", event_threshold=threshold
    )
