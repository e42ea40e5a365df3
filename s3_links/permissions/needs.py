"""What Terraform needs to plan and to deploy stacks: read from their synthesized JSON.

A resource type that is not known here is an error, so that no stack is left out silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_cross_account.key import TAGS
from s3_cross_account.policy import Condition, Statement

from . import provider_actions as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from s3_cross_account.account import Account

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+)\.([A-Za-z0-9_-]+)(?:\.([a-z_]+))?\}")
_COMPLETED = "?" * 26
"""Stands for what Terraform puts behind a prefix."""
_ARNS_IN_A_STATEMENT = 20


@dataclass(frozen=True)
class _Need:
    """Actions on one resource; ``to_plan`` says whether planning takes them too."""

    actions: tuple[str, ...]
    arn: str
    to_plan: bool = False
    conditions: tuple[Condition, ...] = ()


class Permissions:
    """What the stacks, given as their synthesized JSON, need in ``account``."""

    def __init__(self, stacks: Iterable[Mapping[str, Any]], account: Account) -> None:
        self._account = account
        self._needs = [
            need for stack in stacks for need in _StackNeeds(stack, account).of_account()
        ]

    def state(self, bucket: str, prefix: str) -> None:
        """Add what a state below ``prefix`` in an S3 bucket needs."""
        arn = f"arn:{self._account.partition}:s3:::{bucket}"
        self._needs += [
            _Need(("s3:ListBucket",), arn, to_plan=True),
            _Need(("s3:GetObject",), f"{arn}/{prefix}*", to_plan=True),
            _Need(("s3:PutObject",), f"{arn}/{prefix}*"),
            _Need(("s3:DeleteObject",), f"{arn}/{prefix}*.tflock"),
        ]

    def to_plan(self) -> list[Statement]:
        """Return what reads everything that the stacks made, and changes nothing."""
        return _statements(need for need in self._needs if need.to_plan)

    def to_deploy(self) -> list[Statement]:
        """Return what also makes, changes and removes it."""
        return _statements(self._needs)


class _StackNeeds:
    """What one stack needs in an account."""

    def __init__(self, stack: Mapping[str, Any], account: Account) -> None:
        self._stack = stack
        self._account = account

    def of_account(self) -> Iterator[_Need]:
        for section, data in (("resource", ""), ("data", "data.")):
            for type_, blocks in self._stack.get(section, {}).items():
                for block in blocks.values():
                    if block["provider"] == f"aws.{self._account.alias}":
                        yield from self._of_block(f"{data}{type_}", block)

    def _of_block(self, type_: str, block: Mapping[str, Any]) -> Iterator[_Need]:
        if type_ in table.S3:
            yield from self._s3(type_, block)
        elif type_ in table.EC2:
            reads, writes = table.EC2[type_]
            here = _equals("aws:RequestedRegion", self._account.region)
            yield _Need(reads, "*", to_plan=True, conditions=here)
            if writes:
                yield _Need(writes, "*", conditions=here)
        elif type_ in _BY_TYPE:
            yield from _BY_TYPE[type_](self, block)
        else:
            raise ValueError(f"{type_}: add what it needs to {table.__name__}")

    def _s3(self, type_: str, block: Mapping[str, Any]) -> Iterator[_Need]:
        name = self._bucket_name(block) if type_ == "aws_s3_bucket" else self._text(block["bucket"])
        arn = self._arn("s3", name)
        reads, writes = table.S3[type_]
        yield _Need(reads, arn, to_plan=True)
        yield _Need(writes, arn)
        if block.get("force_destroy"):
            yield _Need(table.EMPTY_BUCKET, arn)
            yield _Need(table.DELETE_OBJECTS, f"{arn}/*")
        if type_ == "aws_s3_bucket_replication_configuration":
            yield self._pass_role(block, "s3.amazonaws.com")

    def _role(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        arn = self._iam("role", block["name"])
        boundary = block.get("permissions_boundary")
        bounded = _equals("iam:PermissionsBoundary", boundary) if boundary else ()
        yield _Need(table.ROLE_READS, arn, to_plan=True)
        yield _Need(table.ROLE_WRITES, arn)
        yield _Need(table.BOUNDED_ROLE_WRITES, arn, conditions=bounded)

    def _policy(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        arn = self._iam("policy", block["name"])
        yield _Need(table.POLICY_READS, arn, to_plan=True)
        yield _Need(table.POLICY_WRITES, arn)

    def _attachment(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        arn = self._iam("role", block["role"])
        policy = self._text(block["policy_arn"])
        only = Condition(test="ArnEquals", variable="iam:PolicyARN", values=(policy,))
        yield _Need(("iam:ListAttachedRolePolicies",), arn, to_plan=True)
        yield _Need(("iam:AttachRolePolicy", "iam:DetachRolePolicy"), arn, conditions=(only,))

    def _instance_profile(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        arn = self._iam("instance-profile", block["name"])
        yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)
        yield _Need(table.PROFILE_WRITES, arn)
        yield self._pass_role(block, "ec2.amazonaws.com")

    def _key(self, _: Mapping[str, Any]) -> Iterator[_Need]:
        keys, ours = self._arn("kms", "key/*"), _tagged("aws:ResourceTag")
        yield _Need(table.KEY_READS, keys, to_plan=True, conditions=ours)
        yield _Need(table.KEY_WRITES, keys, conditions=ours)
        yield _Need(table.KEY_CREATION, "*", conditions=_tagged("aws:RequestTag"))

    def _looked_up_role(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        yield _Need(("iam:GetRole",), self._iam("role", block["name"]), to_plan=True)

    def _looked_up_profile(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        arn = self._iam("instance-profile", block["name"])
        yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)

    def _looked_up_policy(self, block: Mapping[str, Any]) -> Iterator[_Need]:
        yield _Need(("iam:GetPolicy", "iam:GetPolicyVersion"), block["arn"], to_plan=True)

    def _nothing(self, _: Mapping[str, Any]) -> Iterator[_Need]:
        return iter(())

    def _pass_role(self, block: Mapping[str, Any], service: str) -> _Need:
        role = self._text(block["role"]).rpartition("/")[2]
        passed = _equals("iam:PassedToService", service)
        return _Need(("iam:PassRole",), self._iam("role", role), conditions=passed)

    def _text(self, text: str) -> str:
        """Return an argument with names in place of references, and variables' defaults."""
        return _REFERENCE.sub(self._referred, text)

    def _referred(self, found: re.Match[str]) -> str:
        kind, name, attribute = found.groups()
        if kind == "var":
            return str(self._stack["variable"][name]["default"])
        section = "data" if kind.startswith("data.") else "resource"
        type_ = kind.removeprefix("data.")
        block = self._stack[section][type_][name]
        if type_ == "aws_s3_bucket":
            return self._bucket_name(block)
        if attribute == "arn":
            kind = type_.removeprefix("aws_iam_")
            return str(block.get("arn") or self._iam(kind, block["name"]))
        return self._text(block["name"])

    def _bucket_name(self, block: Mapping[str, Any]) -> str:
        return self._text(block.get("bucket") or f"{block['bucket_prefix']}{_COMPLETED}")

    def _iam(self, kind: str, name: str) -> str:
        return self._arn("iam", f"{kind}/{self._text(name)}")

    def _arn(self, service: str, name: str) -> str:
        id_ = "" if service == "s3" else self._account.account_id
        region = self._account.region if service == "kms" else ""
        return f"arn:{self._account.partition}:{service}:{region}:{id_}:{name}"


