"""Who reaches what: every principal, every bucket, every verb, asked of the emulated accounts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .emulator import ACCOUNTS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
# Answers to somebody who was let in: there is just nothing to show.
_LET_IN = {"NoSuchBucketPolicy", "NoSuchTagSet"}
_PART = b"x" * 1024


class Principal:
    """Somebody with credentials: a session and the clients made from it."""

    def __init__(
        self,
        endpoint: str,
        key: str,
        secret: str,
        token: str | None = None,
        region: str = REGION,
    ) -> None:
        self._endpoint = endpoint
        self.region = region
        self.credentials = {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "aws_session_token": token,
        }
        self.s3 = self.client("s3")

    def client(self, service: str) -> Any:
        """Return a boto3 client with this principal's credentials."""
        # S3 Control puts the account before the host's name: such a host is found by a proxy alone.
        proxies = {"http": self._endpoint.rpartition("/")[0]} if service == "s3control" else {}
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self._endpoint,
            config=Config(retries={"max_attempts": 1}, proxies=proxies),
            **self.credentials,
        )

    def assume(self, role_arn: str, session: str = "sandbox", **arguments: Any) -> Principal:
        """Return the principal that this one becomes by assuming a role."""
        reply = self.client("sts").assume_role(
            RoleArn=role_arn, RoleSessionName=session, **arguments
        )
        return self._of(reply["Credentials"])

    def assume_by_token(self, role_arn: str, token: str) -> Principal:
        """Return whom a token of an OIDC provider makes of its bearer."""
        reply = self.client("sts").assume_role_with_web_identity(
            RoleArn=role_arn, RoleSessionName="sandbox", WebIdentityToken=token
        )
        return self._of(reply["Credentials"])

    def by_key(self, key: str, secret: str) -> Principal:
        """Return whoever has an access key."""
        return Principal(self._endpoint, key, secret, region=self.region)

    def _of(self, c: Mapping[str, str]) -> Principal:
        return Principal(
            self._endpoint,
            c["AccessKeyId"],
            c["SecretAccessKey"],
            c["SessionToken"],
            self.region,
        )

    def without_tls(self) -> Principal:
        """Return the same principal, whose requests count as ones without TLS."""
        other = copy.copy(self)
        other.s3 = other.client("s3")
        other.s3.meta.events.register(
            "before-send.s3",
            lambda request, **_: request.headers.update({"X-Forwarded-Proto": "http"}),
        )
        return other


def root(endpoint: str, alias: str, region: str = REGION) -> Principal:
    """Return the root user of an emulated account."""
    return root_of(endpoint, ACCOUNTS[alias], region)


def root_of(endpoint: str, account: str, region: str = REGION) -> Principal:
    """Return the root user of the account with this id."""
    return Principal(endpoint, account, account, region=region)


def allowed(call: Callable[[], Any]) -> bool:
    """Whether a call is let in; an error other than a refusal is raised."""
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _DENIED:
            return False
        if code not in _LET_IN:
            raise
    return True


def _multipart(s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    where = {"Bucket": bucket, "Key": key, "UploadId": upload}
    tag = s3.upload_part(**where, PartNumber=1, Body=_PART)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    s3.complete_multipart_upload(**where, MultipartUpload=parts)


@dataclass(frozen=True)
class Verb:
    """One thing to do with a bucket or an object, and the IAM actions that it asks for."""

    call: Callable[[Any, str, str], Any]
    action: str
    on_object: bool = True


VERBS: dict[str, Verb] = {
    "list": Verb(
        lambda s3, bucket, key: s3.list_objects_v2(Bucket=bucket, Prefix=key),
        "s3:ListBucket",
        on_object=False,
    ),
    "get": Verb(
        lambda s3, bucket, key: s3.get_object(Bucket=bucket, Key=key)["Body"].read(),
        "s3:GetObject",
    ),
    "put": Verb(
        lambda s3, bucket, key: s3.put_object(Bucket=bucket, Key=key, Body=b"put"),
        "s3:PutObject",
    ),
    "multipart": Verb(_multipart, "s3:PutObject"),
    "delete": Verb(
        lambda s3, bucket, key: s3.delete_object(Bucket=bucket, Key=key), "s3:DeleteObject"
    ),
    "get tags": Verb(
        lambda s3, bucket, key: s3.get_object_tagging(Bucket=bucket, Key=key),
        "s3:GetObjectTagging",
    ),
    "put tags": Verb(
        lambda s3, bucket, key: s3.put_object_tagging(
            Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
        ),
        "s3:PutObjectTagging",
    ),
    "read policy": Verb(
        lambda s3, bucket, _: s3.get_bucket_policy(Bucket=bucket),
        "s3:GetBucketPolicy",
        on_object=False,
    ),
}
SHORT = {
    "multipart": "parts",
    "delete": "del",
    "get tags": "tags",
    "put tags": "+tags",
    "read policy": "policy",
}
"""What verbs are called above a column, so that a table fits a terminal."""
GRANTED = frozenset({"list", "get", "put", "multipart"})
"""The verbs that the patterns grant by default."""


@dataclass(frozen=True)
class Cell:
    """One question, what the patterns promise, and what was found."""

    principal: str
    what: str
    target: str
    expected: bool
    found: bool


def ask_verbs(
    principals: Mapping[str, Principal],
    buckets: Mapping[str, tuple[str, Principal]],
    expected: Callable[[str, str, str], bool],
) -> list[Cell]:
    """Ask every verb of every principal on every bucket, given as its name and its owner."""
    cells = []
    for label, (bucket, owner) in buckets.items():
        for name, principal in principals.items():
            key = f"verbs/{name}"
            for verb, how in VERBS.items():
                owner.s3.put_object(Bucket=bucket, Key=key, Body=b"seed")
                found = allowed(lambda: how.call(principal.s3, bucket, key))  # noqa: B023
                cells.append(Cell(name, verb, label, expected(name, verb, label), found))
    return cells


def ask_copies(
    principals: Mapping[str, Principal],
    buckets: Mapping[str, tuple[str, Principal]],
    expected: Callable[[str, str, str], bool],
) -> list[Cell]:
    """Ask every principal to copy an object from every bucket to every other one."""
    cells = []
    for source, (source_bucket, owner) in buckets.items():
        owner.s3.put_object(Bucket=source_bucket, Key="copies/seed", Body=b"seed")
        for target, (target_bucket, _) in buckets.items():
            if source == target:
                continue
            for name, principal in principals.items():
                found = allowed(
                    lambda: principal.s3.copy_object(  # noqa: B023
                        Bucket=target_bucket,  # noqa: B023
                        Key=f"copies/{name}",  # noqa: B023
                        CopySource={"Bucket": source_bucket, "Key": "copies/seed"},  # noqa: B023
                    )
                )
                promise = expected(name, "get", source) and expected(name, "put", target)
                cells.append(Cell(name, "copy", f"{source} to {target}", promise, found))
    return cells


def ask_assume(
    principals: Mapping[str, Principal],
    roles: Mapping[str, str],
    expected: Callable[[str, str], bool | None],
) -> list[Cell]:
    """Ask every principal to assume every role; ``None`` expects nothing and is left out."""
    return [
        Cell(name, "assume", role, promise, allowed(lambda: principal.assume(arn)))  # noqa: B023
        for role, arn in roles.items()
        for name, principal in principals.items()
        if (promise := expected(name, role)) is not None
    ]


def differences(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells in which what was found is not what was promised."""
    return [cell for cell in cells if cell.found != cell.expected]
