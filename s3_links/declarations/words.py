"""What people call what has another name here, stands elsewhere, or is not of a links file at all.

What has a second half in another account belongs into a links file; what has none is its owner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, kw_only=True)
class _Words:
    """Words, and what is told of each; only ``beside`` the field of this name, where it has one.

    WORD in what is told stands for the word.
    """

    words: str
    told: str
    beside: str | None = None

    def of(self, word: str) -> str | None:
        """Return what is told of a word, if it is one of these."""
        return self.told.replace("WORD", word) if word in self.words.split() else None


KEYS: Final = (
    _Words(
        words="accelerate acceleration acl analytics cors cors_configuration cors_rule cors_rules "
        "expiration expiration_days intelligent_tiering lifecycle lifecycle_configuration "
        "lifecycle_rule lifecycle_rules mfa_delete object_lock object_lock_configuration "
        "object_lock_enabled object_ownership ownership_controls request_payer requester_pays "
        "transfer_acceleration transitions website",
        told="it has no half in another account: whoever owns the bucket sets it, beside this "
        "file; remove it",
    ),
    _Words(
        words="encryption public_access_block versioning",
        told='it is a switch: write "hardening": {"WORD": true} in the link',
    ),
    _Words(
        words="access_logging access_logs logging",
        told='it is a switch: write "hardening": {"access_logging": true} in the link',
    ),
    _Words(
        words="actions conditions level mfa prefixes same_accounts source_ips tls_only "
        "tls_version vpc_endpoint_ids vpc_ids",
        told='it is of an access: write "access": {"WORD": …} in the link',
    ),
    _Words(
        words="dsse force_destroy keep key old_versions_days",
        told='it is of a bucket: write "WORD" beside its name',
    ),
    _Words(
        words="external_id self_assuming",
        told='it is of a role to assume: write "assumed_role": {"WORD": …} in the link',
    ),
    _Words(
        words="permissions_boundary region tags",
        told='it is of an account: write "accounts": {"account1": {"WORD": …}}',
    ),
    _Words(
        words="kms kms_key kms_key_arn kms_key_id kms_master_key_id sse",
        told='write "key" beside a bucket\'s name: "new", or the ARN of a key that exists',
    ),
    _Words(
        words="inventory",
        told='it is a link: "pattern": "service-delivery", "service": "s3-inventory"',
    ),
    _Words(
        words="replicate replication_configuration", told='it is a link: "pattern": "replication"'
    ),
    _Words(
        words="bucket_name existing_bucket name",
        told='write "new_name" or "new_prefix" for a new bucket, "existing" for one that exists',
        beside="new_prefix",
    ),
    # Of who gets access.
    _Words(
        words="role role_name",
        told='write "new_role" for one that the link creates, "existing_role" for one that exists',
        beside="existing_role",
    ),
    _Words(
        words="arn principal principals role_arn",
        told='write "existing_role" or "existing_user": they take ARNs',
        beside="existing_role",
    ),
    _Words(
        words="new_user user user_arn user_name",
        told='write "existing_user" for an IAM user '
        'that exists; a new consumer is a "new_role", which has no keys to lose',
        beside="existing_user",
    ),
    _Words(
        words="existing_group group iam_group",
        told="a group is no principal that a policy can "
        "name: write each user, or a role that they assume",
        beside="existing_user",
    ),
    _Words(
        words="anonymous everybody everyone public",
        told="nothing is given to everybody here: "
        'what the world may read is behind CloudFront, "service": "cloudfront"',
        beside="existing_user",
    ),
    _Words(
        words="canonical_id canonical_user canonical_user_id",
        told='write "existing_role", '
        '"existing_user" or "whole_account": canonical ids are for ACLs',
        beside="existing_user",
    ),
    _Words(
        words="managed_policy_arns policies policy_arns",
        told="the link writes what access "
        "needs; what else a role may do is for others to attach: remove it",
        beside="existing_role",
    ),
    _Words(
        words="service service_principal services trusted_services",
        told='write "trusted_service"',
        beside="trusted_service",
    ),
    _Words(
        words="irsa oidc_issuer pod service_account",
        told='write "trusted_pod": {"WORD": …}',
        beside="trusted_pod",
    ),
    # Of an access.
    _Words(words="cidr cidrs ip ips source_ip", told='write "source_ips"', beside="source_ips"),
    _Words(
        words="vpc_endpoint vpc_endpoint_id vpce",
        told='write "vpc_endpoint_ids"',
        beside="vpc_endpoint_ids",
    ),
    _Words(
        words="expires expires_at expiry not_after until",
        told='write "conditions": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}',
        beside="conditions",
    ),
    _Words(
        words="delete list permissions read write",
        told='write a "level", or "actions"',
        beside="level",
    ),
    _Words(
        words="exclude excluded_prefixes keys objects suffix suffixes tags",
        told="an access is "
        'to what is below "prefixes", or has a tag: "conditions": {"StringEquals": '
        '{"s3:ExistingObjectTag/share": "yes"}}',
        beside="conditions",
    ),
    # Of what a service delivers.
    _Words(
        words="origin_access_identity",
        told="CloudFront reads by an origin access control, "
        'which replaces identities: write "distribution_ids"',
        beside="distribution_ids",
    ),
)
"""Of unknown keys."""

VALUES: Final = {
    "level": (
        _Words(words="download get read readonly reader ro", told='write "read-only"'),
        _Words(
            words="list list-only",
            told='write "actions": ["s3:ListBucket"] in its place',
        ),
        _Words(words="get-only", told='write "actions": ["s3:GetObject"] in its place'),
        _Words(
            words="append backup put put-only upload upload-only write writeonly writer",
            told='write "write-only"',
        ),
        _Words(
            words="put-get read-and-write read-write readwrite rw sagemaker",
            told='write "list-get-put", or to delete too "read-write-delete"',
        ),
        _Words(
            words="admin all emr full full-access full-control owner spark sync terraform "
            "terraform-state",
            told='write "read-write-delete"; what else it has to do is for "actions"',
        ),
        _Words(words="athena", told='write "athena-data", and "athena-results" for its results'),
        _Words(words="glue glue-crawler", told='write "glue-source", or "glue-target" to write'),
        _Words(words="datasync", told='write "datasync-source" or "datasync-destination"'),
        _Words(words="sftp transfer", told='write "transfer-family"'),
        _Words(
            words="batch batch-operations",
            told='write "batch-copy-source" or "batch-copy-destination"',
        ),
        _Words(words="copy", told='write "copy-with-tags"'),
        _Words(words="data-firehose kinesis-firehose", told='write "firehose"'),
        _Words(words="dms", told='write "dms-target"'),
        _Words(words="dynamodb", told='write "dynamodb-export"'),
        _Words(
            words="redshift redshift-copy redshift-unload",
            told='write "read-only" for COPY, "list-get-put" for UNLOAD',
        ),
    ),
    "service": (
        _Words(
            words="api-gateway bedrock-knowledge-base eventbridge-pipes global-accelerator lattice "
            "route53 route53-resolver route53-resolver-query-logs sagemaker-studio transit-gateway "
            "verified-access vpc-lattice waf wafv2",
            told='write "log-delivery", if its guide has delivery.logs.amazonaws.com deliver them',
        ),
        _Words(words="alb application-load-balancers", told='write "application-load-balancer"'),
        _Words(words="nlb", told='write "network-load-balancer"'),
        _Words(words="clb elb", told='write "classic-load-balancer"'),
        _Words(words="flow-logs vpc-flow-log vpc-flowlogs", told='write "vpc-flow-logs"'),
        _Words(words="aws-config", told='write "config"'),
        _Words(words="storage-lens", told='write "s3-storage-lens"'),
        _Words(words="amazon-macie macie2", told='write "macie"'),
        _Words(words="resource-data-sync ssm ssm-inventory", told='write "systems-manager"'),
        _Words(words="inventory", told='write "s3-inventory"'),
        _Words(
            words="appflow athena codebuild codepipeline data-firehose datasync dms ecs emr "
            "firehose glue iot kinesis-firehose lambda mwaa quicksight rds redshift sagemaker "
            "step-functions transfer transfer-family",
            told="it works with a role: write a link of the pattern direct-access whose consumer "
            'has the "trusted_service"',
        ),
        _Words(
            words="access-logs s3-access-logs server-access-logs",
            told="S3 writes access logs within one account and region: write the hardening "
            '"access_logging"',
        ),
        _Words(
            words="aws-backup backup",
            told="AWS Backup copies vaults between accounts, not buckets: replicate the bucket, "
            '"pattern": "replication"',
        ),
    ),
}
"""Of the values of keys that have certain ones only."""


def told_of_key(key: str, known: Collection[str]) -> str | None:
    """Return what to do about an unknown key beside the ``known`` ones, if that can be told."""
    told = (w.of(key) for w in KEYS if w.beside is None or w.beside in known)
    return next((text for text in told if text), None)


def told_of_value(key: str, value: object) -> str | None:
    """Return what to write for the value of a key that has only certain ones."""
    told = (w.of(str(value).lower()) for w in VALUES.get(key, ()))
    return next((text for text in told if text), None)
