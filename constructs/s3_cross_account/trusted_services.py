"""AWS services that take on roles, and which actions their trust policies need.

Each service's own guide prints the trust policy of the roles that it takes on. A service that is
not here may need ``sts:AssumeRole`` alone, or more.
"""

from __future__ import annotations

from typing import Final

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


def trust_actions(service: str) -> tuple[str, ...]:
    """Return what a trust policy allows a service: what it is known to need."""
    return (*ASSUME_ROLE, *_MORE.get(service, ()))


def session_tags(service: str) -> tuple[str, ...]:
    """Return the keys of the session tags that a service sets, as patterns."""
    return _TAGS.get(service, ())