# The other types are in the tables for S3 and EC2.
_BY_TYPE: dict[str, Callable[[_StackNeeds, Mapping[str, Any]], Iterator[_Need]]] = {
    "aws_iam_instance_profile": _StackNeeds._instance_profile,
    "aws_iam_policy": _StackNeeds._policy,
    "aws_iam_role": _StackNeeds._role,
    "aws_iam_role_policy_attachment": _StackNeeds._attachment,
    "aws_kms_key": _StackNeeds._key,
    "aws_kms_key_policy": _StackNeeds._nothing,  # the key's own
    "data.aws_caller_identity": _StackNeeds._nothing,
    "data.aws_iam_instance_profile": _StackNeeds._looked_up_profile,
    "data.aws_iam_policy": _StackNeeds._looked_up_policy,
    "data.aws_iam_policy_document": _StackNeeds._nothing,
    "data.aws_iam_role": _StackNeeds._looked_up_role,
}


def known(type_: str) -> bool:
    """Whether it is known what a resource type needs; a data source's begins with ``data.``."""
    return type_ in _BY_TYPE or type_ in table.S3 or type_ in table.EC2


def _equals(variable: str, value: str) -> tuple[Condition, ...]:
    return (Condition(test="StringEquals", variable=variable, values=(value,)),)


def _tagged(key: str) -> tuple[Condition, ...]:
    return tuple(c for tag, value in TAGS.items() for c in _equals(f"{key}/{tag}", value))


def _statements(needs: Iterable[_Need]) -> list[Statement]:
    """Put together what is needed of one resource, and the resources that need the same."""
    actions: dict[tuple[str, tuple[Condition, ...]], set[str]] = defaultdict(set)
    for need in needs:
        actions[need.arn, need.conditions].update(need.actions)
    arns: dict[tuple[tuple[str, ...], tuple[Condition, ...]], list[str]] = defaultdict(list)
    for (arn, conditions), names in actions.items():
        arns[tuple(sorted(names)), conditions].append(arn)
    return [
        Statement(
            sid="Deployment",
            actions=names,
            resources=tuple(resources[start : start + _ARNS_IN_A_STATEMENT]),
            conditions=conditions,
        )
        for (names, conditions), resources in arns.items()
        for start in range(0, len(resources), _ARNS_IN_A_STATEMENT)
    ]
