"""Prefixes of objects' keys, and other texts in which a tag of the caller may stand.

Follows "Naming Amazon S3 objects" in the Amazon S3 User Guide, and "IAM policy elements: Variables
and tags" and "Tags for AWS Identity and Access Management resources" in the IAM User Guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_LIMIT = 1024
"""Bytes of an object's key: "Naming Amazon S3 objects" in the Amazon S3 User Guide."""

TAG_LIMIT = 128
"""Characters of a tag's key: "IAM and AWS STS quotas" in the IAM User Guide."""

BY_TAG = re.compile(r"\{principal_tag:([^{}]*)\}")
_TAG = re.compile(r"[A-Za-z0-9_.:/=+@-]+")
_PLACEHOLDER = re.compile(r"\{(?:aws|principal)[^{}]*\}")

# Of a bucket or an object, as consoles and programs show it.
_ADDRESS = re.compile(r"s3[an]?://|arn:aws[a-z-]*:")

# What a prefix cannot hold, because it also stands in policies: "IAM and AWS STS quotas" in the IAM
# User Guide has their alphabet. Terraform makes a policy variable, ${...}, of &{...}.
_UNWRITABLE = (
    (r"[*?]", "* and ? stand for anything in a policy"),
    (r"[$%]|&\{", "$, % and &{ begin an expression"),
    (r"[\x00-\x1f\x7f-\x9f]", "it has a control character"),
    (r"[^\x00-\xff]", "IAM's policies take no characters beyond U+00FF"),
)


def as_pattern(text: str) -> str:
    """Return a text as a policy has it: with IAM's variable for a tag of the caller."""
    return BY_TAG.sub(r"${aws:PrincipalTag/\1}", text)


def tag_problems(text: str) -> Iterator[str]:
    """Yield what is wrong with what stands in a text for a tag of the caller."""
    for tag in BY_TAG.findall(text):
        if not _TAG.fullmatch(tag) or len(tag) > TAG_LIMIT:
            yield (
                f"{tag!r} is no tag's key: it has letters, digits and _.:/=+-@, {TAG_LIMIT} at most"
            )
    if found := _PLACEHOLDER.search(BY_TAG.sub("", text)):
        yield f"{found[0]} stands for nothing: write {{principal_tag:team}} for the caller's tag"


def unwritable(prefix: str) -> Iterator[str]:
    """Yield why a policy would take a prefix for something else, or not at all."""
    if _ADDRESS.match(prefix):
        yield "it is an address: write what follows the bucket's name"
        return  # what else it has is the address's
    for pattern, problem in _UNWRITABLE:
        if re.search(pattern, prefix):
            yield f"{problem}; choose another"


def prefix_problems(prefix: str) -> Iterator[str]:
    """Yield what is wrong with a prefix."""
    literal = BY_TAG.sub("", prefix)
    if not prefix.endswith("/") or prefix == "/":
        yield "it must end with '/', and have a name before it"
    yield from unwritable(prefix)
    yield from tag_problems(prefix)
    if (length := len(literal.encode())) > KEY_LIMIT:
        yield f"it has {length} bytes, and S3's keys {KEY_LIMIT} at most"
