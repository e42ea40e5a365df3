"""What people write as values that are called otherwise here, or are of another kind."""

from __future__ import annotations

import re
from typing import Final

from s3_cross_account.trusted_services import KNOWN

from .words import Words

VALUES: Final = {
    "trusted_service": (
        Words(
            words=" ".join(name.removesuffix(".amazonaws.com") for name in KNOWN),
            told='write "WORD.amazonaws.com"',
        ),
        Words(words="ecs fargate", told='write "ecs-tasks.amazonaws.com"'),
        Words(words="eks kubernetes", told='write a "trusted_pod" in its place'),
        Words(words="emr", told='write "elasticmapreduce.amazonaws.com"'),
        Words(words="airflow mwaa", told='write "airflow-env.amazonaws.com"'),
        Words(words="step-functions stepfunctions", told='write "states.amazonaws.com"'),
    ),
    "platform": (
        Words(
            words="azure-devops bitbucket buildkite circleci jenkins terraform-cloud",
            told='write a "trusted_issuer" in the place of the "trusted_job"',
        ),
    ),
    "level": (
        Words(words="download get read readonly reader ro", told='write "read-only"'),
        Words(
            words="list list-only",
            told='write "actions": ["s3:ListBucket"] in its place',
        ),
        Words(words="get-only", told='write "actions": ["s3:GetObject"] in its place'),
        Words(
            words="append backup put put-only upload upload-only write writeonly writer",
            told='write "write-only"',
        ),
        Words(
            words="put-get read-and-write read-write readwrite rw sagemaker",
            told='write "list-get-put", or to delete too "read-write-delete"',
        ),
        Words(
            words="admin all emr full full-access full-control owner spark sync terraform "
            "terraform-state",
            told='write "read-write-delete"; what else it has to do is for "actions"',
        ),
        Words(words="athena", told='write "athena-data", and "athena-results" for its results'),
        Words(words="glue glue-crawler", told='write "glue-source", or "glue-target" to write'),
        Words(words="datasync", told='write "datasync-source" or "datasync-destination"'),
        Words(words="sftp transfer", told='write "transfer-family"'),
        Words(
            words="batch batch-operations",
            told='write "batch-copy-source" or "batch-copy-destination"',
        ),
        Words(words="copy", told='write "copy-with-tags"'),
        Words(words="data-firehose kinesis-firehose", told='write "firehose"'),
        Words(words="dms", told='write "dms-target"'),
        Words(words="dynamodb", told='write "dynamodb-export"'),
        Words(
            words="redshift redshift-copy redshift-unload",
            told='write "read-only" for COPY, "list-get-put" for UNLOAD',
        ),
    ),
    "service": (
        Words(
            words="api-gateway bedrock-knowledge-base eventbridge-pipes global-accelerator lattice "
            "route53 route53-resolver route53-resolver-query-logs sagemaker-studio transit-gateway "
            "verified-access vpc-lattice waf wafv2",
            told='write "log-delivery", if its guide has delivery.logs.amazonaws.com deliver them',
        ),
        Words(words="alb application-load-balancers", told='write "application-load-balancer"'),
        Words(words="nlb", told='write "network-load-balancer"'),
        Words(words="clb elb", told='write "classic-load-balancer"'),
        Words(words="flow-logs vpc-flow-log vpc-flowlogs", told='write "vpc-flow-logs"'),
        Words(words="aws-config", told='write "config"'),
        Words(
            words="cloudwatch cloudwatch-logs-export export-tasks logs",
            told='write "cloudwatch-logs" for export tasks, "log-delivery" for vended logs; a '
            'subscription to Amazon Data Firehose is a role\'s access, the level "firehose"',
        ),
        Words(words="storage-lens", told='write "s3-storage-lens"'),
        Words(words="amazon-macie macie2", told='write "macie"'),
        Words(words="resource-data-sync ssm ssm-inventory", told='write "systems-manager"'),
        Words(words="inventory", told='write "s3-inventory"'),
        Words(
            words="appflow athena codebuild codepipeline data-firehose datasync dms ecs emr "
            "firehose glue iot kinesis-firehose lambda mwaa quicksight rds redshift sagemaker "
            "step-functions transfer transfer-family",
            told="it works with a role: write a link of the pattern direct-access whose consumer "
            'has the "trusted_service"',
        ),
        Words(
            words="access-logs s3-access-logs server-access-logs",
            told="S3 writes access logs within one account and region: write the hardening "
            '"access_logging"',
        ),
        Words(
            words="aws-backup backup",
            told="AWS Backup copies vaults between accounts, not buckets: replicate the bucket, "
            '"pattern": "replication"',
        ),
    ),
}
"""Of the values of keys that have certain ones only."""


PATTERNS: Final = {
    "existing_role": (
        (
            r"\*",
            'it names one role: write "whole_account": true, and in the link "access": '
            '{"conditions": {"StringEquals": {"aws:PrincipalTag/team": "reports"}}} for those that '
            "have the tag",
        ),
        (":root$", 'it is the whole account: write "whole_account": true'),
        (":assumed-role/", "it is a session of a role: write the role's name"),
        (":user/", 'it is a user: write "existing_user"'),
        (":instance-profile/", 'it is an instance profile: write "instance_profile"'),
    ),
    "existing": (
        (
            ":s3tables:|^s3tables",
            "it is a table bucket, which AWS Lake Formation shares, beside this file",
        ),
        ("^arn:aws[^:]*:s3:::", "write what follows :::, up to the first slash"),
        ("^s3[an]?://", "write what follows //, up to the first slash"),
    ),
    "prefix": (("^s3[an]?://|^arn:aws", "write what follows the bucket's name"),),
    "suffix": ((r"^\[", "write a notification for each"),),
    "key": ((r"^\[", "it is one key: write that of new objects"),),
    "service": (
        (r"^\[", "write a link for each"),
        (
            "",
            "write one of these; if delivery.logs.amazonaws.com delivers its logs, "
            '"log-delivery"; if it works with a role, a link of the pattern direct-access whose '
            'consumer has the "trusted_service"',
        ),
    ),
    "account": (
        (
            "^[0-9]{12}$",
            'declare it first, "accounts": {"vendor": {"account_id": "444444444444", "foreign": '
            'true}} if nobody here has credentials for it, and write "vendor"',
        ),
    ),
}
"""Of values that are of another kind, by what they have in them."""


def told_of_value(key: str, value: object) -> str | None:
    """Return what to write for the value of a key that has only certain ones."""
    told = [w.of(str(value).lower()) for w in VALUES.get(key, ())]
    told += [text for pattern, text in PATTERNS.get(key, ()) if re.search(pattern, str(value))]
    return next((text for text in told if text), None)
