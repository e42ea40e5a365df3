"""The constructs by themselves: every half is written, once, through its own account's provider."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from cdktf import App, TerraformStack

from s3_cross_account.access import Access
from s3_cross_account.account import Account
from s3_cross_account.assume_role import AssumeRole
from s3_cross_account.bucket import Bucket, ExistingBucket
from s3_cross_account.delivery import Delivery, Source
from s3_cross_account.direct_access import DirectAccess
from s3_cross_account.document import PolicyDocument
from s3_cross_account.hardening import Hardening
from s3_cross_account.key import ExistingKey, Key
from s3_cross_account.policy import Principal, Statement, service, trust
from s3_cross_account.replication import Replication
from s3_cross_account.role import ExistingRole, Role
from s3_cross_account.service_delivery import ServiceDelivery
from s3_cross_account.settings import AccountSettings
from s3_links.stacks.validation import problems
from tests.support.invariants import RULES, statements

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")


class Workbench:
    """A stack with two accounts, and what a test puts into it."""

    def __init__(self, folder: Path) -> None:
        self.app = App(outdir=str(folder))
        self.stack = TerraformStack(self.app, "bench")
        self.folder = folder
        self.home, self.away = (
            Account(
                self.stack,
                alias,
                alias=alias,
                settings=AccountSettings(region="eu-west-1", profile=alias),
            )
            for alias in ("home", "away")
        )

    def role(self, id_: str, account: Account | None = None) -> Role:
        account = account or self.home
        document = PolicyDocument(
            self.stack,
            f"{id_}-trust",
            account=account,
            statements=[trust(service("ec2.amazonaws.com"))],
        )
        return Role(self.stack, id_, account=account, name=id_, trust=document)

    def bucket(self, id_: str, account: Account) -> Bucket:
        return Bucket(self.stack, id_, account=account, prefix=f"{id_}-")

    def synthesized(self) -> dict[str, Any]:
        self.app.synth()
        content: dict[str, Any] = json.loads(
            (self.folder / "stacks" / "bench" / "cdk.tf.json").read_text()
        )
        content["terraform"]["backend"] = {}  # the default one, of no interest here
        for rule in RULES:
            assert rule(content) == [], rule.__name__
        return content


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def policy_names(stack: dict[str, Any]) -> list[str]:
    return sorted(policy["name"] for policy in stack["resource"]["aws_iam_policy"].values())


def bucket_policies(stack: dict[str, Any]) -> dict[str, str]:
    policies = stack["resource"].get("aws_s3_bucket_policy", {})
    return {p["bucket"]: p["provider"] for p in policies.values()}


def test_direct_access_writes_the_resource_half_in_the_other_account_only(
    bench: Workbench,
) -> None:
    role = bench.role("reader")
    buckets = [bench.bucket("near", bench.home), bench.bucket("far", bench.away)]
    DirectAccess(bench.stack, "access", roles=[role], buckets=buckets)
    stack = bench.synthesized()
    assert policy_names(stack) == ["reader-away", "reader-home"]
    assert {p["provider"] for p in stack["resource"]["aws_iam_policy"].values()} == {"aws.home"}
    (policy,) = bucket_policies(stack).items()
    assert "far" in policy[0]
    assert policy[1] == "aws.away"


def test_assume_role_writes_trust_permission_and_both_accounts_halves(bench: Workbench) -> None:
    role = bench.role("caller")
    buckets = [bench.bucket("near", bench.home), bench.bucket("far", bench.away)]
    AssumeRole(
        bench.stack,
        "access",
        roles=[role],
        buckets=buckets,
        account=bench.away,
        assumed_role_name="worker",
    )
    stack = bench.synthesized()
    assert policy_names(stack) == ["caller-home", "worker-away", "worker-home"]
    (policy,) = bucket_policies(stack).items()
    assert "near" in policy[0]
    assert policy[1] == "aws.home"
    assuming = [s for _, s in statements(stack) if s["actions"] == ["sts:AssumeRole"]]
    trusts = [s for s in assuming if "principals" in s and s["principals"][0]["type"] == "AWS"]
    permissions = [s for s in assuming if "resources" in s]
    assert len(trusts) == len(permissions) == 1
    assert "caller" in trusts[0]["principals"][0]["identifiers"][0]
    assert "assumed-role" in permissions[0]["resources"][0]


def test_both_patterns_twice_in_one_stack(bench: Workbench) -> None:
    for number in "12":
        near, far = (
            bench.bucket(f"near{number}", bench.home),
            bench.bucket(f"far{number}", bench.away),
        )
        DirectAccess(
            bench.stack, f"direct{number}", roles=[bench.role(f"d{number}")], buckets=[near, far]
        )
        AssumeRole(
            bench.stack,
            f"assume{number}",
            roles=[bench.role(f"a{number}")],
            buckets=[near, far],
            account=bench.away,
            assumed_role_name=f"worker{number}",
        )
    stack = bench.synthesized()
    assert len(stack["resource"]["aws_s3_bucket_policy"]) == 4
    assert len(stack["resource"]["aws_iam_policy"]) == 2 * (2 + 1 + 2)
    assert len(stack["provider"]["aws"]) == 2


def test_a_bucket_keeps_one_policy_for_all_its_roles(bench: Workbench) -> None:
    bucket = bench.bucket("far", bench.away)
    for number in "123":
        DirectAccess(bench.stack, number, roles=[bench.role(f"role{number}")], buckets=[bucket])
    stack = bench.synthesized()
    assert len(bucket_policies(stack)) == 1
    sids = [s["sid"] for _, s in statements(stack) if s.get("sid", "").startswith("Allow")]
    assert sids == ["Allow Home IamRole", "Allow Home IamRole2", "Allow Home IamRole3"]


def test_a_role_keeps_one_policy_for_each_account(bench: Workbench) -> None:
    role = bench.role("reader")
    buckets = [bench.bucket(f"far{number}", bench.away) for number in "123"]
    DirectAccess(bench.stack, "access", roles=[role], buckets=buckets)
    stack = bench.synthesized()
    assert policy_names(stack) == ["reader-away"]
    sids = [s["sid"] for _, s in statements(stack) if s.get("sid", "").startswith("Away")]
    assert sids == ["AwayS3Access", "AwayS3Access2", "AwayS3Access3"]


def test_other_actions_reach_both_halves(bench: Workbench) -> None:
    bucket = bench.bucket("far", bench.away)
    DirectAccess(
        bench.stack,
        "access",
        roles=[bench.role("reader")],
        buckets=[bucket],
        access=Access(actions=("s3:GetObject",)),
    )
    access = [s for _, s in statements(bench.synthesized()) if "resources" in s]
    assert [s["actions"] for s in access] == [["s3:GetObject"], ["s3:GetObject"]]


class TestReplication:
    """What S3 would accept and then not do is refused, with the reason."""

    def bucket(
        self,
        bench: Workbench,
        id_: str,
        account: Account,
        *,
        versioned: bool = True,
        key: bool = False,
    ) -> Bucket:
        return Bucket(
            bench.stack,
            id_,
            account=account,
            prefix=f"{id_}-",
            hardening=Hardening(versioning=versioned),
            key=Key(bench.stack, f"{id_}-key", account=account) if key else None,
        )

    def test_both_halves_are_written_each_in_its_account(self, bench: Workbench) -> None:
        source = self.bucket(bench, "source", bench.home)
        destination = self.bucket(bench, "destination", bench.away)
        Replication(bench.stack, "copy", source=source, destination=destination, role_name="copier")
        stack = bench.synthesized()
        assert policy_names(stack) == ["copier-away", "copier-home"]
        (policy,) = bucket_policies(stack).items()
        assert "destination" in policy[0]
        assert policy[1] == "aws.away"
        (configuration,) = stack["resource"]["aws_s3_bucket_replication_configuration"].values()
        assert configuration["provider"] == "aws.home"

    @pytest.mark.parametrize("same", [True, False])
    def test_a_second_replication_of_one_source(self, same: bool, bench: Workbench) -> None:
        """The later configuration would replace the first without a word."""

        def source(id_: str) -> ExistingBucket:
            return ExistingBucket(
                bench.stack,
                id_,
                account=bench.home,
                name="reports",
                policy="merge",
                versioned=True,
            )

        first = source("first")
        sources = [first, first if same else source("second")]
        copies = [self.bucket(bench, f"copy{n}", bench.away) for n in "12"]
        Replication(bench.stack, "1", source=sources[0], destination=copies[0], role_name="one")
        with pytest.raises(ValueError, match="is replicated already: S3 keeps one configuration"):
            Replication(bench.stack, "2", source=sources[1], destination=copies[1], role_name="two")

    def test_an_unversioned_bucket(self, bench: Workbench) -> None:
        source = self.bucket(bench, "source", bench.home, versioned=False)
        destination = self.bucket(bench, "destination", bench.away, versioned=False)
        with pytest.raises(ValueError, match=r"source is not versioned.*destination is not"):
            Replication(
                bench.stack, "copy", source=source, destination=destination, role_name="copier"
            )

    def test_the_same_bucket(self, bench: Workbench) -> None:
        bucket = self.bucket(bench, "source", bench.home)
        with pytest.raises(ValueError, match="are the same bucket"):
            Replication(bench.stack, "copy", source=bucket, destination=bucket, role_name="copier")

    def test_a_missing_key(self, bench: Workbench) -> None:
        source = self.bucket(bench, "source", bench.home, key=True)
        destination = self.bucket(bench, "destination", bench.away)
        with pytest.raises(ValueError, match="the destination has none"):
            Replication(
                bench.stack, "copy", source=source, destination=destination, role_name="copier"
            )


class TestServiceDelivery:
    def of(self, service: str, *names: str, account: Account) -> Delivery:
        source = Source(account_id=account.account_id, regions=(account.region,))
        return Delivery(service=service, sources=(source,), names=names)

    def test_the_bucket_and_its_key_let_a_service_of_an_account_that_is_not_known_yet(
        self, bench: Workbench
    ) -> None:
        key = Key(bench.stack, "key", account=bench.away)
        bucket = Bucket(bench.stack, "trails", account=bench.away, prefix="trails-", key=key)
        delivery = self.of("cloudtrail", "audit", account=bench.home)
        made = ServiceDelivery(bench.stack, "delivery", bucket=bucket, delivery=delivery)
        assert made.settings.startswith("Name=audit S3BucketName=$")
        stack = bench.synthesized()
        by_service = [
            statement
            for _, statement in statements(stack)
            if any(p["type"] == "Service" for p in statement["principals"])
        ]
        assert len(by_service) == 4
        looked_up = stack["data"]["aws_caller_identity"].items()
        (home,) = [name for name, block in looked_up if block["provider"] == "aws.home"]
        account = f"${{data.aws_caller_identity.{home}.account_id}}"
        (write,) = [s for s in by_service if s["sid"] == "AWSCloudTrailWrite"]
        assert [r.partition("/")[2] for r in write["resources"]] == [f"AWSLogs/{account}/*"]
        assert {s["condition"][-1]["values"][0] for s in by_service} == {
            f"arn:aws:cloudtrail:eu-west-1:{account}:trail/audit"
        }

    def test_what_is_merged_has_no_sid_that_another_delivery_may_have(
        self, bench: Workbench
    ) -> None:
        key = ExistingKey(
            bench.stack,
            "key",
            account=bench.away,
            arn="arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555",
        )
        bucket = ExistingBucket(
            bench.stack, "logs", account=bench.away, name="logs", policy="merge", key=key
        )
        delivery = self.of("config", account=bench.home)
        ServiceDelivery(bench.stack, "delivery", bucket=bucket, delivery=delivery)
        found = [statement for _, statement in statements(bench.synthesized())]
        assert len(found) == 3  # what is asked of one bucket alike is one statement
        assert not any("sid" in statement for statement in found)

    def test_what_the_service_would_refuse(self, bench: Workbench) -> None:
        key = Key(bench.stack, "key", account=bench.away)
        bucket = Bucket(bench.stack, "logs", account=bench.away, prefix="logs-", key=key)
        delivery = self.of("application-load-balancer", account=bench.home)
        with pytest.raises(ValueError, match=r"\(SSE-S3\) only: leave out the KMS key"):
            ServiceDelivery(bench.stack, "delivery", bucket=bucket, delivery=delivery)


EVERYBODY = [Principal(type="*", identifiers=("*",)), Principal(type="AWS", identifiers=("*",))]


@pytest.mark.parametrize("principal", EVERYBODY)
@pytest.mark.parametrize("effect", ["Allow", None])
def test_nothing_is_allowed_to_everybody(
    effect: Literal["Allow"] | None, principal: Principal, bench: Workbench
) -> None:
    bucket = bench.bucket("far", bench.away)
    allowing = Statement(
        effect=effect, actions=("s3:GetObject",), resources=(bucket.arn,), principals=(principal,)
    )
    with pytest.raises(ValueError, match="name its principals; only a Deny may be for everybody"):
        bucket.allow(allowing)
    bench.bucket("other", bench.away).allow(replace(allowing, effect="Deny"))


def test_what_is_in_two_partitions_is_not_linked(bench: Workbench) -> None:
    government = Account(
        bench.stack,
        "government",
        alias="government",
        settings=AccountSettings(region="us-gov-west-1", profile="government"),
    )
    hardening = Hardening(versioning=True)
    near, far = (
        Bucket(bench.stack, id_, account=account, prefix=f"{id_}-", hardening=hardening)
        for id_, account in (("near", bench.home), ("far", government))
    )
    role = bench.role("reader")
    with pytest.raises(ValueError, match="never across those"):
        DirectAccess(bench.stack, "direct", roles=[role], buckets=[far])
    with pytest.raises(ValueError, match="never across those"):
        AssumeRole(
            bench.stack,
            "assume",
            roles=[role],
            buckets=[],
            account=government,
            assumed_role_name="worker",
        )
    with pytest.raises(ValueError, match="never across those"):
        Replication(bench.stack, "copy", source=near, destination=far, role_name="copier")


@pytest.mark.parametrize("name", ["AWSReservedSSO_Analyst_0123456789abcdef", "AWSServiceRoleForX"])
def test_roles_that_only_aws_changes_are_refused_with_the_reason(
    name: str, bench: Workbench
) -> None:
    ExistingRole(bench.stack, "theirs", account=bench.home, policy_name_prefix="x", name=name)
    (problem,) = problems([bench.stack])
    assert problem.startswith(f'bench/theirs: "{name}" is a ')
    assert "(UnmodifiableEntity)" in problem


def test_the_aws_managed_key_is_refused_with_the_reason(bench: Workbench) -> None:
    with pytest.raises(ValueError, match="aws/s3 and aliases cannot be shared"):
        ExistingKey(bench.stack, "key", account=bench.away, arn="alias/aws/s3")
