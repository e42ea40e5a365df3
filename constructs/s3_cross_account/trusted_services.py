"""AWS services that take on roles: which actions their trust policies need, and what they may ask.

Each service's own guide prints the trust policy of the roles that it takes on. A service that is
not here may need ``sts:AssumeRole`` alone, or more.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .actions import ASSUME_ROLE

_MORE: Final = {
    # "Create IAM role with trust policy required by EKS Pod Identity" in the Amazon EKS User Guide.
    "pods.eks.amazonaws.com": ("sts:TagSession",),
    # "Trust model in IAM Roles Anywhere" in the IAM Roles Anywhere User Guide.
    "rolesanywhere.amazonaws.com": ("sts:TagSession", "sts:SetSourceIdentity"),
}
_NO_MORE: Final = (
    "airflow-env.amazonaws.com",
    "apigateway.amazonaws.com",
    "appflow.amazonaws.com",
    "backup.amazonaws.com",
    "batch.amazonaws.com",
    "batchoperations.s3.amazonaws.com",
    "bedrock.amazonaws.com",
    "cloudformation.amazonaws.com",
    "codebuild.amazonaws.com",
    "codedeploy.amazonaws.com",
    "codepipeline.amazonaws.com",
    "comprehend.amazonaws.com",
    "credentials.iot.amazonaws.com",
    "databrew.amazonaws.com",
    "datasync.amazonaws.com",
    "dms.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "edgelambda.amazonaws.com",
    "elasticmapreduce.amazonaws.com",
    "elastictranscoder.amazonaws.com",
    "emr-serverless.amazonaws.com",
    "es.amazonaws.com",
    "events.amazonaws.com",
    "export.rds.amazonaws.com",
    "firehose.amazonaws.com",
    "forecast.amazonaws.com",
    "glue.amazonaws.com",
    "greengrass.amazonaws.com",
    "healthlake.amazonaws.com",
    "iot.amazonaws.com",
    "kendra.amazonaws.com",
    "kinesisanalytics.amazonaws.com",
    "lambda.amazonaws.com",
    "logs.amazonaws.com",
    "mediaconvert.amazonaws.com",
    "medialive.amazonaws.com",
    "omics.amazonaws.com",
    "opensearchservice.amazonaws.com",
    "osis-pipelines.amazonaws.com",
    "personalize.amazonaws.com",
    "pipes.amazonaws.com",
    "quicksight.amazonaws.com",
    "rds.amazonaws.com",
    "redshift-serverless.amazonaws.com",
    "redshift.amazonaws.com",
    "rekognition.amazonaws.com",
    "s3.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "ssm.amazonaws.com",
    "states.amazonaws.com",
    "storagegateway.amazonaws.com",
    "tasks.apprunner.amazonaws.com",
    "textract.amazonaws.com",
    "transcribe.amazonaws.com",
    "transfer.amazonaws.com",
    "vmie.amazonaws.com",
)
_TAGS: Final = {
    # "Grant Pods access to AWS resources based on tags" in the Amazon EKS User Guide.
    "pods.eks.amazonaws.com": (
        *("eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace"),
        *("kubernetes-service-account", "kubernetes-pod-name", "kubernetes-pod-uid"),
    ),
    # "Mapping identities to your workloads with IAM Roles Anywhere" there.
    "rolesanywhere.amazonaws.com": ("x509Subject/*", "x509Issuer/*", "x509SAN/*"),
}
KNOWN: Final = (*_NO_MORE, *_MORE)
"""The services whose trust policies are known here, by their service principals."""


class Source(NamedTuple):
    """What a service says of the request for which it takes on a role.

    That is its account and its resource, whose ARN looks like ``arn``, with the account's id in
    it. A service that says one of them alone has nothing for the other.
    """

    document: str
    account: bool
    arn: str = ""


_ANY = "{service}:*:{account_id}:*"
SOURCES: Final = {
    "bedrock.amazonaws.com": Source(
        "Set up permissions for batch inference (Amazon Bedrock User Guide)", True, _ANY
    ),
    "datasync.amazonaws.com": Source(
        "Cross-service confused deputy prevention (AWS DataSync User Guide)", True, _ANY
    ),
    "dms.amazonaws.com": Source(
        "Cross-service confused deputy prevention (AWS Database Migration Service User Guide)",
        True,
        _ANY,
    ),
    "ecs-tasks.amazonaws.com": Source(
        "Amazon ECS task IAM role (Amazon Elastic Container Service Developer Guide)",
        True,
        "ecs:*:{account_id}:*",
    ),
    # Prints no ARN.
    "lambda.amazonaws.com": Source(
        "Working with AWS managed policies in the execution role (AWS Lambda Developer Guide)", True
    ),
    # Prints the ARN alone.
    "sagemaker.amazonaws.com": Source(
        "Cross-Service Confused Deputy Prevention (Amazon SageMaker AI Developer Guide)",
        False,
        _ANY,
    ),
    "states.amazonaws.com": Source(
        "Preventing cross-service confused deputy issue (AWS Step Functions Developer Guide)",
        True,
        "states:*:{account_id}:stateMachine:*",
    ),
    "transfer.amazonaws.com": Source(
        "Cross-service confused deputy prevention (AWS Transfer Family User Guide)", True, _ANY
    ),
}
"""The services whose document has a trust policy ask for ``aws:SourceAccount``, ``aws:SourceArn``.

A region is in none: a role is of all regions, as is what uses it. Of the others a trust policy
asks nothing. What they would be asked for they may not say, and then could not take on the role:
the documents of Amazon S3 Batch Operations ("Granting permissions for Batch Operations") and of
Amazon Redshift ("Restricting access to IAM roles") print neither key, that of EKS Pod Identity has
session tags instead, and EC2 is the instance's own.
"""


def source_of(service: str, *, partition: str, account_id: str) -> dict[str, tuple[str, str]]:
    """Return what a trust policy asks of a service: by condition key the operator and the value."""
    source = SOURCES.get(service)
    if source is None:
        return {}
    arn = source.arn.format(service=service.partition(".")[0], account_id=account_id)
    asked = {
        "aws:SourceAccount": ("StringEquals", account_id if source.account else ""),
        "aws:SourceArn": ("ArnLike", f"arn:{partition}:{arn}" if arn else ""),
    }
    return {key: (test, value) for key, (test, value) in asked.items() if value}


def trust_actions(service: str) -> tuple[str, ...]:
    """Return what a trust policy allows a service: what it is known to need."""
    return (*ASSUME_ROLE, *_MORE.get(service, ()))


def session_tags(service: str) -> tuple[str, ...]:
    """Return the keys of the session tags that a service sets, as patterns."""
    return _TAGS.get(service, ())
