"""What Terraform needs to plan and to deploy stacks: read from their synthesized JSON.

A resource type that is not known here is an error, so that no stack is left out silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from s3_cross_account.policy import Condition, Statement
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks, type_of

from . import provider_actions as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from s3_cross_account.account import Account

_COMPLETED = "?" * 26
"""Stands for what Terraform puts behind a prefix."""
_ARNS_IN_A_STATEMENT = 20


class _Named(NamedTuple):
    """The argument that names something, and the rest of its ARN."""

    argument: str
    service: str
    beginning: str = ""


_ARN_OF = {
    "aws_s3_access_point": _Named("name", "s3", "accesspoint/"),
    "aws_sqs_queue": _Named("name", "sqs"),
    "aws_sqs_queue_policy": _Named("queue_url", "sqs"),
    "data.aws_sqs_queue": _Named("name", "sqs"),
    "aws_sns_topic": _Named("name", "sns"),
    "aws_sns_topic_policy": _Named("arn", "sns"),
    "aws_cloudwatch_event_bus": _Named("name", "events", "event-bus/"),
    "aws_cloudwatch_event_bus_policy": _Named("event_bus_name", "events", "event-bus/"),
    "aws_cloudwatch_event_rule": _Named("name", "events", "rule/"),
    "aws_cloudwatch_event_target": _Named("rule", "events", "rule/"),
    "aws_lambda_permission": _Named("function_name", "lambda", "function:"),
}


@dataclass(frozen=True)
class _Need:
    """Actions on one resource; ``to_plan`` says whether planning takes them too."""

    actions: tuple[str, ...]
    arn: str
    to_plan: bool = False
    condition: Condition | None = None


class Permissions:
    """What the stacks, given as their synthesized JSON, need in ``account``.

    ``role_of_profile`` returns the ARN of the role that an existing instance profile holds.
    """

    def __init__(
        self,
        stacks: Sequence[Mapping[str, Any]],
        account: Account,
        role_of_profile: Callable[[str], str],
    ) -> None:
        self._stacks = stacks
        self._account = account
        self._needs = [
            need
            for stack in stacks
            for need in _StackNeeds(stack, account, role_of_profile).of_account()
        ]

    def states(self) -> None:
        """Add what the stacks' own states need, when the account has the bucket that holds them.

        Listing shows the names of everything in the bucket: it cannot be limited to a prefix,
        because without it S3 refuses a state that does not exist yet instead of saying so.
        """
        for stack in self._stacks:
            backend = stack["terraform"]["backend"]["s3"]
            bucket = f"arn:{self._account.partition}:s3:::{backend['bucket']}"
            state = f"{bucket}/{backend['key']}"
            self._needs += [
                _Need(("s3:ListBucket",), bucket, to_plan=True),
                _Need(("s3:GetObject",), state, to_plan=True),
                _Need(("s3:GetObject",), f"{state}.tflock", to_plan=True),
                _Need(("s3:PutObject",), state),
                _Need(("s3:PutObject", "s3:DeleteObject"), f"{state}.tflock"),
            ]

    def to_plan(self) -> list[Statement]:
        """Return what reads everything that the stacks made, and changes nothing."""
        return _statements(need for need in self._needs if need.to_plan)

    def to_deploy(self) -> list[Statement]:
        """Return what also makes, changes and removes it."""
        return _statements(self._needs)


class _StackNeeds:
    """What one stack needs in an account."""

    def __init__(
        self,
        stack: Mapping[str, Any],
        account: Account,
        role_of_profile: Callable[[str], str],
    ) -> None:
        self._blocks = Blocks(
            declared_blocks(stack),
            aliases_of(stack),
            stack,
            {account.alias: account.account_id},
            completed=_COMPLETED,
        )
        self._account = account
        self._role_of_profile = role_of_profile
        self._tagged = any(
            provider["alias"] == account.alias and provider.get("default_tags")
            for provider in stack.get("provider", {}).get("aws", [])
        )

    def of_account(self) -> Iterator[_Need]:
        for address, alias in self._blocks.aliases.items():
            if alias == self._account.alias:
                yield from self._of_block(type_of(address), address)

    def _of_block(self, type_: str, address: str) -> Iterator[_Need]:
        if type_ in table.S3:
            yield from self._s3(type_, address)
        elif type_ in table.EC2:
            reads, writes = table.EC2[type_]
            here = _equals("aws:RequestedRegion", self._account.region)
            yield _Need(reads, "*", to_plan=True, condition=here)
            if writes:
                yield _Need(writes, "*", condition=here)
        elif type_ in table.NAMED:
            yield from self._named(type_, address)
        elif type_ in _BY_TYPE:
            yield from _BY_TYPE[type_](self, address)
        else:
            raise ValueError(f"{type_}: add what it needs to {table.__name__}")

    def _s3(self, type_: str, address: str) -> Iterator[_Need]:
        arn = self._arn("s3", self._blocks.attribute(address, "bucket"))
        reads, writes = table.S3[type_]
        yield _Need(reads, arn, to_plan=True)
        yield _Need((*writes, *self._tagging(address)), arn)
        if self._blocks.known(address, "force_destroy"):
            yield _Need(table.EMPTY_BUCKET, arn)
            yield _Need(table.DELETE_OBJECTS, f"{arn}/*")
        if type_ == "aws_s3_bucket_replication_configuration":
            yield from self._pass_role(address, "s3.amazonaws.com")

    def _named(self, type_: str, address: str) -> Iterator[_Need]:
        """Yield what an access point needs, a destination of notifications, and what passes on."""
        blocks, of = self._blocks, _ARN_OF[type_]
        if of.argument == "arn":
            arn = blocks.attribute(address, "arn")
        else:
            name = re.split("[/:]", blocks.attribute(address, of.argument))[-1]
            arn = blocks.arn(address, of.service, f"{of.beginning}{name}")
        reads, writes = table.NAMED[type_]
        yield _Need(reads, arn, to_plan=True)
        yield _Need((*writes, *self._tagging(address)), arn)
        if type_ == "aws_cloudwatch_event_target":
            passed = _equals("iam:PassedToService", "events.amazonaws.com")
            yield _Need(("iam:PassRole",), blocks.attribute(address, "role_arn"), condition=passed)

    def _role(self, address: str) -> Iterator[_Need]:
        boundary = self._blocks.known(address, "permissions_boundary")
        bounded = _equals("iam:PermissionsBoundary", boundary) if boundary else None
        for arn in self._made("role", address):
            yield _Need(table.ROLE_READS, arn, to_plan=True)
            yield _Need((*table.ROLE_WRITES, *self._tagging(address)), arn)
            yield _Need(table.BOUNDED_ROLE_WRITES, arn, condition=bounded)

    def _policy(self, address: str) -> Iterator[_Need]:
        arn = self._blocks.attribute(address, "arn")
        yield _Need(table.POLICY_READS, arn, to_plan=True)
        yield _Need((*table.POLICY_WRITES, *self._tagging(address)), arn)

    def _attachment(self, address: str) -> Iterator[_Need]:
        policy = self._blocks.attribute(address, "policy_arn")
        only = Condition(test="ArnEquals", variable="iam:PolicyARN", values=(policy,))
        kind = "User" if type_of(address) == "aws_iam_user_policy_attachment" else "Role"
        for arn in self._roles(address) if kind == "Role" else self._holder("user", address):
            yield _Need((f"iam:ListAttached{kind}Policies",), arn, to_plan=True)
            changes = (f"iam:Attach{kind}Policy", f"iam:Detach{kind}Policy")
            yield _Need(changes, arn, condition=only)

    def _instance_profile(self, address: str) -> Iterator[_Need]:
        arn = self._blocks.attribute(address, "arn")
        yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)
        yield _Need((*table.PROFILE_WRITES, *self._tagging(address)), arn)
        yield from self._pass_role(address, "ec2.amazonaws.com")

    def _key(self, address: str) -> Iterator[_Need]:
        # Its ARN is not known beforehand, so its tag tells it from others. A role that could tag
        # keys would make any key its own, and KMS cannot tell tagging a key from making one with
        # tags: who deploys by this cannot make keys.
        ((tag, value),) = self._blocks.known(address, "tags").items()
        ours = _equals(f"aws:ResourceTag/{tag}", value)
        keys = self._arn("kms", "key/*")
        yield _Need(table.KEY_READS, keys, to_plan=True, condition=ours)
        yield _Need(table.KEY_WRITES, keys, condition=ours)

    def _key_policy(self, address: str) -> Iterator[_Need]:
        if self._blocks.reference(self._blocks.declared(address).get("key_id")) is None:
            arn = self._arn("kms", f"key/{self._blocks.attribute(address, 'key_id')}")
            yield _Need(table.KEY_READS, arn, to_plan=True)
            yield _Need(("kms:PutKeyPolicy",), arn)

    def _looked_up_role(self, address: str) -> Iterator[_Need]:
        for arn in self._found("role", address):
            yield _Need(("iam:GetRole",), arn, to_plan=True)

    def _looked_up_user(self, address: str) -> Iterator[_Need]:
        for arn in self._found("user", address, "user_name"):
            yield _Need(("iam:GetUser",), arn, to_plan=True)

    def _looked_up_profile(self, address: str) -> Iterator[_Need]:
        for arn in self._found("instance-profile", address):
            yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)

    def _looked_up_policy(self, address: str) -> Iterator[_Need]:
        arn = self._blocks.attribute(address, "arn")
        yield _Need(("iam:GetPolicy", "iam:GetPolicyVersion"), arn, to_plan=True)

    def _tagging(self, address: str) -> tuple[str, ...]:
        return table.TAGGING.get(type_of(address), ()) if self._tagged else ()

    def _nothing(self, _: str) -> Iterator[_Need]:
        return iter(())

    def _pass_role(self, address: str, service: str) -> Iterator[_Need]:
        passed = _equals("iam:PassedToService", service)
        for arn in self._roles(address):
            yield _Need(("iam:PassRole",), arn, condition=passed)

    def _roles(self, address: str) -> tuple[str, ...]:
        """Return the ARNs of the role that a block names or refers to."""
        role = self._blocks.reference(self._blocks.known(address, "role"))
        if role is None:
            return self._holder("role", address)
        if type_of(role) == "data.aws_iam_instance_profile":
            return (self._role_of_profile(self._blocks.attribute(role, "name")),)
        return self._made("role", role)

    def _holder(self, kind: str, address: str) -> tuple[str, ...]:
        """Return the ARNs of the role or the user that a block names."""
        arn = self._blocks.told(kind, address)
        return (arn,) if arn else self._found(kind, address, kind)

    def _made(self, kind: str, address: str) -> tuple[str, ...]:
        """Return the ARNs of what the stack makes; what it imports keeps its path."""
        kept = self._blocks.declared(address).get("lifecycle", {}).get("ignore_changes", ())
        if "path" in kept:
            return self._found(kind, address)
        return (self._blocks.attribute(address, "arn"),)

    def _found(self, kind: str, address: str, argument: str = "name") -> tuple[str, ...]:
        """Return the ARNs of what exists: without a path, and with one, which is not known.

        A name is taken once in an account whatever the path, so these two are for one thing.
        """
        name = self._blocks.attribute(address, argument)
        return self._arn("iam", f"{kind}/{name}"), self._arn("iam", f"{kind}/*/{name}")

    def _arn(self, service: str, name: str) -> str:
        id_ = "" if service == "s3" else self._account.account_id
        region = self._account.region if service == "kms" else ""
        return f"arn:{self._account.partition}:{service}:{region}:{id_}:{name}"


# The other types are in the tables for S3 and EC2.
_BY_TYPE: dict[str, Callable[[_StackNeeds, str], Iterator[_Need]]] = {
    "aws_iam_instance_profile": _StackNeeds._instance_profile,
    "aws_iam_policy": _StackNeeds._policy,
    "aws_iam_role": _StackNeeds._role,
    "aws_iam_role_policy_attachment": _StackNeeds._attachment,
    "aws_iam_user_policy_attachment": _StackNeeds._attachment,
    "aws_kms_key": _StackNeeds._key,
    "aws_kms_key_policy": _StackNeeds._key_policy,
    "data.aws_caller_identity": _StackNeeds._nothing,
    "data.aws_iam_instance_profile": _StackNeeds._looked_up_profile,
    "data.aws_iam_policy": _StackNeeds._looked_up_policy,
    "data.aws_iam_policy_document": _StackNeeds._nothing,
    "data.aws_iam_role": _StackNeeds._looked_up_role,
    "data.aws_iam_user": _StackNeeds._looked_up_user,
}


def known(type_: str) -> bool:
    """Whether it is known what a resource type needs; a data source's begins with ``data.``."""
    tables = (_BY_TYPE, table.S3, table.EC2, table.NAMED)
    return any(type_ in known for known in tables)


def _equals(variable: str, value: str) -> Condition:
    return Condition(test="StringEquals", variable=variable, values=(value,))


def _statements(needs: Iterable[_Need]) -> list[Statement]:
    """Put together what is needed of one resource, and then what needs the same."""
    actions: dict[tuple[str, Condition | None], set[str]] = defaultdict(set)
    for need in needs:
        actions[need.arn, need.condition].update(need.actions)
    values: dict[tuple[tuple[str, ...], str, Condition | None], list[str]] = defaultdict(list)
    for (arn, condition), names in actions.items():
        kind = condition and replace(condition, values=())
        values[tuple(sorted(names)), arn, kind] += condition.values if condition else ()
    arns: dict[tuple[tuple[str, ...], tuple[Condition, ...]], list[str]] = defaultdict(list)
    for (same, arn, kind), one_of in values.items():
        arns[same, (replace(kind, values=tuple(one_of)),) if kind else ()].append(arn)
    return [
        Statement(
            sid="Deployment",
            actions=same,
            resources=tuple(resources[start : start + _ARNS_IN_A_STATEMENT]),
            conditions=conditions,
        )
        for (same, conditions), resources in arns.items()
        for start in range(0, len(resources), _ARNS_IN_A_STATEMENT)
    ]
