"""Where a bucket's event notifications go: queues, topics, event buses and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from constructs import Construct

from .bindings import (
    CloudwatchEventBus,
    CloudwatchEventBusPolicy,
    DataAwsSqsQueue,
    LambdaPermission,
    SnsTopic,
    SnsTopicPolicy,
    SqsQueue,
    SqsQueuePolicy,
)
from .document import PolicyDocument
from .policy import Condition, Statement, service

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from .account import Account
    from .bucket import BucketBase
    from .key import KeyBase

__all__ = ["Bus", "Destination", "Function", "Queue", "Topic"]

Policy = Literal["new", "create", "merge"]
"""What is created: the destination with its policy, the policy alone, or nothing."""


def arn_of(kind: str, *, partition: str, region: str, account_id: str, name: str) -> str:
    """Return the ARN of a queue, a topic, a bus or a function."""
    service_, beginning = _ARNS[kind]
    return f"arn:{partition}:{service_}:{region}:{account_id}:{beginning}{name}"


_ARNS: Final = {
    "queue": ("sqs", ""),
    "topic": ("sns", ""),
    "bus": ("events", "event-bus/"),
    "function": ("lambda", "function:"),
}
SENDING: Final = {
    "queue": ("sqs:SendMessage",),
    "topic": ("sns:Publish",),
    "bus": ("events:PutEvents",),
    "function": ("lambda:InvokeFunction",),
}
"""What its policy has to allow whoever tells it of events."""
KEY_USE: Final = ("kms:GenerateDataKey", "kms:Decrypt")
"""What S3 needs of the key of a queue or a topic."""


def from_bucket(arn: str, account_id: str) -> tuple[Condition, ...]:
    """Return the conditions that only S3's notifications for one bucket of one account fulfil."""
    return (
        Condition(test="ArnLike", variable="aws:SourceArn", values=(arn,)),
        Condition(test="StringEquals", variable="aws:SourceAccount", values=(account_id,)),
    )


@dataclass(frozen=True)
class Limit:
    """How long a policy may get, and what it is called there."""

    what: str
    characters: int


