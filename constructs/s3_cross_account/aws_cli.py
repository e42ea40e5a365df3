"""What a workload types: AWS CLI configuration and commands, as plain strings.

Follows "Using an IAM role in the AWS CLI" in the AWS CLI User Guide and "cp" in the AWS CLI
Command Reference.
"""

from typing import Final

__all__ = ["WITHOUT_TAGS", "copy_command", "instance_profile_config"]

WITHOUT_TAGS: Final = " --copy-props metadata-directive"
"""What a copy from bucket to bucket says so that it needs no action on tags.

By default version 2 of the AWS CLI reads the tags of objects over 8 MB, and writes them. This keeps
what else the default keeps, the content type and the metadata, where ``none`` would lose them.
Version 1 does not know the option and copies no tags: it takes the command without it.
"""


def instance_profile_config(
    *,
    profile: str,
    role_arn: str,
    region: str,
    external_id: str | None = None,
    source_profile: str | None = None,
) -> str:
    """Return the lines for ``~/.aws/config`` of an instance that assumes ``role_arn``.

    ``region`` is where STS is asked: version 1 of the AWS CLI does not learn it from the instance.
    ``source_profile`` is that of the role which assumes this one, in a chain of roles.
    """
    source = (
        f"source_profile = {source_profile}"
        if source_profile
        else "credential_source = Ec2InstanceMetadata"
    )
    return f"[profile {profile}]\nrole_arn = {role_arn}\n{source}\nregion = {region}\n" + (
        f"external_id = {external_id}\n" if external_id else ""
    )


def copy_command(source: str, destination: str, *, profile: str | None = None) -> str:
    """Return the command of version 2 that copies every object of one bucket to another.

    ``cp`` takes a bucket without a key for an empty key and copies nothing; ``--recursive`` is
    what makes it copy the objects. :data:`WITHOUT_TAGS` lets objects of every size pass with no
    more than the actions that the patterns grant by default.
    """
    command = f"aws s3 cp s3://{source} s3://{destination} --recursive{WITHOUT_TAGS}"
    return command if profile is None else f"{command} --profile {profile}"
