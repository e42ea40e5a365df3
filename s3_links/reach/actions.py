"""Which actions there are, on which resources, and which condition keys they know.

The table is generated: ``make iam-table``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>")


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files(__package__).joinpath("iam.json").read_text())
    return table


@cache
def known() -> frozenset[str]:
    """Return the actions of S3, KMS and STS, and those of IAM on roles."""
    return frozenset(_table()["actions"])


@cache
def _canonical() -> dict[str, str]:
    return {action.lower(): action for action in known()}


def canonical(action: str) -> str:
    """Return ``action`` as AWS writes it, or as it is where there is none such."""
    return _canonical().get(action.lower(), action)


@cache
def resource_types(action: str) -> frozenset[str]:
    """Return the types of resources that ``action`` is on, such as ``bucket`` and ``object``."""
    entry = _table()["actions"].get(canonical(action), {"on": ""})
    return frozenset(entry["on"].split())


@cache
def multi_valued(key: str) -> bool:
    """Whether a request may carry several values of ``key``."""
    key = key.lower()
    types = {name.lower(): type_ for name, type_ in _table()["condition_keys"].items()}
    return types.get(key, "").startswith("ArrayOf") or key in _MULTI_VALUED


# Global keys, from "AWS global condition context keys": the table holds services' own.
_MULTI_VALUED = frozenset(
    {"aws:principalorgpaths", "aws:tagkeys", "aws:calledvia", "aws:principalservicenameslist"}
    | {"aws:resourceorgpaths", "aws:sourceorgpaths"}
)


@cache
def _keys(action: str) -> re.Pattern[str] | None:
    entry = _table()["actions"].get(canonical(action))
    return None if entry is None else _any_of(entry["keys"].split())


@cache
def _every_key() -> re.Pattern[str]:
    keys = {key for entry in _table()["actions"].values() for key in entry["keys"].split()}
    return _any_of([*keys, *_table()["condition_keys"]])


def _any_of(keys: list[str]) -> re.Pattern[str]:
    patterns = (".+".join(map(re.escape, _VARIABLE.split(key))) for key in sorted(keys))
    return re.compile("|".join(patterns), re.IGNORECASE)


@cache
def never_carries(action: str, key: str) -> bool:
    """Whether requests for ``action`` never carry ``key``, which others do.

    A key that the table does not hold at all is not known, rather than absent.
    """
    own = _keys(action)
    if own is None or key.lower().startswith("aws:") or own.fullmatch(key):
        return False
    return bool(_every_key().fullmatch(key))


def traits(action: str) -> tuple[bool, ...]:
    """Return what else tells actions apart: how a bucket's ACLs and ownership concern them."""
    return tuple(canonical(action) in names for names in (MENDING, BY_ACL, MAKES_OBJECT))


MENDING = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})
"""The root user of the bucket's owner may always do this: see ``PutBucketPolicy``."""

BY_ACL = frozenset(
    {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketAcl"}
    | {"s3:PutBucketAcl", "s3:PutObject", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion"}
    | {"s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"}
)
"""What an ACL can let others do: see "Access control list (ACL) overview"."""

MAKES_OBJECT = frozenset({"s3:PutObject", "s3:ReplicateObject"})
"""These make an object, which nobody owns yet."""
