"""What is told of words that have another name, another place or another owner."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account.actions import LEVELS
from s3_cross_account.delivery_services import SERVICES
from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.links import schema
from s3_links.declarations.read_links import read_links
from s3_links.declarations.word_values import VALUES
from s3_links.declarations.words import KEYS
from tests.support.links import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONSUMER = {"account": "account1", "new_role": "reader"}
BUCKET = {"account": "account2", "new_prefix": "reports-"}
LINK = {"pattern": "direct-access", "consumers": [CONSUMER], "buckets": [BUCKET]}
DELIVERY = {"pattern": "service-delivery", "from": ["account1"], "bucket": BUCKET}
REPLICATION = {
    "pattern": "replication",
    "role_name": "copies",
    "source": {"account": "account1", "new_prefix": "from-"},
    "destination": {"account": "account2", "new_prefix": "to-"},
}
TOLD = {
    "events": ["s3:ObjectCreated:*"],
    "to": {"account": "account1", "new_queue": "incoming"},
}
TABLES = "arn:aws:s3tables:ap-northeast-1:222222222222"
IAM = "arn:aws:iam::111111111111"
OWNER = "no half in another account: whoever owns the bucket sets it"
KNOWN_VALUES = {"level": LEVELS, "service": SERVICES}


def fields(content: object) -> Iterator[str]:
    """Yield every field that the schema has."""
    for value in content.values() if isinstance(content, dict) else ():
        yield from fields(value)
    if isinstance(content, dict) and isinstance(content.get("properties"), dict):
        yield from content["properties"]


FIELDS = {*fields(json.loads(schema()))}


def told(link: dict[str, Any], folder: Path) -> str:
    file = folder / "links.json"
    file.write_text(json.dumps({"accounts": accounts(), "links": {"reports": link}}))
    with pytest.raises(ConfigurationError) as error:
        read_links(file)
    return str(error.value)


@pytest.mark.parametrize(
    ("more", "place", "meant"),
    [
        ({"buckets": [BUCKET | {"cors": []}]}, "buckets[0].cors", OWNER),
        ({"buckets": [BUCKET | {"object_lock": True}]}, "buckets[0].object_lock", OWNER),
        ({"buckets": [BUCKET | {"requester_pays": True}]}, "buckets[0].requester_pays", OWNER),
        ({"lifecycle": {"days": 30}}, "lifecycle", OWNER),
        (
            {"buckets": [BUCKET | {"versioning": True}]},
            "buckets[0].versioning",
            'write "hardening": {"versioning": true} in the link',
        ),
        ({"buckets": [BUCKET | {"kms_key_arn": "x"}]}, "buckets[0].kms_key_arn", 'write "key"'),
        ({"external_id": "x"}, "external_id", '"assumed_role": {"external_id": …}'),
        ({"level": "read-only"}, "level", '"access": {"level": …}'),
        (
            {"grants": [{"level": "read-only"}]},
            "grants[0].level",
            'write "access": {"level": …} here',
        ),
        (
            {"buckets": [BUCKET | {"prevent_destroy": True}]},
            "buckets[0].prevent_destroy",
            '"keep": true beside a new',
        ),
        ({"depends_on": ["lake"]}, "depends_on", "by what they share and look up: remove it"),
        ({"enabled": False}, "enabled", "what is written is in force"),
        ({"deny_others": True}, "deny_others", "is the bucket owner's: remove it"),
        (
            {"buckets": [BUCKET | {"object_lambda": "x"}]},
            "buckets[0].object_lambda",
            "whoever owns the bucket makes it",
        ),
        (
            {"buckets": [BUCKET | {"access_points": [{"account": "account1", "existing": "x"}]}]},
            "buckets[0].access_points[0].existing",
            "one that exists is its owner's to share",
        ),
        (
            REPLICATION | {"rules": [{"replica_modifications": True}]},
            "rules[0].replica_modifications",
            'write "both_ways": true in the replication',
        ),
        (
            REPLICATION | {"rules": [{"existing_objects": True}]},
            "rules[0].existing_objects",
            'write "batch_role": true in the replication',
        ),
        (
            {"buckets": [{"account": "account2", "existing": "arn:aws:s3:::mine"}]},
            "buckets[0].existing",
            "write what follows :::",
        ),
        (
            {"buckets": [{"account": "account2", "existing": "s3://mine/a"}]},
            "buckets[0].existing",
            "write what follows //",
        ),
        (
            {"buckets": [{"account": "account2", "existing": f"{TABLES}:bucket/mine"}]},
            "buckets[0].existing",
            "it is a table bucket, which AWS Lake Formation shares",
        ),
        (
            {"buckets": [BUCKET | {"key": ["new"]}]},
            "buckets[0].key",
            "it is one key: write that",
        ),
        (
            {"buckets": [BUCKET | {"notifications": [TOLD | {"prefix": "s3://a/in/"}]}]},
            "buckets[0].notifications[0].prefix",
            "write what follows the bucket's name",
        ),
        (
            {"buckets": [BUCKET | {"notifications": [TOLD | {"suffix": [".a", ".b"]}]}]},
            "buckets[0].notifications[0].suffix",
            "write a notification for each",
        ),
        (
            {"consumers": [{"account": "account1", "existing_role": "team-*"}]},
            "consumers[0].existing_role",
            'write "whole_account": true, and in the link "access"',
        ),
        ({"tags": {}}, "tags", '"accounts": {"account1": {"tags": …}}'),
        (
            {"consumers": [CONSUMER | {"group": "people"}]},
            "consumers[0].group",
            "a group is no principal that a policy can name",
        ),
        (
            {"consumers": [CONSUMER | {"public": True}]},
            "consumers[0].public",
            "nothing is given to everybody here",
        ),
        ({"access": {"until": "2030"}}, "access.until", '{"DateLessThan": {"aws:CurrentTime"'),
        ({"access": {"ip": "203.0.113.1"}}, "access.ip", 'write "source_ips"'),
        ({"access": {"level": "upload-only"}}, "access.level", 'write "write-only"'),
        ({"access": {"level": "list-only"}}, "access.level", '"actions": ["s3:ListBucket"]'),
        (
            {"consumers": [{"account": "account1", "existing_role": f"{IAM}:root"}]},
            "consumers[0].existing_role",
            'write "whole_account": true',
        ),
        (
            {"consumers": [{"account": "444444444444", "whole_account": True}]},
            "consumers[0].account",
            '"foreign": true',
        ),
        (
            {"consumers": [CONSUMER | {"trusted_service": "glue"}]},
            "consumers[0].trusted_service",
            'write "glue.amazonaws.com"',
        ),
        (DELIVERY | {"service": "my-logs"}, "service", 'delivers its logs, "log-delivery"'),
        (DELIVERY | {"service": ["config", "macie"]}, "service", "write a link for each"),
        (DELIVERY | {"service": "waf"}, "service", 'write "log-delivery"'),
        (
            DELIVERY | {"service": "lambda"},
            "service",
            'whose consumer has the "trusted_service"',
        ),
    ],
)
def test_a_word_is_answered_with_what_is_meant(
    more: dict[str, Any], place: str, meant: str, tmp_path: Path
) -> None:
    link = more if "pattern" in more else LINK | more
    (line,) = [
        line for line in told(link, tmp_path).splitlines() if f" links.reports.{place}: " in line
    ]
    assert meant in line


def test_a_misspelling_is_one_still(tmp_path: Path) -> None:
    assert 'did you mean "prefixes"?' in told(LINK | {"access": {"prefix": "a/"}}, tmp_path)


def test_what_is_to_be_written_is_there_to_be_written() -> None:
    for words in KEYS:
        keys = re.findall(r'(?:write|,|or) "([a-z_]+)"', words.told)
        assert {*keys, *filter(None, [words.beside])} <= FIELDS, words
    for field, known in KNOWN_VALUES.items():
        for words in VALUES[field]:
            answers = re.findall(r'write "([a-z0-9-]+)"', words.told)
            assert all(a in known or a in FIELDS for a in answers), words


def test_no_word_is_told_twice_or_is_right_as_it_is() -> None:
    for field, known in KNOWN_VALUES.items():
        values = [word for words in VALUES[field] for word in words.words.split()]
        assert len(values) == len({*values})
        assert not {*values} & {*known}
    keys = [(word, words.beside) for words in KEYS for word in words.words.split()]
    assert len(keys) == len({*keys})
