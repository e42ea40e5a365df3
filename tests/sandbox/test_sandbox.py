"""The deployed reference stack: who reaches what, why, and the article's last step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_cross_account.aws_cli import WITHOUT_TAGS
from s3_links.sandbox.access import VERBS, Cell, Principal, allowed, differences
from s3_links.sandbox.article import LARGE, run_steps
from s3_links.sandbox.aws_cli import AwsCli, aws_clis
from s3_links.sandbox.emulator import ACCOUNTS
from s3_links.sandbox.instance import EmulatedInstance
from s3_links.sandbox.reference import Deployed
from s3_links.sandbox.workstation import Workstation
from tests.evaluator import Documents, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform


@pytest.fixture(scope="module")
def workstation(
    terraform: Terraform,  # noqa: ARG001 (skips without it)
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Workstation:
    return Workstation(emulator, tmp_path_factory.mktemp("workstation"))


@pytest.fixture(scope="module")
def deployed(workstation: Workstation, emulator: Emulator) -> Deployed:
    return Deployed(emulator.endpoint, workstation.deploy())


@pytest.fixture(scope="module")
def cells(deployed: Deployed) -> list[Cell]:
    return deployed.who_reaches_what()


def test_everybody_reaches_what_the_patterns_promise_and_no_more(cells: list[Cell]) -> None:
    assert differences(cells) == []
    assert len(cells) == 5 * 4 * len(VERBS) + 5 * 12 + 11
    assert {cell.found for cell in cells} == {True, False}


def test_an_independent_evaluator_decides_the_same(
    cells: list[Cell], deployed: Deployed, workstation: Workstation
) -> None:
    _, shown = workstation.terraform("show", "-json")
    documents = Documents(json.loads(shown))
    arns = deployed.roles | {f"root {n}": f"arn:aws:iam::{n * 12}:root" for n in "12"}

    def on_bucket(principal: str, action: str, bucket: str, key: str | None) -> dict[str, Any]:
        name, owner = deployed.buckets[bucket]
        owner_id = owner.credentials["aws_access_key_id"]
        assert owner_id
        return documents.on_bucket(arns[principal], action, name, owner_id, key)

    requests: list[list[dict[str, Any]]] = []
    for cell in cells:
        if cell.what == "assume":
            requests.append([documents.assume(arns[cell.principal], arns[cell.target])])
        elif cell.what == "copy":
            source, _, target = cell.target.partition(" to ")
            requests.append(
                [
                    on_bucket(cell.principal, "s3:GetObject", source, "k"),
                    on_bucket(cell.principal, "s3:PutObject", target, "k"),
                ]
            )
        else:
            verb = VERBS[cell.what]
            key = "k" if verb.on_object else None
            requests.append([on_bucket(cell.principal, verb.action, cell.target, key)])
    decisions = iter(decide([request for asked in requests for request in asked]))
    disagreeing = [
        cell
        for cell, asked in zip(cells, requests, strict=True)
        if all([next(decisions) for _ in asked]) is not cell.found  # noqa: C419 (takes every one)
    ]
    assert disagreeing == []


# --- Each half is needed -------------------------------------------------------------------------


def outcome(principal: Principal, bucket: str) -> str:
    """Return what a principal can do with a bucket, as a short word."""
    can = {
        verb: allowed(lambda: VERBS[verb].call(principal.s3, bucket, "half"))  # noqa: B023
        for verb in ("list", "get", "put")
    }
    return "+".join(verb for verb, let_in in can.items() if let_in) or "nothing"


class Halves:
    """Takes one half of a permission away in the deployed accounts, and puts it back."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self.iam = {alias: root.client("iam") for alias, root in deployed.roots.items()}

    def of(self, role: str) -> Any:
        account = self.deployed.roles[role].split(":")[4]
        return self.iam[next(alias for alias, id_ in ACCOUNTS.items() if id_ == account)]

    def policy_on(self, role: str, resource: str) -> tuple[str, dict[str, Any]]:
        """Return the policy of a role that speaks of ``resource``, and its document."""
        iam = self.of(role)
        name = self.deployed.roles[role].rpartition("/")[2]
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            if ":aws:policy/" in arn:
                continue
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
            if resource in json.dumps(document["Document"]):
                return arn, document["Document"]
        raise AssertionError((role, resource))

    def without_attachment(self, role: str, resource: str) -> Callable[[], Any]:
        arn, _ = self.policy_on(role, resource)
        name = self.deployed.roles[role].rpartition("/")[2]
        self.of(role).detach_role_policy(RoleName=name, PolicyArn=arn)
        return lambda: self.of(role).attach_role_policy(RoleName=name, PolicyArn=arn)

    def identity_without(self, role: str, *resources: str) -> Callable[[], Any]:
        arn, document = self.policy_on(role, resources[0])
        self._new_version(role, arn, without_resources(document, resources))
        return lambda: self._new_version(role, arn, document)

    def _new_version(self, role: str, arn: str, document: dict[str, Any]) -> None:
        iam = self.of(role)
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True
        )

    def bucket_policy_without(self, bucket: str, *resources: str) -> Callable[[], Any]:
        name, owner = self.deployed.buckets[bucket]
        text = owner.s3.get_bucket_policy(Bucket=name)["Policy"]
        kept = without_resources(json.loads(text), resources)
        owner.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(kept))
        return lambda: owner.s3.put_bucket_policy(Bucket=name, Policy=text)

    def without_bucket_policy(self, bucket: str) -> Callable[[], Any]:
        name, owner = self.deployed.buckets[bucket]
        text = owner.s3.get_bucket_policy(Bucket=name)["Policy"]
        owner.s3.delete_bucket_policy(Bucket=name)
        return lambda: owner.s3.put_bucket_policy(Bucket=name, Policy=text)

    def without_trust(self, role: str) -> Callable[[], Any]:
        iam, name = self.of(role), self.deployed.roles[role].rpartition("/")[2]
        document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        nobody = json.dumps(document).replace(self.deployed.roles["role 2"], f"{ROLE_ELSEWHERE}")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=nobody)
        return lambda: iam.update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(document)
        )


