"""The queues, topics, event buses and functions that buckets' notifications go to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from s3_cross_account.policy import Condition, Principal, Statement
from s3_links.world import POLICIES, Document, Resource

from .policies import document_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .blocks import Blocks

POLICY_TYPES = (
    "aws_sqs_queue_policy",
    "aws_sns_topic_policy",
    "aws_cloudwatch_event_bus_policy",
    "aws_lambda_permission",
)
HARMLESS = (
    *("aws_sqs_queue", "aws_sns_topic", "aws_cloudwatch_event_bus"),
    *("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_s3_bucket_notification"),
)
"""These let nobody do anything by themselves: a rule's target, what its role may."""


def destinations(blocks: Blocks) -> Iterator[Resource]:
    """Yield each that has a policy here."""
    for address in blocks.of("aws_sqs_queue_policy"):
        url = blocks.attribute(address, "queue_url")
        name = url.rpartition("/")[2]
        yield _written(blocks, address, "sqs", blocks.arn(address, "sqs", name))
    for address in blocks.of("aws_sns_topic_policy"):
        yield _written(blocks, address, "sns", blocks.attribute(address, "arn"))
    for address in blocks.of("aws_cloudwatch_event_bus_policy"):
        name = blocks.attribute(address, "event_bus_name")
        arn = blocks.arn(address, "events", f"event-bus/{name}")
        yield _written(blocks, address, "events", arn)
    yield from _functions(blocks)


def _written(blocks: Blocks, address: str, service: str, arn: str) -> Resource:
    policy = document_of(blocks, address, "policy", POLICIES[service], arn)
    return Resource(arn=arn, account=blocks.account(address), policy=policy)


def _functions(blocks: Blocks) -> Iterator[Resource]:
    """Yield functions, whose policies are written statement by statement."""
    found: dict[str, list[str]] = defaultdict(list)
    for address in blocks.of("aws_lambda_permission"):
        name = blocks.attribute(address, "function_name").rpartition(":")[2]
        found[blocks.arn(address, "lambda", f"function:{name}")].append(address)
    for arn, addresses in found.items():
        account = blocks.account(addresses[0])
        policy = Document(
            kind=POLICIES["lambda"],
            account=account,
            name=arn,
            statements=tuple(_permission(blocks, address, arn) for address in addresses),
            place=addresses[0],
        )
        yield Resource(arn=arn, account=account, policy=policy)


def _permission(blocks: Blocks, address: str, arn: str) -> Statement:
    def asked(test: str, variable: str, argument: str) -> Iterator[Condition]:
        if blocks.known(address, argument):
            value: Any = blocks.attribute(address, argument)
            yield Condition(test=test, variable=variable, values=(value,))

    named = blocks.attribute(address, "principal")
    return Statement(
        sid=blocks.attribute(address, "statement_id"),
        effect="Allow",
        actions=(blocks.attribute(address, "action"),),
        resources=(arn,),
        principals=(
            Principal(type="Service" if ".amazonaws." in named else "AWS", identifiers=(named,)),
        ),
        conditions=(
            *asked("ArnLike", "aws:SourceArn", "source_arn"),
            *asked("StringEquals", "aws:SourceAccount", "source_account"),
            *asked("StringEquals", "aws:PrincipalOrgID", "principal_org_id"),
        ),
    )
