"""What S3 would refuse of notifications is refused first, with the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.links import schema
from s3_links.declarations.read_links import read_links

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = {
    "account1": {"region": "eu-west-1", "profile": "one", "account_id": "111111111111"},
    "account2": {"region": "eu-west-1", "profile": "two", "account_id": "222222222222"},
    "far": {"region": "us-east-1", "profile": "far", "account_id": "333333333333"},
    "partner": {"account_id": "444444444444", "foreign": True},
}
CREATED, PUT = ["s3:ObjectCreated:*"], ["s3:ObjectCreated:Put"]
QUEUE = {"account": "account1", "new_queue": "incoming"}
KEY = "arn:aws:kms:{}:111111111111:key/11111111-2222-3333-4444-555555555555"


def one(to: Any = QUEUE, events: Any = CREATED, **more: Any) -> dict[str, Any]:
    return {"to": to, "events": events, **more}


def links(*notifications: Any, **bucket: Any) -> dict[str, Any]:
    where = {"account": "account2", **(bucket or {"new_prefix": "in-"})}
    link = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [where | {"notifications": list(notifications)}],
    }
    return {"accounts": ACCOUNTS, "links": {"x": link}}


def both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return two links with a notification each."""
    content = links(first)
    other = links(second, new_prefix="other-")["links"]["x"]
    other["consumers"] = [{"account": "account1", "new_role": "another"}]
    content["links"]["y"] = other
    return content


def said(content: dict[str, Any], folder: Path) -> list[str]:
    file = folder / "links.json"
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError) as told:
        read_links(file)
    lines = (line.partition("links.json:1: ")[2] for line in str(told.value).splitlines()[1:])
    return [line.removeprefix("links.x.") for line in lines]


