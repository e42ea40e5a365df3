"""Each mistake in the configuration is reported with its place and its remedy, all at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.errors import ConfigurationError
from stacks.configuration import read_configuration
from tests.conftest import PROJECT, json_file, run_main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

ARN = "arn:aws:iam::111111111111:role/deploy"
REGION = "ap-northeast-1"


def account(**entries: Any) -> dict[str, Any]:
    return {"region": REGION, **entries}


def context(account1: Any, account2: Any = None) -> str:
    second = account(profile="account2") if account2 is None else account2
    return json.dumps({"context": {"accounts": {"account1": account1, "account2": second}}})


ONE = "context.accounts.account1"
TWO = "context.accounts.account2"

# What is in the file, and for each problem its place and a part of what is said of it.
MISTAKES: dict[str, tuple[str, dict[str, str]]] = {
    "an empty file": ("", {"cdktf.json": "is empty: write it, or restore it"}),
    "unreadable JSON": ('{"context": {,}}', {"cdktf.json": "line 1, column 14"}),
    "no object": ("[]", {"cdktf.json": "write a JSON object"}),
    "a key twice": (
        '{"context": {}, "context": {}}',
        {"cdktf.json": '"context" stands twice', "context.accounts": "is missing"},
    ),
    "no context": ("{}", {"context": 'is missing: add "context": {"accounts": {…}}'}),
    "context misspelt": ('{"Contxt": {}}', {"context": 'is missing: found "Contxt": rename it'}),
    "no accounts": ('{"context": {}}', {"context.accounts": 'is missing: add "accounts"'}),
    "two keys twice": (
        '{"a": 1, "a": 2, "context": {"b": 1, "b": 2}}',
        {
            "cdktf.json": '"b" stands twice',
            'cdktf.json: the key "a"': "stands twice",
            "context.accounts": "is missing",
        },
    ),
    "a byte order mark": ("\ufeff{}", {"cdktf.json": "begins with a byte order mark"}),
    "a number without end": ('{"context": ' + "9" * 5000 + "}", {"cdktf.json": "is not JSON"}),
    "endless nesting": ("[" * 100000, {"cdktf.json": "is nested too deeply"}),
    "NaN": ('{"context": NaN}', {"cdktf.json": "NaN is not JSON"}),
    "a mistyped region": (
        context({"region": "ap-notheast-1", "profile": "a"}),
        {"context.accounts.account1.region": '"ap-notheast-1" is not an AWS region'},
    ),
    "an expression in a profile": (
        context({"region": "eu-west-1", "profile": "${var.account1}"}),
        {"context.accounts.account1.profile": "is not the name of an AWS profile"},
    ),
    "a context of the wrong type": ('{"context": 5}', {"context": "write an object"}),
    "accounts misspelt": (
        '{"context": {"acounts": {}}}',
        {"context.accounts": 'is missing: found "acounts": rename it'},
    ),
    "accounts of the wrong type": (
        '{"context": {"accounts": []}}',
        {"context.accounts": "[] is not the two accounts"},
    ),
    "an account is missing": (
        '{"context": {"accounts": {"account1": {"region": "eu-west-1", "profile": "a"}}}}',
        {TWO: 'is missing: add "account2"'},
    ),
    "an unknown account": (
        json.dumps(
            {
                "context": {
                    "accounts": {
                        "account1": account(profile="a"),
                        "account2": account(profile="b"),
                        "account3": account(profile="c"),
                    }
                }
            }
        ),
        {"context.accounts.account3": "unknown key: remove it"},
    ),
    "an account of the wrong type": (
        context("account1"),
        {ONE: '"account1" is not an account'},
    ),
    "no region": (context({"profile": "a"}), {f"{ONE}.region": 'add "region": "ap-northeast-1"'}),
    "a misspelt key": (
        context({"regoin": REGION, "profile": "a"}),
        {
            f"{ONE}.regoin": 'unknown key: did you mean "region"?',
            f"{ONE}.region": 'is missing: found "regoin": rename it',
        },
    ),
    "an unknown key": (
        context(account(profile="a", colour="blue")),
        {f"{ONE}.colour": "unknown key: remove it. Known keys: region, profile,"},
    ),
    "a malformed region": (
        context({"region": "Tokyo", "profile": "a"}),
        {f"{ONE}.region": '"Tokyo" is not an AWS region: write for example "ap-northeast-1"'},
    ),
    "a region of the wrong type": (
        context({"region": 1, "profile": "a"}),
        {f"{ONE}.region": "1 is not an AWS region"},
    ),
    "an empty profile": (
        context(account(profile="")),
        {f"{ONE}.profile": '"" is not the name of an AWS profile'},
    ),
    "a malformed account id": (
        context(account(profile="a", account_id="1234")),
        {f"{ONE}.account_id": '"1234" is not an AWS account id (12 digits, as text)'},
    ),
    "an account id as a number": (
        context(account(profile="a", account_id=111111111111)),
        {f"{ONE}.account_id": "111111111111 is not an AWS account id"},
    ),
    "no credentials": (context(account()), {ONE: "has no credentials: add a profile"}),
    "a role without its ARN": (
        context(account(assume_role={"external_id": "x1"})),
        {f"{ONE}.assume_role.role_arn": "is missing"},
    ),
    "a malformed ARN": (
        context(account(assume_role={"role_arn": "deploy"})),
        {f"{ONE}.assume_role.role_arn": '"deploy" is not the ARN of an IAM role'},
    ),
    "an ARN of a user": (
        context(account(assume_role={"role_arn": "arn:aws:iam::111111111111:user/me"})),
        {f"{ONE}.assume_role.role_arn": "is not the ARN of an IAM role"},
    ),
    "a role of the wrong type": (
        context(account(assume_role=ARN)),
        {f"{ONE}.assume_role": "is not a role to assume"},
    ),
    "tags to ignore as a list": (
        context(account(profile="a", ignore_tags=["CostCenter"])),
        {f"{ONE}.ignore_tags": 'is not tags that others set: write for example {"keys":'},
    ),
    "a malformed session name": (
        context(account(assume_role={"role_arn": ARN, "session_name": "with space"})),
        {f"{ONE}.assume_role.session_name": "is not a session name"},
    ),
    "a malformed external id": (
        context(account(assume_role={"role_arn": ARN, "external_id": "x"})),
        {f"{ONE}.assume_role.external_id": "is not an external id"},
    ),
    "the same profile twice": (
        context(account(profile="a"), account(profile="a")),
        {TWO: 'is the same account as "account1" (same credentials)'},
    ),
    "the same role twice": (
        context(account(assume_role={"role_arn": ARN}), account(assume_role={"role_arn": ARN})),
        {TWO: 'is the same account as "account1" (same account)'},
    ),
    "the same account id twice": (
        context(
            account(profile="a", account_id="111111111111"),
            account(profile="b", account_id="111111111111"),
        ),
        {TWO: 'is the same account as "account1" (same account)'},
    ),
    "a role of another account than the pinned one": (
        context(account(account_id="222222222222", assume_role={"role_arn": ARN})),
        {f"{ONE}.account_id": "role_arn belongs to account 111111111111"},
    ),
    "a region that is not supported": (
        context({"region": "cn-northwest-1", "profile": "a"}),
        {f"{ONE}.region": '"cn-northwest-1" is not supported here: the partition aws-cn'},
    ),
    "accounts of two partitions": (
        context({"region": "us-gov-west-1", "profile": "a"}),
        {"context.accounts": "are in two partitions of AWS: IAM reaches across accounts, never"},
    ),
    "several at once": (
        context({"region": "x", "profil": "a"}, account(profile="b", account_id="1")),
        {
            f"{ONE}.region": "is not an AWS region",
            f"{ONE}.profil": 'did you mean "profile"?',
            ONE: "has no credentials",
            f"{TWO}.account_id": "is not an AWS account id",
        },
    ),
    "every kind at once": (
        json.dumps(
            {
                "context": {
                    "accounts": {"account1": account(profile="a"), "account2": account()},
                    "instnces": False,
                    "pipeline": {"platform": "svn", "repository": "a/b"},
                }
            }
        ),
        {
            "context.instnces": 'did you mean "instances"? Rename it',
            "context.pipeline.platform": '"svn" is not "github" or "gitlab"',
            "context.pipeline": 'needs a "state" in S3 or HCP Terraform',
            ONE: 'needs an "account_id" and a "profile" for "pipeline"',
            f"{TWO}: has": "no credentials",
            f"{TWO}: needs": 'an "account_id"',
        },
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_reported_with_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    content, expected = MISTAKES[mistake]
    file = tmp_path / "cdktf.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError) as raised:
        read_configuration(file)
    problems = str(raised.value).splitlines()[1:]
    assert len(problems) == len(expected), problems
    for place, said in expected.items():
        prefix = f"  {file}: " if place.startswith("cdktf.json") else f"  {file}: {place}"
        assert any(p.startswith(prefix) and said in p for p in problems), (place, problems)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not exist: run this in the project"):
        read_configuration(tmp_path / "cdktf.json")


@pytest.mark.cost("planned")
def test_the_command_fails_without_a_traceback_and_leaves_the_output(tmp_path: Path) -> None:
    assert run_main(tmp_path).returncode == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    before.pop(tmp_path / "cdktf.json")
    result = run_main(tmp_path, configuration=MISTAKES["several at once"][0])
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    after.pop(tmp_path / "cdktf.json")
    assert result.returncode == 1
    assert result.stderr.startswith("The configuration cannot be used:\n  cdktf.json: context.")
    assert len(result.stderr.splitlines()) == 5
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert after == before


@pytest.mark.cost("planned")
def test_nothing_is_written_where_nothing_was(tmp_path: Path) -> None:
    assert run_main(tmp_path, configuration="").returncode == 1
    assert [p.name for p in tmp_path.iterdir()] == ["cdktf.json"]


def test_the_committed_configuration_has_the_defaults() -> None:
    accounts = read_configuration(PROJECT / "cdktf.json").accounts
    assert accounts.account1.model_dump(exclude_defaults=True) == account(profile="account1")
    assert accounts.account2.model_dump(exclude_defaults=True) == account(profile="account2")


@pytest.mark.parametrize("region", ["us-gov-west-1", "eu-central-2", "il-central-1"])
def test_a_region_of_any_supported_partition_is_taken(region: str, tmp_path: Path) -> None:
    file = tmp_path / "cdktf.json"
    entries = [account(profile=profile) | {"region": region} for profile in "ab"]
    file.write_text(context(*entries))
    assert read_configuration(file).accounts.account1.region == region


@pytest.mark.cost("planned")
def test_an_output_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "cdktf.out").write_text("a file")
    result = run_main(tmp_path)
    assert result.returncode == 1
    assert "cdktf.out: cannot be written to" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.cost("planned")
def test_without_nodejs_one_line_says_so(tmp_path: Path) -> None:
    result = run_main(tmp_path, environment={"PATH": str(tmp_path)})
    told = "Node.js is not installed: install version 20 or later\n"
    assert (result.returncode, result.stderr) == (1, told)


@pytest.mark.cost("planned")
def test_every_setting_reaches_the_providers(tmp_path: Path) -> None:
    role = {"role_arn": ARN, "external_id": "link-1", "session_name": "terraform"}
    first = account(assume_role=role, account_id="111111111111")
    ignored = {"keys": ["CostCenter"], "key_prefixes": ["acme:"]}
    pinned = {"region": "us-east-1", "profile": "b", "account_id": "222222222222"}
    second = pinned | {"ignore_tags": ignored}
    result = run_main(tmp_path, configuration=context(first, second))
    assert result.returncode == 0, result.stderr
    providers = json.loads(json_file(tmp_path).read_text())["provider"]["aws"]
    assert providers == [
        {
            "alias": "account1",
            "region": REGION,
            "assume_role": [role],
            "allowed_account_ids": ["111111111111"],
        },
        {
            "alias": "account2",
            "region": "us-east-1",
            "profile": "b",
            "allowed_account_ids": ["222222222222"],
            "ignore_tags": [ignored],
        },
    ]


@pytest.mark.cost("planned")
def test_without_instances_the_rest_stays_at_its_addresses(
    synthesized: dict[str, Any], tmp_path: Path
) -> None:
    configuration = json.loads((PROJECT / "cdktf.json").read_text())
    configuration["context"]["instances"] = False
    assert run_main(tmp_path, configuration=json.dumps(configuration)).returncode == 0
    stack = json.loads(json_file(tmp_path).read_text())
    gone = set(synthesized["resource"]) - set(stack["resource"])
    assert gone == {
        "aws_iam_instance_profile",
        "aws_instance",
        "aws_internet_gateway",
        "aws_route_table",
        "aws_route_table_association",
        "aws_security_group",
        "aws_subnet",
        "aws_vpc",
    }
    for type_, blocks in stack["resource"].items():
        kept = synthesized["resource"][type_]
        assert all(kept[name] == block for name, block in blocks.items())
    left_out = set(synthesized["output"]) - set(stack["output"])
    assert left_out == {"ssm_command_Dont_Use_AssumeRole", "ssm_command_Use_AssumeRole"}


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("key", "meant"), [("stat", "state"), ("Pipeline", "pipeline"), ("instance", "instances")]
)
def test_a_key_that_is_nearly_ours_is_not_left_out_silently(
    key: str, meant: str, tmp_path: Path
) -> None:
    configuration = json.loads((PROJECT / "cdktf.json").read_text())
    configuration["context"] |= {key: {}, "excludeStackIdFromLogicalIds": "true"}
    result = run_main(tmp_path, configuration=json.dumps(configuration))
    assert result.returncode == 1
    assert f'context.{key}: did you mean "{meant}"? Rename it' in result.stderr
    assert "excludeStackId" not in result.stderr
