"""The names that people write: what AWS takes for them, and what it reserves."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from s3_cross_account.role_name import reserved

_NAME = r"^[A-Za-z0-9_+=,.@-]+$"
_LONGEST = 64
"""Characters of the name of a role or a user: "IAM and AWS STS quotas" in the IAM User Guide."""
_NAME_OR_ARN = (
    r"^(arn:aws[a-z-]*:iam::[0-9]{{12}}:{kind}/([A-Za-z0-9_+=,.@-]+/)*)?[A-Za-z0-9_+=,.@-]+$"
)
_ONLY = "(the name only, without path or ARN)"
ALIAS = "the alias of an account"
BUCKET = "a bucket's name"
PREFIX = "a bucket's prefix (3 to 37 small letters, digits, dots and hyphens)"
ROLE = f"a role's name {_ONLY}"
ROLE_OR_ARN = "a role's name (without its path) or its ARN"
USER_OR_ARN = "an IAM user's name (without its path) or its ARN"
PROFILE = f"an instance profile's name {_ONLY}"

# "General purpose bucket naming rules" in the Amazon S3 User Guide.
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDINGS = {
    "-s3alias": "aliases of access points",
    "--ol-s3": "aliases of Object Lambda access points",
    ".mrap": "Multi-Region Access Points",
    "--x-s3": "directory buckets",
    "--table-s3": "table buckets",
}
REFERENCE_STACK = "s3-multi-account-deploy"
"""The stack of the reference deployment, beside whose state no link may keep its own."""
JAVASCRIPT = frozenset(
    {
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    }
)
"""What every object of JavaScript has: cdktf takes a construct of such a name for a second one."""

_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


def _or_arn(kind: str) -> str:
    """Return the pattern of a name of IAM's, or of an ARN with a path before the name."""
    return _NAME_OR_ARN.format(kind=kind)


def about(first: str, more: str, example: str) -> Any:
    """Return a field of one of the types below: what its values are, and what this one is for.

    Errors say the first sentence, editors all of it.
    """
    return Field(description=f"{first}. {more}", examples=[example])


def text(description: str, example: str, pattern: str, max_length: int | None = None) -> Any:
    """Return a text field that must match ``pattern``."""
    return Field(
        description=description, examples=[example], pattern=pattern, max_length=max_length
    )


def bucket_beginning(name: str) -> str:
    """Return how a bucket's name begins, or raise ``ValueError`` where AWS takes none such."""
    for beginning in _RESERVED_BEGINNINGS:
        if name.startswith(beginning):
            raise ValueError(
                f'"{name}" begins with "{beginning}", which AWS reserves: choose another name'
            )
    if ".." in name or ".-" in name or "-." in name:
        raise ValueError(f'S3 takes no bucket named "{name}": leave out the double signs')
    return name


def bucket_name(name: str) -> str:
    """Return the name of a general purpose bucket, or raise ``ValueError`` if it can be none."""
    for ending, what in _RESERVED_ENDINGS.items():
        if name.endswith(ending):
            raise ValueError(
                f'"{name}" ends with "{ending}", which AWS reserves for {what}: '
                "name a general purpose bucket"
            )
    if _IP_ADDRESS.fullmatch(name):
        raise ValueError(f'"{name}" looks like an IP address: S3 takes no bucket named so')
    return bucket_beginning(name)


def _role_name(name: str) -> str:
    if problem := reserved(name):
        raise ValueError(problem)
    return name


def _name_or_arn(text: str) -> str:
    name = text.rpartition("/")[2]
    if len(name) > _LONGEST:
        raise ValueError(f"the name {name!r} has {len(name)} characters, IAM takes {_LONGEST}")
    return text


def _role_name_or_arn(text: str) -> str:
    _role_name(text.rpartition("/")[2])
    return text


def free_path(path: str) -> str:
    """Return a path, or raise ``ValueError`` where only AWS itself makes roles below it."""
    for reserved_path in ("/aws-reserved/", "/aws-service-role/"):
        if path.startswith(reserved_path):
            raise ValueError(
                f'"{path}" begins with "{reserved_path}", which AWS reserves: choose another path'
            )
    return path


AccountAlias = Annotated[str, text(ALIAS, "account1", r"^[A-Za-z][A-Za-z0-9_-]*$")]
BucketName = Annotated[
    str,
    text(BUCKET, "my-reports", r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
    AfterValidator(bucket_name),
]
BucketPrefix = Annotated[
    str,
    text(
        PREFIX,
        "reports-",
        r"^[a-z0-9][a-z0-9.-]{2,36}$",
    ),
    AfterValidator(bucket_beginning),
]
RoleName = Annotated[str, text(ROLE, "reports-reader", _NAME, _LONGEST), AfterValidator(_role_name)]
RoleNameOrArn = Annotated[
    str,
    text(ROLE_OR_ARN, "web", _or_arn("role")),
    AfterValidator(_name_or_arn),
    AfterValidator(_role_name_or_arn),
]
UserNameOrArn = Annotated[
    str,
    text(USER_OR_ARN, "backup", _or_arn("user")),
    AfterValidator(_name_or_arn),
]
PermissionSetName = Annotated[
    str, text("the name of a permission set of IAM Identity Center", "Analyst", _NAME, 32)
]
InstanceProfileName = Annotated[str, text(PROFILE, "web", _NAME, 128)]
