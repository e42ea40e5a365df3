"""What a bucket tells the other account arrives there, and nothing else does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.operations.prove import prove
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, REGION
from tests.support.links import Deployment
from tests.support.synthesized import declared_and_synthesized, synthesized

if TYPE_CHECKING:
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("deployed")

CREATED = ["s3:ObjectCreated:*"]


def to(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"account": "account1", kind: name, **more}


NOTIFIED = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "notified"}],
    "buckets": [
        {
            "account": "account2",
            "new_prefix": "notified-",
            "force_destroy": True,
            "notifications": [
                {"to": to("new_queue", "incoming"), "events": CREATED, "prefix": "in/"},
                {
                    "to": to("existing_topic", "removed", policy="create"),
                    "events": ["s3:ObjectRemoved:*"],
                },
                {
                    "to": to("new_bus", "uploads"),
                    "events": ["s3:ObjectCreated:Put", "s3:ObjectTagging:*"],
                    "prefix": "in/",
                    "suffix": ".csv",
                },
            ],
        },
        {
            "account": "account2",
            "existing": "there-before",
            "policy": "merge",
            "notification_configuration": "create",
            "notifications": [
                {"to": to("existing_queue", "older", policy="create"), "events": CREATED}
            ],
        },
    ],
}


@pytest.fixture(scope="module")
def deployed(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    one, two = (root(emulator.endpoint, alias) for alias in ACCOUNTS)
    one.client("sns").create_topic(Name="removed")
    one.client("sqs").create_queue(QueueName="older")
    two.s3.create_bucket(
        Bucket="there-before", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return Deployment(terraform, emulator, tmp_path_factory.mktemp("deployed"), {"told": NOTIFIED})


def received(deployed: Deployment, queue: str) -> list[Any]:
    """Take what is in a queue of the first account."""
    sqs = deployed.roots["account1"].client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    records = [json.loads(message["Body"]).get("Records", []) for message in found]
    return [record["s3"]["object"]["key"] for some in records for record in some]


def bucket_of(deployed: Deployment) -> str:
    return str(deployed.outputs("told")["bucket_name_account2_notified-"])


def test_what_fits_arrives_in_the_queue_of_the_other_account(deployed: Deployment) -> None:
    for key in ("in/a.csv", "out/a.csv"):
        deployed.roots["account2"].s3.put_object(Bucket=bucket_of(deployed), Key=key, Body=b"x")
    deployed.roots["account2"].s3.put_object(Bucket="there-before", Key="k", Body=b"x")
    assert received(deployed, "incoming") == ["in/a.csv"]
    assert received(deployed, "older") == ["k"]


def test_another_bucket_cannot_send_there(deployed: Deployment) -> None:
    s3 = deployed.roots["account2"].s3
    s3.create_bucket(Bucket="another", CreateBucketConfiguration={"LocationConstraint": REGION})
    start = f"{REGION}:{ACCOUNTS['account1']}"
    for list_, name, arn in (
        ("QueueConfigurations", "QueueArn", f"arn:aws:sqs:{start}:incoming"),
        ("TopicConfigurations", "TopicArn", f"arn:aws:sns:{start}:removed"),
    ):
        entry = {name: arn, "Events": CREATED}
        with pytest.raises(ClientError, match="Unable to validate"):
            s3.put_bucket_notification_configuration(
                Bucket="another", NotificationConfiguration={list_: [entry]}
            )


def test_rules_pass_on_what_fits_to_the_bus_of_the_other_account(deployed: Deployment) -> None:
    events = deployed.roots["account2"].client("events")
    rules = events.list_rules()["Rules"]
    patterns = [json.loads(rule["EventPattern"]) for rule in rules]
    assert [pattern["detail-type"] for pattern in patterns] == [
        ["Object Created"],
        ["Object Tags Added", "Object Tags Deleted"],
    ]
    for pattern in patterns:
        assert pattern["detail"]["bucket"] == {"name": [bucket_of(deployed)]}
    bus = f"arn:aws:events:{REGION}:{ACCOUNTS['account1']}:event-bus/uploads"
    for rule in rules:
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert target["Arn"] == bus
        assert target["RoleArn"].startswith(f"arn:aws:iam::{ACCOUNTS['account2']}:role/told-")


def test_a_second_plan_changes_what_the_emulator_keeps_otherwise(deployed: Deployment) -> None:
    # It takes no whole policy for an event bus, and makes one of its own.
    told = deployed.plan("told")
    assert re.findall(r"# (?:module\.told\.)?(\w+)\.\S+ will be", told) == [
        "aws_cloudwatch_event_bus_policy"
    ]


def test_it_can_be_removed(deployed: Deployment) -> None:
    deployed.destroy("told")
    sqs = deployed.roots["account1"].client("sqs")
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["older"]


MERGED = {
    "account": "account2",
    "existing": "theirs",
    "policy": "merge",
    "notification_configuration": "merge",
    "notifications": [
        {"to": to("new_queue", "incoming"), "events": CREATED, "suffix": ".csv"},
        {"to": to("existing_bus", "default", policy="merge"), "events": CREATED},
    ],
}


@pytest.mark.cost("synthesized")
def test_notifications_to_merge_are_those_of_s3s_own_operation() -> None:
    stack = synthesized(NOTIFIED | {"buckets": [MERGED]})
    assert "aws_s3_bucket_notification" not in stack["resource"]
    text = stack["output"]["notifications_to_merge_account2_theirs"]["value"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNTS['account1']}:incoming"
    rules = [{"Name": "suffix", "Value": ".csv"}]
    assert json.loads(text.removeprefix("${jsonencode(").removesuffix(")}")) == {
        "EventBridgeConfiguration": {},
        "QueueConfigurations": [
            {
                "Id": "1-incoming",
                "QueueArn": arn,
                "Events": CREATED,
                "Filter": {"Key": {"FilterRules": rules}},
            }
        ],
    }


@pytest.mark.cost("synthesized")
def test_what_is_to_merge_refers_to_what_a_deployment_makes() -> None:
    """What is written as JSON holds references, which Terraform has to see as such."""
    theirs = {"account": "account2", "existing": "theirs", "policy": "merge", "versioned": True}
    link = {
        "pattern": "replication",
        "role_name": "copier",
        "source": theirs | {"replication": "merge"},
        "destination": {"account": "account1", "new_prefix": "copies-"},
    }
    stack = synthesized(link)
    rules = stack["output"]["replication_rules_to_merge_source"]["value"]
    assert re.search(r'"Bucket": "\$\{aws_s3_bucket\.\w+\.arn\}"', rules)
    assert "$${" not in rules


@pytest.mark.cost("synthesized")
def test_a_proof_fails_where_notifications_go_elsewhere() -> None:
    links, stack = declared_and_synthesized(NOTIFIED)

    def problems(changed: dict[str, Any]) -> list[str]:
        found = prove("link", changed, links.links["link"], links.accounts)
        return [problem.text for problem in found.problems]

    assert problems(stack) == []
    resources = stack["resource"]
    (configuration, _) = resources["aws_s3_bucket_notification"].values()
    configuration["queue"][0]["queue_arn"] = f"arn:aws:sqs:{REGION}:333333333333:incoming"
    assert any("its notifications do not go as declared" in told for told in problems(stack))
    configuration["queue"][0]["queue_arn"] = f"arn:aws:sqs:{REGION}:111111111111:incoming"
    rule, *_ = resources["aws_cloudwatch_event_rule"].values()
    rule["event_pattern"] = rule["event_pattern"].replace("in/", "")
    assert any("do not pass on what is declared" in told for told in problems(stack))


@pytest.mark.cost("synthesized")
def test_a_proof_fails_where_somebody_else_may_send() -> None:
    links, stack = declared_and_synthesized(NOTIFIED)
    for name, document in stack["data"]["aws_iam_policy_document"].items():
        if name.startswith("queueaccount1incoming"):
            del document["statement"][0]["condition"][1]
    found = prove("link", stack, links.links["link"], links.accounts)
    assert any("aws:SourceAccount" in problem.text for problem in found.problems), found.problems
