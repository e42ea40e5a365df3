"""The rules of a replication configuration: as Terraform's, and as S3's own document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bindings import (
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .account import Account
    from .bucket import BucketBase
    from .replication_rule import ReplicationRule

_RTC_MINUTES = 15


@dataclass(frozen=True)
class Numbered:
    """A rule as it stands in a configuration, with all that it says of one destination.

    ``account`` is the source's: in its own, S3 takes no change of owner. ``modifications`` says
    that changes to the metadata of replicas are replicated as well.
    """

    id: str
    priority: int
    rule: ReplicationRule
    destination: BucketBase
    account: Account
    modifications: bool

    def rendered(self) -> S3BucketReplicationConfigurationRule:
        """Return the rule as Terraform has it."""
        rule, destination = self.rule, self.destination
        target = S3BucketReplicationConfigurationRuleDestination
        encryption = S3BucketReplicationConfigurationRuleDestinationEncryptionConfiguration
        translation = S3BucketReplicationConfigurationRuleDestinationAccessControlTranslation
        away = destination.account is not self.account
        return S3BucketReplicationConfigurationRule(
            id=self.id,
            priority=self.priority,
            status="Enabled",
            filter=_filter(rule),
            delete_marker_replication=S3BucketReplicationConfigurationRuleDeleteMarkerReplication(
                status=_status(rule.delete_markers)
            ),
            source_selection_criteria=self._criteria(),
            destination=target(
                bucket=destination.arn,
                account=destination.account.account_id if away else None,
                access_control_translation=translation(owner="Destination") if away else None,
                storage_class=rule.storage_class,
                encryption_configuration=encryption(replica_kms_key_id=destination.key.arn)
                if destination.key
                else None,
                replication_time=_time() if rule.time_control else None,
                metrics=_metrics(threshold=rule.time_control)
                if rule.time_control or rule.metrics
                else None,
            ),
        )

    def _criteria(self) -> S3BucketReplicationConfigurationRuleSourceSelectionCriteria | None:
        encrypted = self.destination.key is not None
        if not encrypted and not self.modifications:
            return None
        criteria = S3BucketReplicationConfigurationRuleSourceSelectionCriteria
        kms = S3BucketReplicationConfigurationRuleSourceSelectionCriteriaSseKmsEncryptedObjects
        modified = S3BucketReplicationConfigurationRuleSourceSelectionCriteriaReplicaModifications
        return criteria(
            sse_kms_encrypted_objects=kms(status="Enabled") if encrypted else None,
            replica_modifications=modified(status="Enabled") if self.modifications else None,
        )

    def document(self) -> dict[str, Any]:
        """Return the rule as S3's operation PutBucketReplication takes it."""
        rule, destination = self.rule, self.destination
        on, minutes = {"Status": "Enabled"}, {"Minutes": _RTC_MINUTES}
        timed, key = rule.time_control, destination.key
        away = destination.account is not self.account
        criteria = {
            "SseKmsEncryptedObjects": key and on,
            "ReplicaModifications": on if self.modifications else None,
        }
        target = {
            "Bucket": destination.arn,
            "Account": destination.account.account_id if away else None,
            "AccessControlTranslation": {"Owner": "Destination"} if away else None,
            "StorageClass": rule.storage_class,
            "EncryptionConfiguration": key and {"ReplicaKmsKeyID": key.arn},
            "ReplicationTime": on | {"Time": minutes} if timed else None,
            "Metrics": on | ({"EventThreshold": minutes} if timed else {})
            if timed or rule.metrics
            else None,
        }
        return _given(
            {
                "ID": self.id,
                "Priority": self.priority,
                "Status": "Enabled",
                "Filter": _filter_document(rule),
                "DeleteMarkerReplication": {"Status": _status(rule.delete_markers)},
                "SourceSelectionCriteria": _given(criteria) or None,
                "Destination": _given(target),
            }
        )


def numbered(
    source: BucketBase,
    destinations: Mapping[BucketBase, Sequence[ReplicationRule]],
    *,
    modifications: bool,
) -> list[Numbered]:
    """Return every rule of a source, in their order.

    S3 wants the priority of each to differ from all others', and lets it decide between rules for
    one destination only: those of several are numbered anew, and their names say whose they are.
    """
    every = [(rule, to) for to, rules in destinations.items() for rule in rules]
    ranked = sorted(range(len(every)), key=lambda number: every[number][0].priority)
    several = len(destinations) > 1
    return [
        Numbered(
            id=f"priority-{rule.priority}" + (f"-{to.name}" if several else ""),
            priority=ranked.index(number) + 1 if several else rule.priority,
            rule=rule,
            destination=to,
            account=source.account,
            modifications=modifications,
        )
        for number, (rule, to) in enumerate(every)
    ]


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _filter_document(rule: ReplicationRule) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in rule.tags.items()]
    if not tags:
        return {"Prefix": rule.prefix}
    if len(tags) == 1 and not rule.prefix:
        return {"Tag": tags[0]}
    return {"And": _given({"Prefix": rule.prefix or None, "Tags": tags})}


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


def _metrics(*, threshold: bool) -> S3BucketReplicationConfigurationRuleDestinationMetrics:
    missed = S3BucketReplicationConfigurationRuleDestinationMetricsEventThreshold
    return S3BucketReplicationConfigurationRuleDestinationMetrics(
        status="Enabled", event_threshold=missed(minutes=_RTC_MINUTES) if threshold else None
    )
