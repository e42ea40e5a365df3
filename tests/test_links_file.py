"""The links file: every mistake at once, with place and remedy, and the schema for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stacks.checking import ConfigurationError
from stacks.links_file import read_links, schema

from .conftest import PROJECT
from .links import accounts, stack_json, synthesize

if TYPE_CHECKING:
    from pathlib import Path

CONSUMER = {"account": "account1", "new_role": "reader"}
BUCKET = {"account": "account2", "new_prefix": "reports-"}
LINK = {"pattern": "direct-access", "consumers": [CONSUMER], "buckets": [BUCKET]}


def declared(**link: Any) -> dict[str, Any]:
    return {"accounts": accounts(), "links": {"reports": LINK | link}}


SOURCE = {"account": "account1", "new_prefix": "reports-"}
REPLICATION = {
    "pattern": "replication",
    "source": SOURCE,
    "destination": BUCKET,
    "role_name": "replication",
}


def replicated(**link: Any) -> dict[str, Any]:
    return {"accounts": accounts(), "links": {"reports": REPLICATION | link}}


HERE = "links.reports"
MISTAKES: dict[str, tuple[Any, dict[str, str]]] = {
    "an empty file": ("", {"": "is empty"}),
    "unreadable JSON": ("{", {"": "is not JSON"}),
    "nothing declared": (
        {},
        {"accounts": "is missing", "links": "is missing"},
    ),
    "one account": (
        {"accounts": {"account1": accounts()["account1"]}, "links": {"reports": LINK}},
        {"accounts": "is not the accounts by their aliases", HERE: 'the account "account2" is not'},
    ),
    "a misspelt pattern": (
        declared(pattern="direct"),
        {f"{HERE}.pattern": '"direct" is not "direct-access", "assume-role" or "replication"'},
    ),
    "a misspelt key": (
        declared(consumer=[CONSUMER]),
        {f"{HERE}.consumer": "unknown key: remove it"},
    ),
    "no buckets": (declared(buckets=[]), {f"{HERE}.buckets": "[] is not a list of buckets"}),
    "a misspelt action": (
        declared(access={"actions": ["s3:GetObjekt"]}),
        {f"{HERE}.access": "write 's3:GetObject'"},
    ),
    "a wildcard": (
        declared(access={"actions": ["s3:*"]}),
        {f"{HERE}.access": "is a wildcard: name each action"},
    ),
    "a level that does not exist": (
        declared(access={"level": "admin"}),
        {f"{HERE}.access.level": '"admin" is not one of list-get-put, read-only'},
    ),
    "level and actions": (
        declared(access={"level": "read-only", "actions": ["s3:GetObject"]}),
        {f"{HERE}.access": 'give "level" or "actions", not both'},
    ),
    "a prefix without a slash": (
        declared(access={"prefixes": ["a"]}),
        {f"{HERE}.access": "must end with '/'"},
    ),
    "no role": (
        declared(consumers=[{"account": "account1"}]),
        {f"{HERE}.consumers[0]": 'give one of "new_role", "existing_role"'},
    ),
    "two kinds of bucket": (
        declared(buckets=[BUCKET | {"existing": "mine", "policy": "merge"}]),
        {f"{HERE}.buckets[0]": 'give one of "new_prefix" and "existing"'},
    ),
    "an existing bucket without a word on its policy": (
        declared(buckets=[{"account": "account2", "existing": "mine"}]),
        {f"{HERE}.buckets[0]": "say who owns its bucket policy"},
    ),
    "the AWS managed key": (
        declared(buckets=[BUCKET | {"key": "alias/aws/s3"}]),
        {f"{HERE}.buckets[0].key": "the AWS managed key aws/s3 and aliases cannot be shared"},
    ),
    "a bucket twice": (
        declared(buckets=[BUCKET, BUCKET]),
        {HERE: 'the bucket "reports" stands twice'},
    ),
    "an account that is not there": (
        declared(buckets=[BUCKET | {"account": "acount2"}]),
        {HERE: 'the account "acount2" is not among "accounts": account1, account2'},
    ),
    "assume-role without a role to assume": (
        declared(pattern="assume-role"),
        {HERE: '"assumed_role" goes with the pattern "assume-role"'},
    ),
    "an organization id": (
        declared(access={"organization_id": "acme"}),
        {f"{HERE}.access.organization_id": '"acme" is not an organization\'s id'},
    ),
    "a hardening switch misspelt": (
        declared(hardening={"versionning": True}),
        {f"{HERE}.hardening.versionning": 'unknown key: did you mean "versioning"?'},
    ),
    "hardening of the wrong type": (
        declared(hardening="yes"),
        {f"{HERE}.hardening": '"yes" is not true (everything), false or single switches'},
    ),
    "a replication of one bucket to itself": (
        replicated(destination=SOURCE),
        {HERE: "source and destination are the same bucket"},
    ),
    "an unversioned bucket": (
        replicated(source={"account": "account1", "existing": "mine", "policy": "create"}),
        {f"{HERE}.source": "S3 replicates versioned buckets only"},
    ),
    "the AWS managed key in a replication": (
        replicated(destination=BUCKET | {"key": "aws/s3"}),
        {f"{HERE}.destination.key": "cannot be shared with another account"},
    ),
    "an encrypted source without a key at the destination": (
        replicated(source=SOURCE | {"key": "new"}),
        {HERE: "the source has a KMS key and the destination has none"},
    ),
    "delete markers with tags": (
        replicated(rules=[{"delete_markers": True, "tags": {"a": "b"}}]),
        {HERE: "delete markers together with a tag filter"},
    ),
    "two rules of one priority": (
        replicated(rules=[{"prefix": "a/"}, {"prefix": "b/"}]),
        {HERE: "2 rules have the priority 1"},
    ),
    "a storage class": (
        replicated(rules=[{"storage_class": "COLD"}]),
        {f"{HERE}.rules[0].storage_class": '"COLD" is not one of STANDARD, '},
    ),
    "a misspelt key in a replication": (
        replicated(both_way=True),
        {f"{HERE}.both_way": 'unknown key: did you mean "both_ways"?'},
    ),
    "a link without a pattern": (
        {"accounts": accounts(), "links": {"reports": {"buckets": []}}},
        {f"{HERE}.pattern": 'is missing: add "pattern": "direct-access"'},
    ),
    "several at once": (
        {
            "accounts": accounts(account1={"region": "Tokyo"}),
            "links": {
                "reports": LINK | {"pattern": "x"},
                "second": LINK | {"buckets": [{"account": "account2", "new_prefix": "A"}]},
            },
        },
        {
            "accounts.account1.region": '"Tokyo" is not an AWS region',
            f"{HERE}.pattern": "is not",
            "links.second.buckets[0].new_prefix": '"A" is not a bucket\'s prefix',
        },
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_reported_with_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    content, expected = MISTAKES[mistake]
    file = tmp_path / "links.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ConfigurationError) as raised:
        read_links(file)
    problems = str(raised.value).splitlines()[1:]
    assert len(problems) == len(expected), problems
    for place, said in expected.items():
        prefix = f"  {file}: {place}: " if place else f"  {file}: "
        assert any(p.startswith(prefix) and said in p for p in problems), (place, problems)


TOO_MUCH = {
    "a bucket policy": (
        declared(
            consumers=[CONSUMER | {"new_role": f"reader-{n:02}"} for n in range(50)],
        ),
        "reports/bucket-reports/policy-document: the bucket policy may get",
        "AWS takes 20480",
    ),
    "a trust policy": (
        declared(
            pattern="assume-role",
            consumers=[CONSUMER | {"new_role": f"reader-{n:02}"} for n in range(12)],
            assumed_role={"account": "account2", "name": "worker"},
        ),
        "reports/access/trust: the trust policy may get",
        "AWS takes 2048",
    ),
    "too many managed policies": (
        declared(buckets=[BUCKET | {"new_prefix": f"bucket-{n:03}-"} for n in range(170)]),
        "reports/role-reader: the role needs",
        "AWS attaches 10",
    ),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_aws_would_not_take_is_refused_with_the_numbers(what: str, tmp_path: Path) -> None:
    content, place, limit = TOO_MUCH[what]
    result = synthesize(tmp_path, content)
    assert result.returncode == 1
    assert f"  {place}" in result.stderr
    assert limit in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("cdktf.out/stacks/*"))


def test_a_long_identity_policy_is_split(tmp_path: Path) -> None:
    buckets = [BUCKET | {"new_prefix": f"bucket-{n:02}-"} for n in range(40)]
    result = synthesize(tmp_path, declared(buckets=buckets))
    assert result.returncode == 0, result.stderr
    policies = stack_json(tmp_path, "reports")["resource"]["aws_iam_policy"].values()
    names = sorted(policy["name"] for policy in policies)
    assert names == ["reader-account2", "reader-account2-2", "reader-account2-3"]


def test_each_link_has_its_own_stack_and_state(tmp_path: Path) -> None:
    content = declared()
    content["links"]["second"] = LINK
    result = synthesize(tmp_path, content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    paths = {
        name: stack_json(tmp_path, name)["terraform"]["backend"]["local"]["path"]
        for name in ("reports", "second")
    }
    assert paths == {
        "reports": "../../../terraform.reports.tfstate",
        "second": "../../../terraform.second.tfstate",
    }


def test_a_hardened_instance_asks_for_a_token(tmp_path: Path) -> None:
    content = declared(consumers=[CONSUMER | {"instance": True}], hardening={"imdsv2": True})
    assert synthesize(tmp_path, content).returncode == 0
    (instance,) = stack_json(tmp_path, "reports")["resource"]["aws_instance"].values()
    assert instance["metadata_options"] == {"http_tokens": "required"}


def test_the_schema_is_the_models() -> None:
    assert (PROJECT / "links.schema.json").read_text() == schema(), "run `make schema`"


def test_a_links_file_may_name_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(json.dumps({"$schema": "./links.schema.json"} | declared()))
    assert list(read_links(file).links) == ["reports"]
