"""Parity with the reference deployment, block by block, against a table of its facts."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from tests.conftest import FIXTURES

pytestmark = pytest.mark.cost("synthesized")

REFERENCE = json.loads((FIXTURES / "reference_blocks.json").read_text())
BLOCKS: dict[str, dict[str, Any]] = REFERENCE["blocks"]
USER_DATA_SHA1: str = REFERENCE["user_data_sha1"]
REFERENCE_PATTERN = re.compile(r"\$\{([^}]+)\}")


def blocks(synthesized: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{prefix}{type_}.{name}": block
        for section, prefix in (("resource", ""), ("data", "data."))
        for type_, named in synthesized[section].items()
        for name, block in named.items()
    }


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None and k != "//"}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def references(value: Any) -> list[str]:
    return sorted(REFERENCE_PATTERN.findall(json.dumps(value)))


def resolved(value: Any, synthesized: dict[str, Any]) -> Any:
    """Replace what is known before a deployment; leave out elements that are not."""
    if isinstance(value, dict):
        values = {k: resolved(v, synthesized) for k, v in value.items()}
        return {k: v for k, v in values.items() if v is not None}
    if isinstance(value, list):
        return [r for item in value if (r := resolved(item, synthesized)) is not None]
    if not isinstance(value, str):
        return value
    for reference in REFERENCE_PATTERN.findall(value):
        target = None
        match reference.split("."):
            case ["var", name]:
                target = synthesized["variable"][name]["default"]
            case [type_, name, "name"]:
                target = resolved(synthesized["resource"][type_][name]["name"], synthesized)
            case ["data", type_, name, "arn"]:
                target = synthesized["data"][type_][name]["arn"]
        if target is None:
            return None
        value = value.replace(f"${{{reference}}}", target)
    return value


def matches(expected: Any, ours: Any, synthesized: dict[str, Any]) -> bool:
    """Whether one argument of ours is what the table says of the reference's."""
    if isinstance(expected, dict) and "refers_to" in expected:
        if references(ours) != sorted(expected["refers_to"]):
            return False
        known = resolved(ours, synthesized)
        # An image or a rendered document is not known before a deployment.
        return "with_defaults" not in expected or known in (None, expected["with_defaults"])
    if isinstance(expected, dict):
        return set(expected) == set(ours) and all(
            matches(value, ours[name], synthesized) for name, value in expected.items()
        )
    if isinstance(expected, list):
        items = ours if isinstance(ours, list) else [ours]  # a block that may stand only once
        return len(expected) == len(items) and all(
            matches(one, other, synthesized) for one, other in zip(expected, items, strict=True)
        )
    if expected == USER_DATA_SHA1 and isinstance(ours, str):
        return hashlib.sha1(ours.encode()).hexdigest() == USER_DATA_SHA1
    return bool(expected == ours)


def test_same_addresses(synthesized: dict[str, Any]) -> None:
    assert sorted(blocks(synthesized)) == sorted(BLOCKS)
    assert len(BLOCKS) == 46


@pytest.mark.parametrize("address", BLOCKS)
def test_same_block(address: str, synthesized: dict[str, Any]) -> None:
    ours = without_nulls(blocks(synthesized)[address])
    assert ours.pop("provider") == BLOCKS[address]["provider"]
    expected = BLOCKS[address]["arguments"]
    assert set(ours) == set(expected)
    for name, argument in expected.items():
        assert matches(argument, ours[name], synthesized), (name, ours[name], argument)


@pytest.mark.parametrize(
    ("expected", "ours"),
    [
        ("a", "b"),
        (["a"], ["a", "b"]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"refers_to": ["aws_vpc.vpc.id"]}, "${aws_vpc.other.id}"),
        ({"refers_to": ["var.account1"], "with_defaults": "account1-sg"}, "x-${var.account1}"),
        (USER_DATA_SHA1, "#cloud-config\n"),
    ],
)
def test_the_comparison_sees_a_difference(
    expected: Any, ours: Any, synthesized: dict[str, Any]
) -> None:
    assert not matches(expected, ours, synthesized)


def test_same_variables_and_outputs(synthesized: dict[str, Any]) -> None:
    assert synthesized["variable"] == REFERENCE["variables"]
    for name, command in REFERENCE["outputs"].items():
        instance = re.search(r"<id of (.*?)>", command)
        assert instance
        expected = command.replace(instance[0], f"${{{instance[1]}.id}}")
        assert synthesized["output"][name]["value"] == expected


def test_versions_admit_what_the_reference_admits(synthesized: dict[str, Any]) -> None:
    assert synthesized["terraform"]["required_version"] == ">= 1.3.0"
    aws = synthesized["terraform"]["required_providers"]["aws"]
    # From the version of the bindings; they write the same JSON for the next major version.
    assert aws == {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}


def test_further_outputs(synthesized: dict[str, Any]) -> None:
    values = {name: output["value"] for name, output in synthesized["output"].items()}
    for number in "1234":
        assert values[f"bucket{number}_name"] == f"${{aws_s3_bucket.bucket{number}.bucket}}"
    for number in "123":
        assert values[f"ec2_role_{number}_arn"] == f"${{aws_iam_role.ec2_role_{number}.arn}}"
    assert values["aws_config_Use_AssumeRole"] == (
        "[profile account2]\n"
        "role_arn = ${aws_iam_role.ec2_role_3.arn}\n"
        "credential_source = Ec2InstanceMetadata\n"
        "region = ap-northeast-1\n"
    )
    assert values["copy_command_Dont_Use_AssumeRole"] == (
        "aws s3 cp s3://${aws_s3_bucket.bucket1.bucket} s3://${aws_s3_bucket.bucket2.bucket}"
        " --recursive --copy-props metadata-directive"
    )
    assert values["copy_command_Use_AssumeRole"] == (
        "aws s3 cp s3://${aws_s3_bucket.bucket3.bucket} s3://${aws_s3_bucket.bucket4.bucket}"
        " --recursive --copy-props metadata-directive --profile account2"
    )
