"""The queues, topics, event buses and functions that the links expect to find."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from .looking import Finding, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.notifications import NotificationTarget

    from .credentials import Credentials

    Look = Callable[[str, Credentials], Iterator[Finding]]

_ABSENT = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound")
_WRITTEN = {
    "queue": "aws_sqs_queue_policy",
    "topic": "aws_sns_topic_policy",
    "bus": "aws_cloudwatch_event_bus_policy",
}
_OF_ITSELF = "__default_statement_ID"
"""The only statement of a topic's policy that nobody wrote."""


def targets(
    buckets: Iterable[tuple[str, LinkBucket]],
    accounts: Mapping[str, str],
    written: Callable[[str], bool | None],
) -> Iterator[tuple[str, str, str, Look]]:
    """Yield the place, what should be there, the account, and how to look for it.

    ``written`` says whether the state has a resource of a type, or nothing where it is not known.
    """
    for place, bucket in buckets:
        for number, one in enumerate(bucket.notifications):
            if one.to.whose != "new":
                where = f"{place}.notifications[{number}].to"
                what = f"the {one.to.kind} {one.to.name!r}"
                ours = written(_WRITTEN[one.to.kind]) if one.to.kind in _WRITTEN else True
                look = functools.partial(_look, one.to, accounts.get(one.to.account, ""), ours)
                yield where, what, one.to.account, look


def _look(
    to: NotificationTarget, account: str, ours: bool | None, place: str, credentials: Credentials
) -> Iterator[Finding]:
    found = _LOOKS[to.kind](to.name, account, credentials)
    if found is None:
        told = f"{to.account} has no {to.kind} {to.name!r}: correct the name"
        new = "" if to.kind == "function" else f', or declare a "new_{to.kind}"'
        yield Finding(place, told + new, stops=True)
    elif found and to.policy == "create" and ours is False:
        yield Finding(
            place,
            f'the {to.kind} {to.name!r} has a policy already, which "policy": "create" would '
            'replace: declare "policy": "merge" (you get the statements to merge)',
            stops=True,
        )
    else:
        yield Finding(place, f"the {to.kind} {to.name!r} is there")


def _queue(name: str, account: str, credentials: Credentials) -> str | None:
    """Return the queue's policy, empty where it has none, or nothing without a queue."""
    sqs = credentials.client("sqs")
    reply = asked(lambda: sqs.get_queue_url(QueueName=name), *_ABSENT)
    del account
    if reply is None:
        return None
    of = sqs.get_queue_attributes
    found = asked(lambda: of(QueueUrl=reply["QueueUrl"], AttributeNames=["Policy"]))
    return str(found.get("Attributes", {}).get("Policy", ""))


def _topic(name: str, account: str, credentials: Credentials) -> str | None:
    sns = credentials.client("sns")
    region = sns.meta.region_name
    arn = f"arn:{sns.meta.partition}:sns:{region}:{account}:{name}"
    reply = asked(lambda: sns.get_topic_attributes(TopicArn=arn), *_ABSENT)
    if reply is None:
        return None
    policy: dict[str, Any] = json.loads(reply["Attributes"].get("Policy") or "{}")
    statements = [s for s in policy.get("Statement", ()) if s.get("Sid") != _OF_ITSELF]
    return json.dumps(statements) if statements else ""


def _bus(name: str, account: str, credentials: Credentials) -> str | None:
    del account
    events = credentials.client("events")
    reply = asked(lambda: events.describe_event_bus(Name=name), "ResourceNotFoundException")
    return None if reply is None else str(reply.get("Policy", ""))


def _function(name: str, account: str, credentials: Credentials) -> str | None:
    del account
    client = credentials.client("lambda")
    of = client.get_function_configuration
    reply = asked(lambda: of(FunctionName=name), "ResourceNotFoundException")
    return None if reply is None else ""


_LOOKS = {"queue": _queue, "topic": _topic, "bus": _bus, "function": _function}