ROLE_ELSEWHERE = "arn:aws:iam::111111111111:role/account1-ec2-role-1"


def without_resources(document: dict[str, Any], resources: tuple[str, ...]) -> dict[str, Any]:
    """Take resources out of a document; a statement that has none left goes too."""
    kept = []
    for statement in document["Statement"]:
        listed = statement["Resource"]
        listed = [listed] if isinstance(listed, str) else listed
        left = [resource for resource in listed if resource not in resources]
        if left:
            kept.append(statement | {"Resource": left})
    return document | {"Statement": kept or [NOTHING_LEFT | principal_of(document)]}


# A document needs a statement: this one allows what no request asks for.
NOTHING_LEFT = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::elsewhere"}


def principal_of(document: dict[str, Any]) -> dict[str, Any]:
    first = document["Statement"][0]
    return {k: first[k] for k in ("Principal",) if k in first}


# Which access rests on which half: the role, the bucket, the half, and what is left without it.
IDENTITY = ("attachment", "identity policy", "identity policy: bucket", "identity policy: objects")
RESOURCE = ("bucket policy", "bucket policy: bucket", "bucket policy: objects")
LEFT = {"bucket": "get+put", "objects": "list"}
CASES = [
    (role, bucket, half, LEFT.get(half.rpartition(": ")[2], "nothing"))
    for role, bucket, halves in (
        ("role 1", "bucket 1", IDENTITY),
        ("role 1", "bucket 2", IDENTITY + RESOURCE),
        ("role 2", "bucket 3", IDENTITY),
        ("role 3", "bucket 3", IDENTITY + RESOURCE),
        ("role 3", "bucket 4", IDENTITY),
    )
    for half in halves
]


@pytest.mark.parametrize(("role", "bucket", "half", "left"), CASES)
def test_without_this_half_the_access_fails(
    role: str,
    bucket: str,
    half: str,
    left: str,
    deployed: Deployed,
    record_property: Callable[[str, object], None],
) -> None:
    name, owner = deployed.buckets[bucket]
    owner.s3.put_object(Bucket=name, Key="half", Body=b"x")
    arn = f"arn:aws:s3:::{name}"
    resources = {"bucket": (arn,), "objects": (f"{arn}/*",)}.get(
        half.rpartition(": ")[2], (arn, f"{arn}/*")
    )
    halves = Halves(deployed)
    principal = deployed.principals[role]
    assert outcome(principal, name) == "list+get+put"
    if half == "attachment":
        put_back = halves.without_attachment(role, arn)
    elif half.startswith("identity"):
        put_back = halves.identity_without(role, *resources)
    elif half == "bucket policy":
        put_back = halves.without_bucket_policy(bucket)
    else:
        put_back = halves.bucket_policy_without(bucket, *resources)
    try:
        found = outcome(principal, name)
    finally:
        put_back()
    record_property("half", [f"{role} on {bucket}", half, found])
    assert found == left
    assert outcome(principal, name) == "list+get+put"