class Destination(Construct):
    """What a queue, a topic, an event bus and a function have in common.

    With ``policy`` ``"new"`` it is created, with a policy that is this construct's. Else it exists:
    with ``"create"`` nobody owns its policy yet, and this construct creates it; with ``"merge"``
    somebody does, and ``statements_json`` is what has to be merged into it, before S3 takes the
    bucket's configuration: it asks then whether it may send. ``key`` is the customer managed key
    that encrypts it; ``settled_by`` are the resources that must be there before S3 may send.
    """

    kind: str
    limit: Limit
    """Of its policy, where this construct writes it as a whole."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name: str,
        policy: Policy = "new",
        key: KeyBase | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.account, self.name, self.key, self.policy = account, name, key, policy
        self.arn = arn_of(
            self.kind,
            partition=account.partition,
            region=account.region,
            account_id=account.account_id,
            name=name,
        )
        self.settled_by: list[ITerraformDependable] = []
        self._document: PolicyDocument | None = None
        if policy == "new":
            self.settled_by.append(self._create())

    def let(self, bucket: BucketBase, *, sid: str) -> None:
        """Let S3 send the notifications of ``bucket``, of its account and of no other.

        Follows "Granting permissions to publish event notification messages to a destination" in
        the Amazon S3 User Guide. The key half is limited as the other one is.
        """
        limits = from_bucket(bucket.arn, bucket.account.account_id)
        sender = (service("s3.amazonaws.com"),)
        self.allow(
            Statement(
                sid=sid,
                effect="Allow",
                actions=SENDING[self.kind],
                resources=(self.arn,),
                principals=sender,
                conditions=limits,
            )
        )
        if self.key is not None:
            self.key.allow(
                Statement(
                    effect="Allow",
                    actions=KEY_USE,
                    resources=(self.key.arn,),
                    principals=sender,
                    conditions=limits,
                )
            )

    def allow(self, statement: Statement) -> None:
        """Add ``statement`` to its policy, which is created with the first one."""
        if self._document is not None:
            self._document.add(statement)
            return
        merged = self.policy == "merge"
        self._document = PolicyDocument(
            self,
            "policy-to-merge" if merged else "policy-document",
            account=self.account,
            statements=[statement],
            what=self.limit.what,
            limit=None if merged else self.limit.characters,
        )
        if not merged:
            self.settled_by.append(self._write(self._document.json))

    @property
    def statements_json(self) -> str | None:
        """The document to merge into its policy, where that belongs to somebody else."""
        return self._document.json if self.policy == "merge" and self._document else None

    def _create(self) -> ITerraformDependable:
        raise NotImplementedError

    def _write(self, policy: str) -> ITerraformDependable:
        raise NotImplementedError


class Queue(Destination):
    """A standard queue of Amazon SQS: new and encrypted (with SQS's own keys), or one that exists.

    Follows "Quotas related to policies" in the Amazon SQS Developer Guide.
    """

    kind = "queue"
    limit = Limit("queue policy", 8192)

    def _create(self) -> ITerraformDependable:
        queue = SqsQueue(
            self,
            "Resource",
            provider=self.account.provider,
            name=self.name,
            kms_master_key_id=self.key.arn if self.key else None,
            sqs_managed_sse_enabled=None if self.key else True,
        )
        self._url = queue.url
        return queue

    def _write(self, policy: str) -> ITerraformDependable:
        provider = self.account.provider
        if self.policy == "create":
            self._url = DataAwsSqsQueue(self, "queue", provider=provider, name=self.name).url
        return SqsQueuePolicy(self, "policy", provider=provider, queue_url=self._url, policy=policy)


class Topic(Destination):
    """A standard topic of Amazon SNS: new, or one that exists.

    Follows "Amazon SNS endpoints and quotas" in the AWS General Reference.
    """

    kind = "topic"
    limit = Limit("topic policy", 30720)

    def _create(self) -> ITerraformDependable:
        return SnsTopic(
            self,
            "Resource",
            provider=self.account.provider,
            name=self.name,
            kms_master_key_id=self.key.arn if self.key else None,
        )

    def _write(self, policy: str) -> ITerraformDependable:
        return SnsTopicPolicy(
            self,
            "policy",
            provider=self.account.provider,
            arn=self.arn,
            policy=policy,
            depends_on=self.settled_by or None,
        )


class Bus(Destination):
    """An event bus of Amazon EventBridge: new, or one that exists, such as ``default``.

    S3 sends to its own account's default bus only, and a rule there passes the events on, with a
    role: :class:`~s3_cross_account.event_notifications.EventNotifications` makes both.

    Follows "Permissions for event buses in Amazon EventBridge" in the Amazon EventBridge User
    Guide.
    """

    kind = "bus"
    limit = Limit("policy of the event bus", 10240)

    def _create(self) -> ITerraformDependable:
        return CloudwatchEventBus(self, "Resource", provider=self.account.provider, name=self.name)

    def _write(self, policy: str) -> ITerraformDependable:
        return CloudwatchEventBusPolicy(
            self,
            "policy",
            provider=self.account.provider,
            event_bus_name=self.name,
            policy=policy,
            depends_on=self.settled_by or None,
        )


class Function(Destination):
    """A function of AWS Lambda that exists.

    Its policy is added to statement by statement, so that nobody's is replaced.

    Follows "Granting Lambda function access to AWS services" in the AWS Lambda Developer Guide.
    """

    kind = "function"

    def __init__(self, scope: Construct, id_: str, *, account: Account, name: str) -> None:
        super().__init__(scope, id_, account=account, name=name, policy="create")

    def let(self, bucket: BucketBase, *, sid: str) -> None:
        """Let S3 invoke it with the notifications of ``bucket``, of its account and of no other."""
        permission = LambdaPermission(
            self,
            f"permission-{sid}",
            provider=self.account.provider,
            statement_id=sid,
            function_name=self.name,
            action=SENDING[self.kind][0],
            principal="s3.amazonaws.com",
            source_arn=bucket.arn,
            source_account=bucket.account.account_id,
        )
        self.settled_by.append(permission)
