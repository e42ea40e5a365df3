"""Condition operators and keys: which there are, what they take, and which requests have them.

Follows "IAM JSON policy elements: Condition operators", "Set operators for multi-valued context
keys", "AWS global condition context keys" and "Forward access sessions" in the IAM User Guide, and
"Actions, resources, and condition keys" of Amazon S3, AWS KMS and AWS STS in the Service
Authorization Reference, of which ``condition_keys.json`` holds the names.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from importlib.resources import files
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from .addresses import address_range
from .prefixes import BY_TAG, tag_problems
from .spelling import near_match

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = str | int | float | bool

_TEXT = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
_ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_OPERATORS = {
    **dict.fromkeys((f"String{how}" for how in _TEXT), "String"),
    **dict.fromkeys((f"Numeric{how}" for how in _ORDER), "Numeric"),
    **dict.fromkeys((f"Date{how}" for how in _ORDER), "Date"),
    **dict.fromkeys(("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), "ARN"),
    **dict.fromkeys(("IpAddress", "NotIpAddress"), "IPAddress"),
    "Bool": "Bool",
    "BinaryEquals": "Binary",
    "Null": "Null",
}
"""The operators, each with the type of the values that it compares."""

_TAKES = {"String": ("String",), "ARN": ("ARN", "String"), "Date": ("Date",), "Bool": ("Bool",)}
_ALSO = {"aws:EpochTime": ("Date", "Numeric"), "aws:SourceVpcArn": ("ARN", "String")}
"""Which types of operators a key of a type takes, and which keys take more."""

OPERATOR = rf"(ForAllValues:|ForAnyValue:)?({'|'.join(_OPERATORS)})(IfExists)?"
_SHAPE = re.compile(r"(?P<set>ForAllValues:|ForAnyValue:)?(?P<name>\w+?)(?P<exists>IfExists)?")
_DATE = re.compile(r"-?\d+|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ARN = re.compile(r"arn:.*|\*")
_UNWRITABLE = (
    (r"[$%&]\{", "${, %{ and &{ begin an expression; the caller's tag is {principal_tag:team}"),
    (r"[\x00-\x1f\x7f-\x9f]", "it has a control character"),
    (r"[^\x00-\xff]", "IAM's policies take no characters beyond U+00FF"),
)

# "Tags for AWS Identity and Access Management resources" in the IAM User Guide: of a tag's key.
_NAMED = re.compile(r"[A-Za-z0-9_ .:/=+@-]{1,128}")

_BY_SERVICE = "only requests that an AWS service makes in its own name have it, no role's"
_NOWHERE = {
    **dict.fromkeys(
        (
            *("aws:SourceArn", "aws:SourceAccount", "aws:SourceOwner", "aws:SourceOrgID"),
            *("aws:SourceOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"),
        ),
        _BY_SERVICE,
    ),
    "aws:AssumedRoot": "only sessions of a root user have it, no role's",
    "aws:PrincipalArn": "who gets access is what the consumers say, and the policies name them",
    "kms:ViaService": "it is asked already: the key is only for requests that S3 makes",
    "kms:EncryptionContext:": "it is asked already: the key is only for objects of the bucket",
    "kms:RequestAlias": "S3 asks for a key by its ARN, so that no request has it",
    **dict.fromkeys(
        ("s3:DataAccessPointAccount", "s3:DataAccessPointArn"),
        'write "access_points" beside the bucket\'s name: its policy asks that',
    ),
    "s3:AccessPointNetworkOrigin": 'write "vpc_id" of one of the "access_points"',
    "sts:ExternalId": 'write it as "external_id" of "assumed_role"',
}
"""What no half here can ask, and why."""

_OF_ADDRESSES = frozenset({"aws:referer", "aws:UserAgent"})
"""The keys whose values have a * or a ? of their own; no other's does in practice."""

ANY_TIME = frozenset({"aws:CurrentTime", "aws:EpochTime"})
"""The keys of the one thing that every request has alike: its time."""
_OF_CALLER = frozenset({"principal", "session"})
# Global keys that few actions know: the Service Authorization Reference lists them with each.
_LISTED = frozenset({"aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"})


@cache
def _data() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        files(__package__).joinpath("condition_keys.json").read_text()
    )
    return found


@cache
def _category(begun: str) -> str:
    return _data()["global"].get(begun, "service").split()[0]


@cache
def _known() -> dict[str, tuple[str, str]]:
    """Return every key by its lower case, as AWS writes it and with its type."""
    types = {key: entry.split()[1] for key, entry in _data()["global"].items()}
    return {key.lower(): (key, type_) for key, type_ in (types | _data()["types"]).items()}


def _begun(key: str) -> str:
    """Return a key up to where a name of the user's begins, such as that of a tag."""
    found = re.match(r"kms:EncryptionContext:|[^/]*/", key, re.IGNORECASE)
    return found[0] if found else key


def as_listed(key: str) -> str:
    """Return ``key`` as AWS writes it: IAM ignores its case."""
    begun = _begun(key)
    return _known().get(begun.lower(), (begun, ""))[0] + key[len(begun) :]


def _is_known(key: str) -> bool:
    begun = _begun(key)
    return begun.lower() in _known() and (begun[-1:] not in "/:" or len(key) > len(begun))


def of_caller(key: str) -> bool:
    """Whether ``key`` speaks of who makes a request and of the session, wherever it goes."""
    return _category(_begun(key)) in _OF_CALLER