@pytest.mark.parametrize("half", ["trust policy", "permission to assume", "attachment"])
def test_without_this_half_the_role_cannot_be_assumed(
    half: str, deployed: Deployed, record_property: Callable[[str, object], None]
) -> None:
    halves = Halves(deployed)
    caller, target = deployed.principals["role 2"], deployed.roles["role 3"]
    assert allowed(lambda: caller.assume(target))
    match half:
        case "trust policy":
            put_back = halves.without_trust("role 3")
        case "permission to assume":
            put_back = halves.identity_without("role 2", target)
        case _:
            put_back = halves.without_attachment("role 2", target)
    try:
        found = allowed(lambda: caller.assume(target))
    finally:
        put_back()
    record_property("half", ["role 2 assumes role 3", half, "assumed" if found else "nothing"])
    assert not found
    assert allowed(lambda: caller.assume(target))


def test_the_trust_policies_let_in_nobody_else(deployed: Deployed) -> None:
    for name in ("role 1", "role 3", "root 1", "root 2"):
        principal = deployed.principals[name]
        assert not allowed(lambda: principal.assume(deployed.roles["role 3"]))  # noqa: B023


# --- On the instances ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["1", "2"])
def aws_cli(request: pytest.FixtureRequest) -> AwsCli:
    version: str = request.param
    found = [cli for cli in aws_clis() if cli.version.startswith(f"{version}.")]
    if not found:
        pytest.skip(f"version {version} of the AWS CLI is not on this machine")
    return found[0]


def test_the_articles_last_step(
    deployed: Deployed, emulator: Emulator, aws_cli: AwsCli, tmp_path: Path
) -> None:
    steps = list(run_steps(emulator, deployed, tmp_path, aws_cli))
    assert [step for step in steps if step.found != step.expected] == []
    literal = [
        step for step in steps if "--recursive" not in step.command and " cp " in step.command
    ]
    assert [step.detail for step in literal] == ["exit code 0, 0 objects"] * 2
    others = [step for step in steps if step not in literal]
    assert [step.detail for step in others] == ["exit code 0, 52 objects"] * 6
    copies = {outputs for name, outputs in deployed.outputs.items() if "copy_command" in name}
    assert {aws_cli.takes(command) for command in copies} <= {step.command for step in others}


@pytest.fixture
def second_instance(
    deployed: Deployed, emulator: Emulator, aws_cli: AwsCli, tmp_path: Path
) -> Iterator[EmulatedInstance]:
    role = deployed.principals["role 2"]
    name = deployed.roles["role 2"].rpartition("/")[2]
    with EmulatedInstance(emulator, tmp_path / "home", name, role, aws_cli) as instance:
        instance.configure(deployed.outputs["aws_config_Use_AssumeRole"])
        yield instance


def test_the_profile_gives_the_other_accounts_role(second_instance: EmulatedInstance) -> None:
    own = second_instance.run("aws sts get-caller-identity --region ap-northeast-1 --query Arn")
    assert "111111111111:assumed-role/account1-ec2-role-2/" in own.stdout, own.stderr
    other = second_instance.run("aws sts get-caller-identity --profile account2 --query Arn")
    assert "222222222222:assumed-role/account2-ec2-role-3/" in other.stdout, other.stderr


@pytest.mark.parametrize(
    "command", ["aws s3 sync {a} {b} --delete", "aws s3 mv {a}/moved {b}/moved"]
)
def test_what_needs_to_delete_is_refused_and_loses_nothing(
    command: str, deployed: Deployed, second_instance: EmulatedInstance
) -> None:
    (source, owner), (target, target_owner) = (deployed.buckets[f"bucket {n}"] for n in "34")
    owner.s3.put_object(Bucket=source, Key="moved", Body=b"moved")
    target_owner.s3.put_object(Bucket=target, Key="only-here", Body=b"x")
    line = command.format(a=f"s3://{source}", b=f"s3://{target}")
    result = second_instance.run(f"{line} --profile account2")
    assert result.returncode == 1
    assert "AccessDenied" in result.stdout + result.stderr
    assert owner.s3.get_object(Bucket=source, Key="moved")["Body"].read() == b"moved"
    assert target_owner.s3.get_object(Bucket=target, Key="only-here")["Body"].read() == b"x"


