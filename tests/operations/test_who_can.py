"""Who can reach a bucket, from what is declared."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.rows import rows_of
from s3_links.operations.stack import OperationError, Stack
from s3_links.operations.who_can import Answer, who_can
from s3_links.world import AccessPoint, Bucket, World, document
from tests.command.test_cli import command, process
from tests.operations.test_prove import OLD_KEY, example
from tests.support.links import accounts
from tests.support.synthesized import declared_and_synthesized

if TYPE_CHECKING:
    from s3_links.declarations.links import Links

pytestmark = pytest.mark.cost("synthesized")

BOTH = "bucket policy in account2, identity policy in account1"


def stack(content: dict[str, Any], name: str = "link") -> Stack:
    return Stack(name, Path("unused"), content=content, digest="unused")


def asked(name: str, bucket: str, *actions: str) -> Answer:
    read, content = example(name)
    return who_can([stack(content)], read, bucket, actions)


def cells(answer: Answer) -> list[tuple[str, ...]]:
    return list(answer.cells())


def test_direct_access_is_told_with_both_its_halves() -> None:
    assert cells(asked("direct", "away-", "s3:GetObject", "s3:ListBucket")) == [
        (
            f"role {role} (account1)",
            f"s3:{action} on bucket away-…{key}",
            only_if,
            BOTH,
        )
        for role in ("reader", "writer")
        for action, key, only_if in (
            ("ListBucket", "", "s3:prefix is like r/ or r/* or s/t/ or s/t/*"),
            ("GetObject", "/r/*", "always"),
            ("GetObject", "/s/t/*", "always"),
        )
    ]


def test_within_an_account_one_half_is_enough() -> None:
    halves = {row[3] for row in cells(asked("direct", "home-"))}
    assert halves == {"identity policy in account1"}


@pytest.mark.parametrize(
    ("key", "roles"), [("/r/x", {"reader", "writer"}), ("/other", set()), ("/r", set())]
)
def test_a_key_is_asked_within_and_outside_of_the_prefixes(key: str, roles: set[str]) -> None:
    rows = asked("direct", f"away-{key}").rows
    assert {row.who.name for row in rows} == roles
    assert {row.on for row in rows} <= {"arn:aws:s3:::away-…/r/*"}


def test_a_role_that_is_assumed_is_told_with_who_assumes_it() -> None:
    answer = asked("assumed", "home-", "s3:GetObject")
    told = {row[0]: row for row in cells(answer)}
    assert set(told) == {
        "role worker (account2)",
        *(
            f"role {name} (account1) as role worker (account2)"
            for name in ("caller", "pods", "web")
        ),
    }
    _, _, only_if, halves = told["role caller (account1) as role worker (account2)"]
    assert "sts:ExternalId is link-7f3a" in only_if
    assert "aws:PrincipalOrgID is o-a1b2c3d4e5" in only_if
    assert halves.startswith("identity policy in account1, trust policy in account2")
    assert any("what else arn:aws:iam::111111111111:role/web" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("name", "bucket", "who", "note"),
    [
        ("kinds", "away-", "user backup (account1)", "user/x/backup may by its other policies"),
        ("kinds", "away-", "permission set Analyst (account1)", "permission set Analyst has to"),
        ("kinds", "away-", "anyone in o-a1b2c3d4e5/r-ab12/*", "o-a1b2c3d4e5-r-ab12 has to be"),
        (
            "many-assume",
            "away-",
            "anyone else in account account2 as role worker (account2)",
            "identity_policy_to_attach_account2_whole-account has to be attached",
        ),
    ],
)
def test_whoever_gets_access_is_told_with_what_others_do(
    name: str, bucket: str, who: str, note: str
) -> None:
    answer = asked(name, bucket, "s3:GetObject")
    (row,) = [row for row in cells(answer) if row[0] == who]
    assert "identity policy in" in row[3]
    assert any(note in one for one in answer.notes)


def test_no_service_is_in_an_organization() -> None:
    assert not [who for who, *_ in cells(asked("kinds", "away-")) if "service" in who]


def test_a_chain_is_told_with_who_assumes_each_of_its_roles() -> None:
    told = {row.who.name: row for row in asked("chained", "home-", "s3:GetObject").rows}
    chain = ["pods", "gateway", "broker", "worker"]
    assert sorted(told) == sorted(chain)
    for caller, role in pairwise(chain):
        through = told[caller].through
        assert through
        assert through.name == role
        assert set(told[role].halves) < set(told[caller].halves)
    (first,) = [row for row in cells(asked("chained", "home-", "s3:GetObject")) if "pods" in row[0]]
    assert "sts:ExternalId is link-7f3a" in first[2]


def test_who_comes_through_an_access_point_is_told_with_its_name_and_its_policy() -> None:
    answer = asked("through-its-own", "through-", "s3:GetObject", "s3:ListBucket")
    halves = "access point policy in account2, bucket policy in account2, identity policy in "
    assert cells(answer)[-2:] == [
        (
            "role through-ours (account1)",
            f"{action} on access point through (account2){keys}",
            "aws:SourceIp is in 203.0.113.0/24",
            f"{halves}account1",
        )
        for action, keys in (("s3:ListBucket", ""), ("s3:GetObject", "/*"))
    ]
    assert not any(" on bucket " in may for _, may, *_ in cells(answer))
    assert any("lets in through its access point through (account2)" in n for n in answer.notes)


@pytest.mark.parametrize(("key", "there"), [("/in/x", True), ("/in", False), ("/out/x", False)])
def test_a_key_is_asked_behind_an_access_point_too(key: str, *, there: bool) -> None:
    rows = asked("through", f"through-{key}", "s3:GetObject").rows
    assert {row.who.name for row in rows} == ({"through", "through-too"} if there else set())


def test_whom_a_policy_variable_lets_through_is_told_by_the_pattern() -> None:
    told = [row[1:3] for row in cells(asked("through-by-tag", "through-", "s3:GetObject"))]
    path = "s3:GetObject on access point through (account1)/home/${aws:PrincipalTag/team}/*"
    assert (path, "always") in told


def test_a_policy_that_lets_every_access_point_of_an_account_is_told_of_the_bucket_too() -> None:
    arn, bucket = "arn:aws:s3:eu-west-1:111111111111:accesspoint/one", "arn:aws:s3:::reports"
    delegated = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "s3:GetObject",
        "Resource": f"{bucket}/*",
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": "111111111111"}},
    }
    policy = document("bucket policy", "222222222222", bucket, {"Statement": [delegated]})
    resources = [
        Bucket(arn=bucket, account="222222222222", policy=policy),
        AccessPoint(arn=arn, account="111111111111", bucket=bucket),
    ]
    rows = rows_of(World(resources={one.arn: one for one in resources}), bucket)
    assert {row.on for row in rows} == {f"{bucket}/*", f"{arn}/object/*"}


def test_a_replication_is_told_as_its_role() -> None:
    rows = asked("replicated", "away-", "s3:ReplicateObject").rows
    assert [(row.who.name, row.on) for row in rows] == [("replicates", "arn:aws:s3:::away-…/*")]


def test_a_delivery_is_told_as_its_service_with_what_limits_it() -> None:
    rows = asked("delivered", "away-", "s3:PutObject").rows
    told = {(row.who.kind, row.who.name, row.on) for row in rows}
    assert told == {
        ("service", "cloudtrail.amazonaws.com", f"arn:aws:s3:::away-…/logs/AWSLogs/{account}/*")
        for account in ("111111111111", "444444444444")
    }
    assert all(any("aws:SourceArn is" in one for way in row.only_if for one in way) for row in rows)


@pytest.mark.parametrize(("bucket", "noted"), [("a-bucket", True), ("b-bucket", False)])
def test_the_key_of_a_bucket_is_told(bucket: str, noted: bool) -> None:
    text = f"whoever reads or writes objects needs both halves of {OLD_KEY} too"
    assert (text in asked("merged", bucket).notes) is noted


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:Delete*"])
def test_nobody_is_told_as_nobody(action: str) -> None:
    assert asked("direct", "away-", action).rows == ()


@pytest.mark.parametrize("action", ["s3:getobject", "s3:GetO*"])
def test_an_action_may_be_a_pattern_and_in_any_case(action: str) -> None:
    assert {row.actions for row in asked("direct", "away-", action).rows} == {("s3:GetObject",)}


@pytest.mark.parametrize(
    ("bucket", "action", "told"),
    [
        ("nope", "s3:GetObject", "no link declares the bucket 'nope': there are away-, home-"),
        ("away-", "s3:HeadObject", "'s3:HeadObject' is no S3 action"),
    ],
)
def test_what_is_not_known_is_an_error_of_one_line(bucket: str, action: str, told: str) -> None:
    with pytest.raises(OperationError) as error:
        asked("direct", bucket, action)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_links_that_declare_one_bucket_are_told_together() -> None:
    def declared(role: str) -> tuple[Links, dict[str, Any]]:
        return declared_and_synthesized(
            {
                "pattern": "direct-access",
                "consumers": [{"account": "account1", "new_role": role}],
                "buckets": [{"account": "account2", "existing": "shared", "policy": "merge"}],
            }
        )

    (one, first), (other, second) = declared("one"), declared("other")
    links = one.model_copy(
        update={"links": {"one": one.links["link"], "other": other.links["link"]}}
    )
    found = who_can([stack(first, "one"), stack(second, "other")], links, "shared", ())
    assert {row.who.name for row in found.rows} == {"one", "other"}


@pytest.mark.cost("planned")
def test_the_command_prints_a_table_of_80_columns_or_json(tmp_path: Path) -> None:
    link = {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": [{"account": "account2", "new_prefix": "away-"}],
        "assumed_role": {"account": "account2", "name": "worker"},
    }
    content = {"accounts": accounts(), "links": {"link": link}}
    (tmp_path / "links.json").write_text(json.dumps(content))
    shown = process(tmp_path, "who-can", "away-", COLUMNS="80")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "role caller" in shown.stdout
    told = json.loads(command(tmp_path, "who-can", "away-/x", "--json").stdout)
    assert told["asked"] == "away-/x"
    assert {row["through"] for row in told["who"]} == {
        None,
        "arn:aws:iam::222222222222:role/worker",
    }
    nobody = command(tmp_path, "who-can", "away-", "--action", "s3:DeleteObject")
    assert (nobody.returncode, nobody.stdout.splitlines()[0]) == (0, "Nobody: away-")
    unknown = command(tmp_path, "who-can", "nope")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "no link declares the bucket 'nope': there are away-\n"
