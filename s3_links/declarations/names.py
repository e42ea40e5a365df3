"""The names that people write: what AWS takes for them, and what it reserves."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from s3_cross_account.role_name import reserved

_NAME = r"^[A-Za-z0-9_+=,.@-]+$"
_ONLY = "(the name only, without path or ARN)"
ALIAS = "the alias of an account"
BUCKET = "a bucket's name"
PREFIX = "a bucket's prefix (3 to 37 small letters, digits, dots and hyphens)"
ROLE = f"a role's name {_ONLY}"
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
RoleName = Annotated[str, text(ROLE, "reports-reader", _NAME, 64), AfterValidator(_role_name)]
InstanceProfileName = Annotated[str, text(PROFILE, "web", _NAME, 128)]