def test_the_printed_command_copies_large_objects_with_their_metadata_and_without_tags(
    deployed: Deployed, second_instance: EmulatedInstance, aws_cli: AwsCli
) -> None:
    (source, owner), (target, target_owner) = (deployed.buckets[f"bucket {n}"] for n in "34")
    body = b"x" * LARGE[0]
    for key in ("small", "large"):
        described = {"ContentType": "text/csv", "Metadata": {"kept": "yes"}, "Tagging": "a=b"}
        content = body if key == "large" else b"x"
        owner.s3.put_object(Bucket=source, Key=f"props/{key}", Body=content, **described)
    printed = deployed.outputs["copy_command_Use_AssumeRole"]
    bare = second_instance.run(printed.replace(WITHOUT_TAGS, ""))
    copied = target_owner.s3.list_objects_v2(Bucket=target, Prefix="props/")["Contents"]
    if aws_cli.old:
        assert (bare.returncode, len(copied)) == (0, 2)
        assert "Unknown options: --copy-props" in second_instance.run(printed).stderr
        return
    assert bare.returncode == 1
    assert "props/large" in bare.stderr
    assert "AccessDenied" in bare.stderr
    assert "GetObjectTagging" in bare.stderr
    assert [found["Key"] for found in copied] == ["props/small"]
    result = second_instance.run(printed)
    assert result.returncode == 0, result.stderr
    for key in ("small", "large"):
        there = {"Bucket": target, "Key": f"props/{key}"}
        head = target_owner.s3.head_object(**there)
        assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"kept": "yes"})
        assert target_owner.s3.get_object_tagging(**there)["TagSet"] == []


# --- Once more, and by hand ----------------------------------------------------------------------


def test_deploying_again_changes_nothing(workstation: Workstation, deployed: Deployed) -> None:
    def ids() -> dict[str, str]:
        _, shown = workstation.terraform("show", "-json")
        resources = json.loads(shown)["values"]["root_module"]["resources"]
        return {r["address"]: r["values"]["id"] for r in resources if r["mode"] == "managed"}

    before = ids()
    assert len(before) == 35
    assert workstation.deploy() == deployed.outputs
    assert workstation.diff() == "No changes."
    assert ids() == before


def test_a_policy_deleted_by_hand_is_repaired(workstation: Workstation, deployed: Deployed) -> None:
    Halves(deployed).without_bucket_policy("bucket 2")
    assert not allowed(
        lambda: deployed.principals["role 1"].s3.list_objects_v2(
            Bucket=deployed.buckets["bucket 2"][0]
        )
    )
    code, output = workstation.terraform("plan", "-detailed-exitcode", "-no-color")
    assert code == 2, output
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in output
    assert "aws_s3_bucket_policy.bucket2 will be created" in output
    code, output = workstation.terraform("apply", "-auto-approve", "-no-color")
    assert code == 0, output
    assert outcome_of_list(deployed, "role 1", "bucket 2")


def outcome_of_list(deployed: Deployed, role: str, bucket: str) -> bool:
    name, _ = deployed.buckets[bucket]
    return allowed(lambda: deployed.principals[role].s3.list_objects_v2(Bucket=name))


def test_a_role_recreated_by_hand_is_replaced_by_the_plan(
    workstation: Workstation, deployed: Deployed
) -> None:
    iam = Halves(deployed).of("role 3")
    name = deployed.roles["role 3"].rpartition("/")[2]
    before = iam.get_role(RoleName=name)["Role"]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
    iam.delete_role(RoleName=name)
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(before["AssumeRolePolicyDocument"])
    )
    assert iam.get_role(RoleName=name)["Role"]["RoleId"] != before["RoleId"]
    code, output = workstation.terraform("apply", "-auto-approve", "-no-color")
    assert code == 0, output
    assert "2 added" in output  # the attachments
    deployed.principals["role 3"] = deployed.principals["role 2"].assume(deployed.roles["role 3"])
    assert outcome_of_list(deployed, "role 3", "bucket 4")


def test_a_bucket_deleted_by_hand_is_made_again_with_its_policy(
    workstation: Workstation, deployed: Deployed
) -> None:
    name, owner = deployed.buckets["bucket 2"]
    for item in owner.s3.list_objects_v2(Bucket=name).get("Contents", []):
        owner.s3.delete_object(Bucket=name, Key=item["Key"])
    owner.s3.delete_bucket(Bucket=name)
    code, output = workstation.terraform("apply", "-auto-approve", "-no-color")
    assert code == 0, output
    outputs = json.loads(workstation.terraform("output", "-json")[1])
    new = outputs["bucket2_name"]["value"]
    assert new != name
    assert allowed(lambda: deployed.principals["role 1"].s3.list_objects_v2(Bucket=new))


def test_destroying_twice_is_harmless(workstation: Workstation, deployed: Deployed) -> None:
    workstation.destroy()
    name, owner = deployed.buckets["bucket 1"]
    with pytest.raises(ClientError, match="NoSuchBucket"):
        owner.s3.list_objects_v2(Bucket=name)
    workstation.destroy()
