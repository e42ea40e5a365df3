"""A stack that is deployed but no longer declared is named, and goes without its declaration."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.state import IMPORTED_OUTPUT
from s3_links.operations.stack import Stack
from s3_links.operations.undeclared import contents, undeclared
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, REGION, Emulator
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Terraform

BUCKET = "states"


def resource(type_: str, label: str, alias: str = "account1", **attributes: str) -> dict[str, Any]:
    return {
        "mode": "managed",
        "type": type_,
        "name": label,
        "provider": f'provider["registry.terraform.io/hashicorp/aws"].{alias}',
        "instances": [{"attributes": attributes}],
    }


def state(*resources: dict[str, Any], imported: str = "") -> str:
    outputs = {IMPORTED_OUTPUT: {"value": imported}} if imported else {}
    return json.dumps({"outputs": outputs, "resources": resources})


ROLE = resource("aws_iam_role", "made", name="made")


def declared(folder: Path, backend: dict[str, Any]) -> Stack:
    providers = [{"alias": a, "region": REGION, "profile": a} for a in ACCOUNTS]
    content = {"terraform": {"backend": backend}, "provider": {"aws": providers}}
    return Stack(
        "kept", folder / "cdktf.out" / "stacks" / "kept" / "cdk.tf.json", content, digest=""
    )


def local(folder: Path) -> Stack:
    return declared(folder, {"local": {"path": "../../../terraform.kept.tfstate"}})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (state(ROLE), ["gone"]),
        (state(), []),  # destroyed
        (state(resource("aws_iam_role", "made", "elsewhere")), []),  # another project's
        (state(ROLE, ROLE | {"provider": "provider"}), []),  # no alias: not written here
    ],
)
def test_a_local_state_without_a_declaration_is_found(
    text: str, named: list[str], tmp_path: Path
) -> None:
    (tmp_path / "terraform.gone.tfstate").write_text(text)
    (tmp_path / "terraform.kept.tfstate").write_text(state(ROLE))
    assert list(undeclared([local(tmp_path)])) == named


def test_so_is_one_whose_account_no_other_link_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its provider is in no stack any more: the account is in the links file."""
    role = {"role_arn": "arn:aws:iam::333333333333:role/deploy"}
    alone = {"account_id": "333333333333", "region": REGION, "assume_role": role}
    declared_ = {
        "accounts": accounts() | {"alone": alone | {"tags": {"team": "a"}}},
        "links": {"kept": LINKS["kept"]},
    }
    (tmp_path / "links.json").write_text(json.dumps(declared_))
    (tmp_path / "terraform.gone.tfstate").write_text(
        state(ROLE, resource("aws_iam_role", "its", "alone"))
    )
    monkeypatch.chdir(tmp_path)
    (stack,) = undeclared([local(tmp_path)]).values()
    assert stack.name == "gone"
    (provider,) = [one for one in stack.providers if one["alias"] == "alone"]
    assert provider == {
        "alias": "alone",
        "region": REGION,
        "allowed_account_ids": ["333333333333"],
        "assume_role": [role],
        "default_tags": [{"tags": {"team": "a"}}],
    }


def test_one_place_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def beside(stack: Stack) -> list[str]:
        looked.append(stack.name)
        return []

    monkeypatch.setattr("s3_links.operations.undeclared._names_beside", beside)
    arguments = {"bucket": BUCKET, "region": REGION}
    backends = [{"s3": arguments | {"key": f"s3/{name}.tfstate"}} for name in ("kept", "other")]
    stacks = [declared(tmp_path, backend) for backend in backends]
    stacks[1] = replace(stacks[1], name="other")
    assert undeclared([*stacks, local(tmp_path)]) == {}
    assert len(looked) == 2  # the bucket and this folder


def test_so_is_one_in_s3(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    s3 = root(emulator.endpoint, "account1").s3
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("s3/kept", "s3/gone", "s3/deeper/other", "gone-of-another"):
        s3.put_object(Bucket=BUCKET, Key=f"{key}.tfstate", Body=state(ROLE).encode())
    arguments = {"bucket": BUCKET, "key": "s3/kept.tfstate", "region": REGION}
    found = undeclared([declared(tmp_path, {"s3": arguments | {"profile": "account1"}})])
    assert {name: stack.backend[1]["key"] for name, stack in found.items()} == {
        "gone": "s3/gone.tfstate"
    }


def test_what_was_taken_over_stays(tmp_path: Path) -> None:
    text = state(
        ROLE,
        resource("aws_iam_role", "theirs", name="web"),
        resource("aws_s3_bucket", "ours", bucket="web"),  # the name of the role, not imported
        imported="aws_iam_role/web",
    )
    (tmp_path / "terraform.gone.tfstate").write_text(text)
    (stack,) = undeclared([local(tmp_path)]).values()
    assert contents(stack) == (["aws_iam_role.made", "aws_s3_bucket.ours"], ["aws_iam_role.theirs"])


LINKS: dict[str, Any] = {
    "kept": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "kept"}],
        "buckets": [{"account": "account2", "new_prefix": "kept-"}],
    },
    "gone": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "imported_role": "theirs"}],
        "buckets": [{"account": "account2", "new_prefix": "gone-"}],
    },
}


@pytest.fixture(scope="module")
def removed(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Workplace:
    """A folder in which a link was deployed that is no longer declared."""
    iam = root(emulator.endpoint, "account1").client("iam")
    trusted = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust = json.dumps({"Statement": [trusted | {"Action": "sts:AssumeRole"}]})
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=trust)
    place = Workplace(tmp_path_factory.mktemp("removed"), terraform.environment)
    place.declare({"accounts": accounts(), "links": LINKS})
    for operation in ("plan", "apply"):
        result = place.operations_here(operation, "gone")
        assert result.returncode == 0, result.stdout + result.stderr
    place.declare({"accounts": accounts(), "links": {"kept": LINKS["kept"]}})
    return place


def test_check_and_plan_name_it_with_the_two_ways(removed: Workplace) -> None:
    told = (
        "gone: is deployed, but no longer declared: declare it again, or destroy it, which works "
        "without its declaration: `s3-links destroy gone`"
    )
    for operation in ("check", "plan"):
        result = removed.operations_here(operation)
        assert result.returncode == 0, result.stderr
        assert told in result.stdout


def test_it_is_destroyed_without_its_declaration(removed: Workplace, emulator: Emulator) -> None:
    iam = root(emulator.endpoint, "account1").client("iam")
    unasked = removed.make("destroy", "LINK=gone")
    assert "Nothing was destroyed." in unasked.stderr
    assert len(iam.list_attached_role_policies(RoleName="theirs")["AttachedPolicies"]) == 1
    result = removed.make("destroy", "LINK=gone", "ARGS=--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "These stay as they are:\n  aws_iam_role." in result.stdout
    assert iam.get_role(RoleName="theirs")["Role"]["RoleName"] == "theirs"
    assert iam.list_attached_role_policies(RoleName="theirs")["AttachedPolicies"] == []
    buckets = root(emulator.endpoint, "account2").s3.list_buckets()["Buckets"]
    assert [b["Name"] for b in buckets if b["Name"].startswith("gone-")] == []
    assert "gone" not in removed.operations_here("check").stdout