FINE = {
    "a queue": links(one(prefix="in/", suffix=".csv")),
    "two prefixes": links(one(prefix="a/"), one(prefix="b/")),
    "two suffixes below one prefix": links(one(suffix=".csv"), one(suffix=".json", prefix="a/")),
    "different events": links(one(), one(events=["s3:ObjectRemoved:*"])),
    "a bus beside a queue, of the same events": links(
        one(), one({"account": "account1", "existing_bus": "default", "policy": "create"})
    ),
    "a bus of another region": links(one({"account": "far", "new_bus": "uploads"})),
    "a queue of a foreign account": links(
        one({"account": "partner", "existing_queue": "theirs", "policy": "merge"})
    ),
    "an existing bucket": links(
        one(), existing="my-in", policy="create", notification_configuration="merge"
    ),
    "two links that tell one queue": both(
        one(), one({"account": "account1", "existing_queue": "incoming", "policy": "merge"})
    ),
    "two links that tell one function": both(
        one({"account": "account1", "existing_function": "on-upload"}),
        one({"account": "account1", "existing_function": "on-upload"}),
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_it_can_be_declared(name: str, tmp_path: Path) -> None:
    (tmp_path / "links.json").write_text(json.dumps(FINE[name]))
    assert read_links(tmp_path / "links.json").links["x"].buckets[0].notifications
    Draft202012Validator(json.loads(schema())).validate(FINE[name])


AT = "buckets[0].notifications"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "the same events of overlapping prefixes": (
        links(one(prefix="in/"), one(prefix="in/csv/", events=PUT)),
        f"{AT}[1]: is of events that notifications[0] is of too, and objects may fit both: S3 "
        'refuses that, give them a "prefix" or a "suffix" that leave none',
    ),
    "the same events of overlapping suffixes": (
        links(one(suffix=".gz"), one(suffix=".csv.gz")),
        f"{AT}[1]: is of events that notifications[0] is of too",
    ),
    "an event twice": (
        links(one(events=[*CREATED, *PUT])),
        f'{AT}[0].events: "s3:ObjectCreated:*" and "s3:ObjectCreated:Put": S3 takes each event '
        "once, leave one out",
    ),
    "no event of S3": (
        links(one(events=["ObjectCreated"])),
        f'{AT}[0].events[0]: "ObjectCreated" is no item of events of S3: write for '
        'example "s3:ObjectCreated:*"',
    ),
    "a FIFO queue": (
        links(one({"account": "account1", "new_queue": "incoming.fifo"})),
        f'{AT}[0].to.new_queue: "incoming.fifo" is a FIFO queue or topic, which S3 sends nothing '
        "to: take a standard one",
    ),
    "a queue of another region": (
        links(one({"account": "far", "new_queue": "incoming"})),
        f'{AT}[0].to: the queue "incoming" is in us-east-1, the bucket in eu-west-1: S3 sends '
        "within a region only; take one there, or an event bus",
    ),
    "an existing queue of nobody's or somebody's policy": (
        links(one({"account": "account1", "existing_queue": "incoming"})),
        f'{AT}[0].to: with "existing_queue", say who owns its policy: "policy": "create" (nobody '
        'yet) or "merge" (you get the statements to merge)',
    ),
    "the policy of a new queue": (
        links(one(QUEUE | {"policy": "create"})),
        f'{AT}[0].to.policy: is new: leave out "policy"',
    ),
    "an event that EventBridge does not know": (
        links(
            one(
                {"account": "account1", "new_bus": "b"},
                events=["s3:Replication:*"],
            )
        ),
        f"{AT}[0].events: EventBridge has no s3:Replication:*: take a queue, a topic or a function",
    ),
    "the default bus as a new one": (
        links(one({"account": "account1", "new_bus": "default"})),
        f'{AT}[0].to.new_bus: each account has the bus "default" already: give it as '
        '"existing_bus"',
    ),
    "the key of a bus": (
        links(one({"account": "account1", "new_bus": "b", "key": KEY.format("eu-west-1")})),
        f"{AT}[0].to.key: is not for a bus: leave it out",
    ),
    "a key of another region": (
        links(one(QUEUE | {"key": KEY.format("us-east-1")})),
        f"{AT}[0].to.key: is in us-east-1, what it encrypts in eu-west-1: correct the ARN",
    ),
    "the AWS managed key": (
        links(one(QUEUE | {"key": "alias/aws/sqs"})),
        f'{AT}[0].to.key: "alias/aws/sqs" is not the ARN of a customer managed key: write for',
    ),
    "signs that S3 wants encoded": (
        links(one(prefix="dt=2026/")),
        f'{AT}[0].prefix: "dt=2026/" is not a prefix (letters, digits and',
    ),
    "an existing bucket of nobody's or somebody's configuration": (
        links(one(), existing="my-in", policy="create"),
        'buckets[0]: with "notifications" of an existing bucket, say who owns its notification '
        'configuration: "notification_configuration": "create" (nobody yet), "import" (this link '
        'takes it over) or "merge" (you get the notifications to merge)',
    ),
    "the configuration of a new bucket": (
        links(one(), new_prefix="in-", notification_configuration="create"),
        "buckets[0].notification_configuration: a new bucket has no other: leave it out",
    ),
    "a new queue of a foreign account": (
        links(one({"account": "partner", "new_queue": "incoming"})),
        f'{AT}[0].to: "partner" is foreign, nobody here has credentials for it: "new_queue" would '
        'be written there: give an "existing_queue", "existing_topic" or "existing_bus" with '
        '"policy": "merge"',
    ),
    "a foreign account's bucket": (
        links(one(), account="partner", existing="theirs", policy="merge"),
        'buckets[0]: with "notifications" of an existing bucket, say who owns',
    ),
    "one queue, declared in two ways": (
        links(
            one(prefix="a/"),
            one(
                {"account": "account1", "existing_queue": "incoming", "policy": "merge"},
                prefix="b/",
            ),
        ),
        f'{AT}[1].to: "incoming" is declared otherwise before: write the same',
    ),
    "one queue of two links": (
        both(one(), one()),
        'links.y.buckets[0].notifications[0].to: the policy of the queue "incoming" '
        'is written by links.x too: declare "existing_queue" with "policy": "merge" here, or make '
        "it one link",
    ),
    "a misspelt queue": (
        links(one({"account": "account1", "queue": "incoming"})),
        f"{AT}[0].to",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    content, told = REFUSED[name]
    found = said(content, tmp_path)
    assert any(line.startswith(told) for line in found), found