def has_value(action: str, key: str) -> bool:
    """Whether requests for ``action`` may have ``key``, a listed one.

    Those to KMS are made by S3 for the caller: they have what speaks of the caller and the time,
    not where the request to S3 came from. Those to STS come by a way of their own.
    """
    begun = _begun(key)
    listed = begun in _data()["actions"].get(action, "").split()
    if _category(begun) == "service" or begun in _LISTED:
        return listed and not (action.startswith("kms:") and begun in _LISTED)
    return action.startswith("s3:") or of_caller(key) or begun in ANY_TIME


def problems(test: str, key: str, values: tuple[Value, ...]) -> Iterator[str]:
    """Yield what is wrong with a condition, each with how to mend it."""
    shape = _SHAPE.fullmatch(test)
    type_ = _OPERATORS.get(shape["name"]) if shape else None
    if shape is None or type_ is None or (type_ == "Null" and (shape["exists"] or shape["set"])):
        bare = _SHAPE.sub(lambda found: found["name"], test, count=1)
        near = near_match(bare, _OPERATORS) or near_match(bare.replace("IP", "Ip"), _OPERATORS)
        hint = f'did you mean "{near}"?' if near else "IAM's are StringEquals, Bool, IpAddress, …"
        yield f'"{test}" is no condition operator: {hint}'
        return
    if not _is_known(key):
        name, _, rest = key.partition("/")
        near = near_match(name, (k.rstrip("/") for k, _ in _known().values()))
        whole = f"{near}/{rest or 'team'}" if f"{near}/".lower() in _known() else near
        hint = f'did you mean "{whole}"?' if near else "name one that S3, STS or KMS knows"
        yield f'"{key}" is no condition key: {hint}'
        return
    key = as_listed(key)
    begun = _begun(key)
    named = key[len(begun) :]
    if named and not _NAMED.fullmatch(named):
        yield f'"{key}" cannot be written: a tag\'s key has letters, digits and _.:/=+-@ here'
        return
    if reason := _NOWHERE.get(begun):
        yield f'"{key}" cannot be asked here: {reason}'
        return
    own = _known()[begun.lower()][1]
    many, own = own.startswith("ArrayOf"), own.removeprefix("ArrayOf")
    takes = _ALSO.get(begun) or _TAKES.get(own, (own,))
    if type_ != "Null":
        if type_ not in takes:
            fitting = next(name for name, of in _OPERATORS.items() if of == takes[0])
            yield f'"{key}" takes no {shape["name"]}: write for example "{fitting}"'
            return
        if many and not shape["set"]:
            yield f'"{key}" has several values: write "ForAnyValue:{test}" or "ForAllValues:{test}"'
        if shape["set"] and not many:
            bare = test.removeprefix(shape["set"])
            yield (
                f'"{key}" has one value, and {shape["set"][:-1]} is for several: write "{bare}", '
                "which lets nobody in without it"
            )
    if not values:
        yield f'"{key}" has no value: name one at least'
    for value in values:
        told = _unfit(type_, begun, value) or _literal(test, begun, value)
        if told:
            yield f'{json.dumps(value, ensure_ascii=False)} of "{key}" {told}'


def _unfit(type_: str, key: str, value: Value) -> str | None:
    """Return what is wrong with a value, or nothing."""
    text = as_text(value)
    if type_ in ("Bool", "Null"):
        return None if text in ("true", "false") else "is neither true nor false"
    if type_ == "Numeric":
        fits = not isinstance(value, bool) and _NUMBER.fullmatch(text)
        return None if fits else "is no number: write for example 300"
    if type_ == "Date":
        return None if _is_date(text) else 'is no date: write for example "2030-01-31T00:00:00Z"'
    if not isinstance(value, str):
        return f'is no text: write "{text}"'
    for unwritable, problem in _UNWRITABLE:
        if re.search(unwritable, text):
            return f"cannot be written: {problem}"
    for problem in tag_problems(text):
        return f"cannot be written: {problem}"
    if type_ != "String" and BY_TAG.search(text):
        return "has a tag of the caller: only an operator of texts takes it, such as StringEquals"
    if type_ == "ARN" and not _ARN.fullmatch(text):
        return 'is no ARN: write for example "arn:aws:ec2:ap-northeast-1:111111111111:vpc/vpc-1"'
    return _unfit_range(key, text) if type_ == "IPAddress" else None


def _literal(test: str, key: str, value: Value) -> str | None:
    """Return which wildcard an operator of texts takes as it is, or nothing."""
    found = re.search(r"[*?]", as_text(value))
    if found and "StringEquals" in test.replace("Not", "") and key not in _OF_ADDRESSES:
        like = re.sub(r"Equals(IgnoreCase)?", "Like", test)
        return f'has a "{found[0]}", which "{test}" takes as it is: write "{like}"'
    return None


def _unfit_range(key: str, text: str) -> str | None:
    try:
        if key == "aws:SourceIp":
            address_range(text)
        else:  # addresses of a network of one's own, which are private
            ip_network(text)
    except ValueError as error:
        told = str(error).removeprefix(f'"{text}" ')
        return told if key == "aws:SourceIp" else 'is no range: write for example "10.0.0.0/16"'
    return None


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and (
            text.lstrip("-").isdigit() or bool(datetime.fromisoformat(text))
        )
    except ValueError:
        return False


def as_text(value: Any) -> str:
    """Return a value as a policy has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
