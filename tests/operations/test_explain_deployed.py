"""What is really there, in two emulated accounts: each half removed by hand, and named."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.explain.explain import explain
from s3_links.operations.explain.pasted import read
from s3_links.operations.explain.question import Question
from s3_links.operations.stack import OperationError, synthesized
from s3_links.sandbox.access import allowed, root
from s3_links.sandbox.emulator import ACCOUNTS, REGION
from tests.support.links import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from s3_links.operations.explain.answer import Answer
    from s3_links.sandbox.access import Principal
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

ONE, TWO = ACCOUNTS["account1"], ACCOUNTS["account2"]
MERGED = "explained-reports"
LINKS: dict[str, Any] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [
            {"account": "account2", "existing": MERGED, "policy": "merge"},
            {"account": "account2", "new_prefix": "explained-", "key": "new"},
        ],
        "access": {"level": "read-only"},
    },
    "assume": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": [{"account": "account1", "new_prefix": "explained-home-"}],
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "x-123"},
    },
    "copied": {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": "explained-from-", "key": "new"},
        "destination": {"account": "account2", "new_prefix": "explained-to-", "key": "new"},
        "role_name": "copier",
    },
}
READS = "s3:GetObjectVersionForReplication"


class Place:
    """The deployed links, and the hands that change what is there."""

    def __init__(self, deployment: Deployment) -> None:
        self.one, self.two = (deployment.roots[alias] for alias in ("account1", "account2"))
        self.bucket = deployment.outputs("direct")["bucket_name_account2_explained-"]
        self.home = deployment.outputs("assume")["bucket_name_account1_explained-home-"]
        self.to_merge = deployment.outputs("direct")[f"bucket_policy_to_merge_account2_{MERGED}"]
        self.source, self.copies = (
            deployment.outputs("copied")[f"bucket_name_{end}"] for end in ("source", "destination")
        )
        self.two.s3.put_object(Bucket=self.bucket, Key="key", Body=b"body")

    def ask(self, who: str = "reader", where: str = "", message: str = "", *actions: str) -> Answer:
        pasted = read(message) if message else None
        question = Question(who=who, where=where, actions=actions, pasted=pasted)
        return explain(synthesized(), question)[0]

    def reaches(self, who: str) -> bool:
        """Whether the emulator lets a role in, as an instance with it would try."""

        def read() -> None:
            session = self.one.assume(f"arn:aws:iam::{ONE}:role/{who}")
            if who == "reader":
                session.s3.get_object(Bucket=self.bucket, Key="key")
            else:
                worker = f"arn:aws:iam::{TWO}:role/worker"
                session.assume(worker, ExternalId="x-123").s3.list_objects_v2(Bucket=self.home)

        return allowed(read)

    def key(self, bucket: str) -> str:
        encryption = self.two.s3.get_bucket_encryption(Bucket=bucket)
        (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
        return str(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"])

    def policy(self, name: str) -> str:
        return f"arn:aws:iam::{TWO if name.startswith('worker') else ONE}:policy/{name}"


@pytest.fixture(scope="module")
def place(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    root(emulator.endpoint, "account2").s3.create_bucket(
        Bucket=MERGED, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    folder = tmp_path_factory.mktemp("explain")
    deployment = Deployment(terraform, emulator, folder, LINKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        yield Place(deployment)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_bucket_policy_that_was_not_merged_is_named_until_it_is(place: Place) -> None:
    answer = place.ask("reader", f"s3://{MERGED}/key")
    assert answer.exit_code == 2
    (step,) = answer.steps
    assert [r.what for r in step.lets] == ["identity policy"]
    assert [(r.what, r.cause) for r in step.refuses] == [("bucket policy", "no-bucket-policy")]
    output = f"bucket_policy_to_merge_account2_{MERGED}"
    assert output in str(answer.declared)
    assert answer.next == f"terraform -chdir=cdktf.out/stacks/direct output -raw {output}"
    place.two.s3.put_bucket_policy(Bucket=MERGED, Policy=place.to_merge)
    place.two.s3.put_object(Bucket=MERGED, Key="key", Body=b"body")
    answer = place.ask("reader", f"s3://{MERGED}/key")
    assert (answer.exit_code, answer.next) == (0, "")
    assert answer.declared == ["the link direct declares s3:GetObject for reader"]


# Each half


@contextmanager
def detached(who: Principal, role: str, policy: str) -> Iterator[None]:
    iam = who.client("iam")
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    yield
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)


@contextmanager
def bucket_policy(who: Principal, bucket: str, *more: dict[str, Any]) -> Iterator[None]:
    """A bucket policy of nothing, or of its own with more."""
    was = who.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    if more:
        own = json.loads(was)["Statement"]
        who.s3.put_bucket_policy(Bucket=bucket, Policy=document(*own, *more))
    else:
        who.s3.delete_bucket_policy(Bucket=bucket)
    yield
    who.s3.put_bucket_policy(Bucket=bucket, Policy=was)


@contextmanager
def key_policy(place: Place, bucket: str) -> Iterator[None]:
    """The key policy of a bucket without what it lets a role."""
    kms, key = place.two.client("kms"), place.key(bucket)
    was = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kept = [s for s in json.loads(was)["Statement"] if ":role/" not in str(s["Principal"])]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*kept))
    yield
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=was)


@contextmanager
def own_key_half(place: Place) -> Iterator[None]:
    iam, arn = place.one.client("iam"), place.policy("reader-account2")
    was = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    own = iam.get_policy_version(PolicyArn=arn, VersionId=was)["PolicyVersion"]["Document"]
    kept = [s for s in own["Statement"] if s.get("Sid") != "Account2Key"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(*kept), SetAsDefault=True)
    yield
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(own), SetAsDefault=True)


@contextmanager
def trusting(place: Place, **condition: Any) -> Iterator[None]:
    iam = place.two.client("iam")
    was = iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", **condition}
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document(trust))
    yield
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=json.dumps(was))


TRUSTED = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
TRUSTED |= {"Action": "sts:AssumeRole"}
CALLER = {"AWS": f"arn:aws:iam::{ONE}:role/caller"}
OTHER_ID = {"StringEquals": {"sts:ExternalId": "another"}}
SERVICE = {"Service": "ec2.amazonaws.com"}
HALVES: dict[str, tuple[Callable[[Place], Any], str, str, str]] = {
    "direct: the role's policy": (
        lambda p: detached(p.one, "reader", p.policy("reader-account2")),
        "reader",
        "identity policy",
        "direct",
    ),
    "direct: the bucket policy": (
        lambda p: bucket_policy(p.two, p.bucket),
        "reader",
        "bucket policy",
        "direct",
    ),
    "direct: the role's statement for the key": (
        own_key_half,
        "reader",
        "identity policy",
        "direct",
    ),
    "direct: the key policy": (
        lambda p: key_policy(p, p.bucket),
        "reader",
        "key policy",
        "direct",
    ),
    "assume: the caller's policy": (
        lambda p: detached(p.one, "caller", p.policy("caller-account1")),
        "caller",
        "identity policy",
        "assume",
    ),
    "assume: the trust policy": (
        lambda p: trusting(p, Principal=SERVICE),
        "caller",
        "trust policy",
        "assume",
    ),
    "assume: the external id": (
        lambda p: trusting(p, Principal=CALLER, Condition=OTHER_ID),
        "caller",
        "trust policy",
        "assume",
    ),
    "assume: the assumed role's policy": (
        lambda p: detached(p.two, "worker", p.policy("worker-account1")),
        "caller",
        "identity policy",
        "assume",
    ),
    "assume: the bucket policy": (
        lambda p: bucket_policy(p.one, p.home),
        "caller",
        "bucket policy",
        "assume",
    ),
}


@pytest.mark.parametrize("half", HALVES)
def test_a_half_that_was_removed_by_hand_is_named(place: Place, half: str) -> None:
    removed, who, what, link = HALVES[half]
    with removed(place):
        answer = place.ask(who, f"{place.bucket}/key" if who == "reader" else place.home)
        assert place.reaches(who) is ("key" in half)  # the emulator's S3 does not ask for keys
    assert answer.exit_code == 2, answer
    assert [r.what for step in answer.steps for r in step.refuses][:1] == [what]
    assert answer.next == f"s3-links deploy {link}"
    assert any(f"the link {link} declares" in line for line in answer.declared)


@pytest.mark.parametrize(("who", "bucket"), [("reader", "bucket"), ("caller", "home")])
def test_a_link_that_is_as_declared_is_allowed(place: Place, who: str, bucket: str) -> None:
    answer = place.ask(who, getattr(place, bucket))
    assert answer.exit_code == 0, answer
    assert all(len(step.lets) == 2 for step in answer.steps)
    assert place.reaches(who)
    assert answer.next == ""


COPYING: dict[str, tuple[Callable[[Place], Any], str]] = {
    "the role's policy on the source": (
        lambda p: detached(p.one, "copier", p.policy("copier-account1")),
        "identity policy",
    ),
    "the role's policy on the destination": (
        lambda p: detached(p.one, "copier", p.policy("copier-account2")),
        "identity policy",
    ),
    "the bucket policy": (lambda p: bucket_policy(p.two, p.copies), "bucket policy"),
    "the key policy": (lambda p: key_policy(p, p.copies), "key policy"),
}


@pytest.mark.parametrize("half", COPYING)
def test_a_half_of_a_replication_that_was_removed_by_hand_is_named(place: Place, half: str) -> None:
    removed, what = COPYING[half]
    bucket, action = (
        (place.source, READS) if "source" in half else (place.copies, "s3:ReplicateObject")
    )
    with removed(place):
        answer = place.ask("copier", f"s3://{bucket}/key", "", action)
    assert answer.exit_code == 2, answer
    assert {r.what for step in answer.steps for r in step.refuses} == {what}
    assert answer.next == "s3-links deploy copied"
    assert any("the link copied declares" in line for line in answer.declared)


def test_a_replication_that_is_as_declared_is_allowed(place: Place) -> None:
    asked = [(place.source, READS), (place.copies, "s3:ReplicateObject")]
    of_keys = []
    for bucket, action in asked:
        answer = place.ask("copier", f"s3://{bucket}/key", "", action)
        assert (answer.exit_code, answer.next) == (0, ""), answer
        of_keys.append(
            {s.request.action for s in answer.steps if s.request.action.startswith("kms:")}
        )
    # "Replicating encrypted objects" asks kms:Encrypt; "Reducing the cost of SSE-KMS with Amazon S3
    # Bucket Keys" the two others.
    assert of_keys == [{"kms:Decrypt"}, {"kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"}]


# What else refuses


def test_an_explicit_deny_is_named_with_its_statement(place: Place) -> None:
    arn = f"arn:aws:s3:::{place.bucket}"
    deny = {"Sid": "Shut", "Effect": "Deny", "Principal": "*", "Action": "s3:Get*"}
    with bucket_policy(place.two, place.bucket, deny | {"Resource": f"{arn}/*"}):
        answer = place.ask("reader", f"s3://{place.bucket}/key")
    (reason,) = answer.steps[-1].refuses
    assert (reason.what, reason.account, reason.of) == ("bucket policy", TWO, arn)
    assert (reason.statement, reason.cause) == ("Shut", "explicit-deny")
    assert answer.next.startswith(f"aws s3api get-bucket-policy --bucket {place.bucket}")
    assert answer.next.endswith("--profile account2")


def test_a_bucket_policy_that_somebody_overwrote_is_told(place: Place) -> None:
    lets: dict[str, Any] = {"Sid": "Theirs", "Effect": "Allow", "Action": "s3:GetObject"}
    lets |= {"Principal": {"AWS": f"arn:aws:iam::{ONE}:role/caller"}}
    lets |= {"Resource": f"arn:aws:s3:::{place.bucket}/*"}
    with bucket_policy(place.two, place.bucket):
        place.two.s3.put_bucket_policy(Bucket=place.bucket, Policy=document(lets))
        answer = place.ask("reader", f"s3://{place.bucket}/key")
    (reason,) = answer.steps[-1].refuses
    assert (reason.statement, reason.cause) == ("Theirs", "other-principal")
    assert "it is not there as declared" in str(answer.declared)
    assert answer.next == "s3-links deploy direct"


def test_another_region_is_told(place: Place) -> None:
    message = "An error occurred (PermanentRedirect) when calling the GetObject operation: ..."
    answer = place.ask("reader", f"s3://{place.bucket}/key", message)
    assert "PermanentRedirect is no refusal by a policy" in str(answer.steps[-1].notes)
    assert answer.notes[0].startswith(f"the bucket is in {REGION}")


def test_a_boundary_is_named(place: Place) -> None:
    iam = place.one.client("iam")
    lists = {"Sid": "Lists", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=document(lists))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=arn)
    answer = place.ask("reader", f"s3://{place.bucket}/key")
    iam.delete_role_permissions_boundary(RoleName="reader")
    (reason,) = answer.steps[-1].refuses
    assert (reason.what, reason.of, reason.account) == ("permissions boundary", arn, ONE)
    assert (reason.statement, reason.told) == ("Lists", "is for s3:ListBucket")
    version = (
        f"aws iam get-policy --policy-arn {arn} --query Policy.DefaultVersionId --output text "
        "--profile account1"
    )
    assert answer.next == (
        f"aws iam get-policy-version --policy-arn {arn} --version-id $({version}) "
        "--profile account1"
    )


def test_a_role_that_was_made_again_is_told_from_the_one_that_was_named(place: Place) -> None:
    # AWS shows the unique id of a role that is gone; the emulator keeps the ARN.
    stale = place.two.s3.get_bucket_policy(Bucket=place.bucket)["Policy"].replace(
        f"arn:aws:iam::{ONE}:role/reader", "AROA0123456789ABCDEF0"
    )
    with bucket_policy(place.two, place.bucket):
        place.two.s3.put_bucket_policy(Bucket=place.bucket, Policy=stale)
        answer = place.ask("reader", f"s3://{place.bucket}/key")
    (reason,) = answer.steps[-1].refuses
    assert (reason.what, reason.cause) == ("bucket policy", "recreated-role")
    assert answer.next == "s3-links deploy direct"


def test_a_role_of_another_account_is_told_from_the_declared_one(place: Place) -> None:
    place.two.client("iam").create_role(
        RoleName="reader", AssumeRolePolicyDocument=document(TRUSTED)
    )
    answer = place.ask(f"arn:aws:sts::{TWO}:assumed-role/reader/i-1", f"s3://{place.bucket}/key")
    place.two.client("iam").delete_role(RoleName="reader")
    assert answer.exit_code == 2
    assert f"the role reader is declared in account {ONE}" in answer.declared


def test_a_profile_of_another_account_leaves_it_undecided(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "credentials"
    keys.write_text(
        "".join(
            f"[{alias}]\naws_access_key_id = {ONE}\naws_secret_access_key = {ONE}\n"
            for alias in ACCOUNTS
        )
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    answer = place.ask("reader", f"s3://{place.bucket}/key")
    assert answer.exit_code == 3
    assert f"account2: is account {ONE}, pinned is {TWO}" in str(answer.unread)


@pytest.mark.parametrize(
    ("who", "operation", "level"),
    [
        ("reader", "GetObjectTagging", "copy-with-tags"),
        ("caller", "DeleteObject", "read-write-delete"),
    ],
)
def test_an_action_that_the_link_does_not_give_names_the_level_that_does(
    place: Place, who: str, operation: str, level: str
) -> None:
    message = f"An error occurred (AccessDenied) when calling the {operation} operation: Denied"
    bucket = place.bucket if who == "reader" else place.home
    answer = place.ask(who, f"s3://{bucket}/key", message)
    assert answer.exit_code == 2
    *hops, last = [step.request.action for step in answer.steps]
    assert (hops, last) == (["sts:AssumeRole"] if who == "caller" else [], f"s3:{operation}")
    assert answer.next.startswith(f'declare "level": "{level}"')


def test_the_command_exits_with_what_it_says(place: Place) -> None:
    with bucket_policy(place.two, place.bucket):
        result = subprocess.run(
            [sys.executable, "-m", "s3_links", "explain", "reader", f"{place.bucket}/gone"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 2, result.stderr
    assert result.stdout.startswith("Refused.")
    assert "refuses  bucket policy of bucket explained-" in result.stdout
    assert result.stdout.endswith("Next: s3-links deploy direct\n")


def test_a_name_that_is_not_found_is_told_with_the_nearest(place: Place) -> None:
    with pytest.raises(OperationError, match=r"no role 'raeder'.*Did you mean 'reader'"):
        place.ask("raeder", place.bucket)
