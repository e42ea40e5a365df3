"""AWS sessions as Terraform makes them, from the arguments of a provider or a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
_SSO_ERRORS = (
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.UnauthorizedSSOTokenError,
)


class CredentialsError(Exception):
    """There are no usable credentials; the message says why and what to do."""


class Credentials:
    """The credentials that Terraform has for a provider or a backend with ``arguments``.

    Follows "Authentication and Configuration" of the Terraform AWS provider: a profile, or without
    one the environment, and then a role to assume.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._profile: str | None = arguments.get("profile")
        region = arguments["region"]
        try:
            self._session = boto3.Session(profile_name=self._profile, region_name=region)
            for role in _as_list(arguments.get("assume_role")):
                self._session = self._assumed(role, region)
        except (exceptions.BotoCoreError, exceptions.ClientError) as error:
            raise CredentialsError(self._explained(error)) from None

    def client(self, service: str) -> Any:
        """Return a client of an AWS service."""
        return self._session.client(service, config=_CONFIG)

    def identity(self) -> tuple[str, str]:
        """Return the account's id and the caller's ARN, or raise :class:`CredentialsError`."""
        try:
            reply = self.client("sts").get_caller_identity()
        except (exceptions.BotoCoreError, exceptions.ClientError) as error:
            raise CredentialsError(self._explained(error)) from None
        return reply["Account"], reply["Arn"]

    def _assumed(self, role: Mapping[str, str], region: str) -> boto3.Session:
        external = {"ExternalId": role["external_id"]} if role.get("external_id") else {}
        try:
            credentials = self.client("sts").assume_role(
                RoleArn=role["role_arn"],
                RoleSessionName=role.get("session_name") or "terraform",
                **external,
            )["Credentials"]
        except exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            raise CredentialsError(
                f"{self.identity()[1]} may not assume {role['role_arn']}: its trust policy must "
                "name that caller (with the same external id), and the caller's policy must allow "
                "sts:AssumeRole on it"
            ) from None
        return boto3.Session(**session_keys(credentials), region_name=region)

    def _explained(self, error: Exception) -> str:
        profile = self._profile
        if isinstance(error, exceptions.ProfileNotFound):
            return (
                f"there is no profile {profile!r}: correct the name, or add the profile "
                "(`aws configure list-profiles` shows those there are)"
            )
        if isinstance(error, _SSO_ERRORS):
            return (
                f"the session of IAM Identity Center is missing or has ended: run "
                f"`aws sso login --profile {profile}`"
            )
        if isinstance(error, exceptions.NoCredentialsError):
            where = f"the profile {profile!r} has" if profile else "the environment has"
            return f"{where} no credentials: add keys, a role or a login to it"
        if isinstance(error, exceptions.ClientError):
            code = error.response["Error"]["Code"]
            if "Expired" in code:
                return "the credentials have expired: renew them"
            if code == "AccessDenied" and profile:
                return (
                    f"the profile {profile!r} is refused: the trust policy of its role_arn must "
                    f"name the caller of its source_profile ({error})"
                )
        return " ".join(str(error).split())


def session_keys(credentials: Mapping[str, str]) -> dict[str, str]:
    """Return what STS handed out as boto3 and the AWS configuration files name it."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def _as_list(value: Any) -> list[Any]:
    """Return a block's arguments: a provider has a list of them, a backend the object."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
