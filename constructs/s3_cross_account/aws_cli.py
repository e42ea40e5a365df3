"""What a workload types: AWS CLI configuration and commands, as plain strings.

Follows "Using an IAM role in the AWS CLI" in the AWS CLI User Guide and "cp" in the AWS CLI
Command Reference.
"""


def instance_profile_config(
    *, profile: str, role_arn: str, region: str, external_id: str | None = None
) -> str:
    """Return the lines for ``~/.aws/config`` of an instance that assumes ``role_arn``.

    ``region`` is where STS is asked: version 1 of the AWS CLI does not learn it from the instance.
    """
    return (
        f"[profile {profile}]\n"
        f"role_arn = {role_arn}\n"
        "credential_source = Ec2InstanceMetadata\n"
        f"region = {region}\n" + (f"external_id = {external_id}\n" if external_id else "")
    )


def copy_command(source: str, destination: str, *, profile: str | None = None) -> str:
    """Return the command that copies every object of one bucket to another.

    ``cp`` takes a bucket without a key for an empty key and copies nothing; ``--recursive`` is
    what makes it copy the objects.
    """
    command = f"aws s3 cp s3://{source} s3://{destination} --recursive"
    return command if profile is None else f"{command} --profile {profile}"
