"""Each option of a link, deployed: what it grants works, and the rest stays refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.sandbox.access import allowed, root
from s3_links.sandbox.emulator import ACCOUNTS
from tests.evaluator import decide
from tests.support.links import ROOTS, Deployment

if TYPE_CHECKING:
    from s3_links.sandbox.access import Principal
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform


def role_arn(name: str, account: str = "account1") -> str:
    return f"arn:aws:iam::{ACCOUNTS[account]}:role/{name}"


def consumer(name: str, **more: Any) -> dict[str, Any]:
    return {"account": "account1", "new_role": name, **more}


def bucket(prefix: str, **more: Any) -> dict[str, Any]:
    return {"account": "account2", "new_prefix": prefix, "force_destroy": True, **more}


def direct(role: str, prefix: str, **more: Any) -> dict[str, Any]:
    link = {"pattern": "direct-access", "consumers": [consumer(role)], "buckets": [bucket(prefix)]}
    return link | more


LINKS: dict[str, dict[str, Any]] = {
    "levels": direct("reader", "read-", access={"level": "read-only"}),
    "writing": direct("writer", "write-", access={"level": "write-only"}),
    "prefix": direct(
        "team-a",
        "prefix-",
        access={"level": "read-write-delete", "prefixes": ["a/"]},
    ),
    "custom": direct("tagger", "custom-", access={"actions": ["s3:GetObjectTagging"]}),
    "external": {
        "pattern": "assume-role",
        "consumers": [consumer("caller"), consumer("second-caller")],
        "buckets": [bucket("external-"), {"account": "account1", "new_prefix": "own-"}],
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "link-7f3a"},
    },
    "survive": direct("phoenix", "survive-", survive_role_recreation=True),
    "same": direct("pinned", "same-", access={"same_accounts": True}),
    "tls": direct("encrypted", "tls-", access={"tls_only": True}),
    "organization": direct("member", "org-", access={"organization_id": "o-a1b2c3d4e5"}),
    "endpoint": direct("inside", "vpce-", access={"vpc_endpoint_ids": ["vpce-0123abcd"]}),
    "addresses": direct("outside", "ips-", access={"source_ips": ["203.0.113.0/24"]}),
    "key": direct("decrypter", "key-", buckets=[bucket("key-", key="new")]),
    "existing": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "existing_role": "web"},
            {"account": "account1", "instance_profile": "batch"},
        ],
        "buckets": [
            {"account": "account2", "existing": "existing-free", "policy": "create"},
            {"account": "account2", "existing": "existing-owned", "policy": "merge"},
        ],
    },
    "hardened": direct("careful", "hard-", hardening=True),
}
WEB = "service-role/web"  # the existing role, with its path
OWNED_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Mine",
            "Effect": "Allow",
            "Principal": {"AWS": role_arn(WEB)},
            "Action": "s3:GetBucketLocation",
            "Resource": "arn:aws:s3:::existing-owned",
        }
    ],
}


@pytest.fixture(scope="module")
def deployment(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ec2.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    first, second = (root(emulator.endpoint, alias) for alias in ACCOUNTS)
    iam = first.client("iam")
    for path, name in (("/service-role/", "web"), ("/", "batch-role"), ("/", "stranger")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Path=path)
    iam.create_instance_profile(InstanceProfileName="batch")
    iam.add_role_to_instance_profile(InstanceProfileName="batch", RoleName="batch-role")
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="stranger",
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    for name in ("existing-free", "existing-owned"):
        second.s3.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
        )
    second.s3.put_bucket_policy(Bucket="existing-owned", Policy=json.dumps(OWNED_POLICY))
    return Deployment(terraform, emulator, tmp_path_factory.mktemp("options"), LINKS)


def bucket_of(deployment: Deployment, link: str) -> str:
    outputs = deployment.outputs(link)
    return str(next(v for k, v in outputs.items() if k.startswith("bucket_name_")))


def seeded(deployment: Deployment, link: str, *keys: str) -> str:
    name = bucket_of(deployment, link)
    for key in keys:
        deployment.roots["account2"].s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


def can(principal: Principal, call: str, **arguments: Any) -> bool:
    return allowed(lambda: getattr(principal.s3, call)(**arguments))


def test_a_second_plan_changes_nothing(deployment: Deployment) -> None:
    assert "No changes." in deployment.plan("external", "key", "hardened")


def test_read_only(deployment: Deployment) -> None:
    name, role = seeded(deployment, "levels", "k"), deployment.role("reader")
    assert can(role, "get_object", Bucket=name, Key="k")
    assert can(role, "list_objects_v2", Bucket=name)
    assert not can(role, "put_object", Bucket=name, Key="k", Body=b"")
    assert not can(role, "delete_object", Bucket=name, Key="k")


def test_write_only(deployment: Deployment) -> None:
    name, role = seeded(deployment, "writing", "k"), deployment.role("writer")
    assert can(role, "put_object", Bucket=name, Key="new", Body=b"")
    assert not can(role, "get_object", Bucket=name, Key="k")
    assert not can(role, "list_objects_v2", Bucket=name)


def test_custom_actions(deployment: Deployment) -> None:
    name, role = seeded(deployment, "custom", "k"), deployment.role("tagger")
    assert can(role, "get_object_tagging", Bucket=name, Key="k")
    assert not can(role, "get_object", Bucket=name, Key="k")


def test_a_prefix(deployment: Deployment) -> None:
    name, role = seeded(deployment, "prefix", "a/k", "b/k"), deployment.role("team-a")
    assert can(role, "get_object", Bucket=name, Key="a/k")
    assert can(role, "put_object", Bucket=name, Key="a/deep/k", Body=b"")
    assert can(role, "delete_object", Bucket=name, Key="a/deep/k")
    assert can(role, "list_objects_v2", Bucket=name, Prefix="a/")
    assert can(role, "list_objects_v2", Bucket=name, Prefix="a/deep")
    for prefix in ("", "b/", "a"):
        assert not can(role, "list_objects_v2", Bucket=name, Prefix=prefix), prefix
    assert not can(role, "get_object", Bucket=name, Key="b/k")
    assert not can(role, "put_object", Bucket=name, Key="ab", Body=b"")


@pytest.mark.parametrize("link", ["levels", "prefix", "survive", "same"])
def test_another_role_of_the_account_is_refused(link: str, deployment: Deployment) -> None:
    name, stranger = seeded(deployment, link, "a/k"), deployment.role("stranger")
    assert not can(stranger, "get_object", Bucket=name, Key="a/k")
    assert not can(deployment.roots["account1"], "get_object", Bucket=name, Key="a/k")


# An option, its role, and a call that works by it.
WORKING = [
    ("levels", "reader", "get_object"),
    ("writing", "writer", "put_object"),
    ("prefix", "team-a", "delete_object"),
    ("custom", "tagger", "get_object_tagging"),
    ("survive", "phoenix", "get_object"),
    ("same", "pinned", "get_object"),
    ("existing", WEB, "put_object"),
    ("key", "decrypter", "get_object"),
]


@pytest.mark.parametrize(("link", "role", "call"), WORKING)
def test_without_the_bucket_policy_it_is_refused(
    link: str, role: str, call: str, deployment: Deployment
) -> None:
    name, principal = seeded(deployment, link, "a/k"), deployment.role(role)
    owner = deployment.roots["account2"].s3
    text = owner.get_bucket_policy(Bucket=name)["Policy"]
    owner.delete_bucket_policy(Bucket=name)
    try:
        assert not can(principal, call, Bucket=name, Key="a/k")
    finally:
        owner.put_bucket_policy(Bucket=name, Policy=text)
    assert can(principal, call, Bucket=name, Key="a/k")


@pytest.mark.parametrize(("link", "role", "call"), WORKING)
def test_without_the_identity_policy_it_is_refused(
    link: str, role: str, call: str, deployment: Deployment
) -> None:
    name, principal = seeded(deployment, link, "a/k"), deployment.role(role)
    iam = deployment.roots["account1"].client("iam")
    role_name = role.rpartition("/")[2]
    (attached,) = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    iam.detach_role_policy(RoleName=role_name, PolicyArn=attached["PolicyArn"])
    try:
        assert not can(principal, call, Bucket=name, Key="a/k")
    finally:
        iam.attach_role_policy(RoleName=role_name, PolicyArn=attached["PolicyArn"])
    assert can(principal, call, Bucket=name, Key="a/k")


@pytest.mark.parametrize("half", ["trust policy", "permission to assume"])
def test_with_an_external_id_each_half_is_needed_too(half: str, deployment: Deployment) -> None:
    worker, caller = role_arn("worker", "account2"), deployment.role("caller")

    def assumed() -> bool:
        return allowed(lambda: caller.assume(worker, ExternalId="link-7f3a"))

    assert assumed()
    if half == "trust policy":
        iam = deployment.roots["account2"].client("iam")
        trust = iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
        other = json.dumps(trust).replace(role_arn("caller"), role_arn("stranger"))
        iam.update_assume_role_policy(RoleName="worker", PolicyDocument=other)
        try:
            assert not assumed()
        finally:
            iam.update_assume_role_policy(RoleName="worker", PolicyDocument=json.dumps(trust))
    else:
        iam = deployment.roots["account1"].client("iam")
        (attached,) = iam.list_attached_role_policies(RoleName="caller")["AttachedPolicies"]
        iam.detach_role_policy(RoleName="caller", PolicyArn=attached["PolicyArn"])
        try:
            assert not assumed()
        finally:
            iam.attach_role_policy(RoleName="caller", PolicyArn=attached["PolicyArn"])
    assert assumed()


def test_an_external_id_is_asked_for(deployment: Deployment) -> None:
    worker = role_arn("worker", "account2")
    for name in ("caller", "second-caller"):
        caller = deployment.role(name)
        with pytest.raises(ClientError, match="AccessDenied"):
            caller.assume(worker)
        with pytest.raises(ClientError, match="AccessDenied"):
            caller.assume(worker, ExternalId="wrong")
        session = caller.assume(worker, ExternalId="link-7f3a")
        assert can(session, "list_objects_v2", Bucket=bucket_of(deployment, "external"))
    with pytest.raises(ClientError, match="AccessDenied"):
        deployment.role("stranger").assume(worker, ExternalId="link-7f3a")
    assert "external_id = link-7f3a" in deployment.outputs("external")["aws_config"]


def test_the_form_that_survives_names_the_account_and_the_role_in_a_condition(
    deployment: Deployment,
) -> None:
    name = bucket_of(deployment, "survive")
    policy = deployment.roots["account2"].s3.get_bucket_policy(Bucket=name)["Policy"]
    for statement in json.loads(policy)["Statement"]:
        assert statement["Principal"] == {"AWS": ROOTS["account1"]}
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role_arn("phoenix")}}
    iam = deployment.roots["account1"].client("iam")
    before = iam.get_role(RoleName="phoenix")["Role"]
    (attached,) = iam.list_attached_role_policies(RoleName="phoenix")["AttachedPolicies"]
    iam.detach_role_policy(RoleName="phoenix", PolicyArn=attached["PolicyArn"])
    iam.delete_role(RoleName="phoenix")
    iam.create_role(
        RoleName="phoenix", AssumeRolePolicyDocument=json.dumps(before["AssumeRolePolicyDocument"])
    )
    iam.attach_role_policy(RoleName="phoenix", PolicyArn=attached["PolicyArn"])
    assert iam.get_role(RoleName="phoenix")["Role"]["RoleId"] != before["RoleId"]
    assert can(deployment.role("phoenix"), "list_objects_v2", Bucket=name)


def test_existing_resources_get_what_is_missing_and_keep_what_they_have(
    deployment: Deployment,
) -> None:
    owner = deployment.roots["account2"].s3
    outputs = deployment.outputs("existing")
    assert "bucket_policy_to_merge_account2_existing-free" not in outputs
    to_merge = json.loads(outputs["bucket_policy_to_merge_account2_existing-owned"])["Statement"]
    roles = [deployment.role(WEB), deployment.role("batch-role")]
    for role in roles:
        assert can(role, "list_objects_v2", Bucket="existing-free")
        assert not can(role, "list_objects_v2", Bucket="existing-owned")
    assert json.loads(owner.get_bucket_policy(Bucket="existing-owned")["Policy"]) == OWNED_POLICY
    merged = OWNED_POLICY | {"Statement": [*OWNED_POLICY["Statement"], *to_merge]}
    owner.put_bucket_policy(Bucket="existing-owned", Policy=json.dumps(merged))
    for role in roles:
        assert can(role, "list_objects_v2", Bucket="existing-owned")
    assert "No changes." in deployment.plan("existing")


# What the emulator cannot judge is asked of the independent evaluator, on the deployed documents.


def judged(
    deployment: Deployment, link: str, role: str, action: str = "s3:GetObject", **context: Any
) -> bool:
    request = deployment.documents(link).on_bucket(
        role_arn(role), action, bucket_of(deployment, link), ACCOUNTS["account2"], "k", **context
    )
    return decide([request])[0]


def test_tls_only(deployment: Deployment) -> None:
    name = seeded(deployment, "tls", "k")
    assert not can(deployment.role("encrypted"), "get_object", Bucket=name, Key="k")  # plain HTTP
    assert judged(deployment, "tls", "encrypted")
    assert not judged(deployment, "tls", "encrypted", **{"aws:SecureTransport": "false"})


@pytest.mark.parametrize(
    ("link", "role", "fulfilled", "other"),
    [
        (
            "organization",
            "member",
            {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "o-a1b2c3d4e5"},
            {"aws:PrincipalOrgID": "o-zzzzzzzzzz", "aws:ResourceOrgID": "o-a1b2c3d4e5"},
        ),
        (
            "organization",
            "member",
            {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "o-a1b2c3d4e5"},
            {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "o-zzzzzzzzzz"},
        ),
        (
            "endpoint",
            "inside",
            {"aws:SourceVpce": "vpce-0123abcd"},
            {"aws:SourceVpce": "vpce-99999999"},
        ),
        ("addresses", "outside", {"aws:SourceIp": "203.0.113.9"}, {"aws:SourceIp": "192.0.2.1"}),
        ("addresses", "outside", {"aws:SourceIp": "203.0.113.9"}, {"aws:SourceVpce": "vpce-1"}),
        ("same", "pinned", {}, {"aws:ResourceAccount": "333333333333"}),
        ("same", "pinned", {}, {"aws:PrincipalAccount": "333333333333"}),
    ],
)
def test_a_condition_holds_on_both_halves(
    link: str, role: str, fulfilled: dict[str, str], other: dict[str, str], deployment: Deployment
) -> None:
    assert judged(deployment, link, role, **fulfilled)
    assert not judged(deployment, link, role, **other)


@pytest.mark.parametrize(
    ("link", "role", "fulfilled"),
    [
        ("tls", "encrypted", {}),
        ("hardened", "careful", {}),
        (
            "organization",
            "member",
            {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "o-a1b2c3d4e5"},
        ),
        ("endpoint", "inside", {"aws:SourceVpce": "vpce-0123abcd"}),
        ("addresses", "outside", {"aws:SourceIp": "203.0.113.9"}),
    ],
)
def test_a_fulfilled_condition_replaces_no_half(
    link: str, role: str, fulfilled: dict[str, str], deployment: Deployment
) -> None:
    name = bucket_of(deployment, link)
    request = deployment.documents(link).on_bucket(
        role_arn(role), "s3:GetObject", name, ACCOUNTS["account2"], "k", **fulfilled
    )
    without_identity = request | {"identity": []}
    without_policy = request | {"resourcePolicy": None}
    assert decide([request, without_identity, without_policy]) == [True, False, False]


def test_an_unfulfilled_condition_is_refused_in_the_sandbox_too(deployment: Deployment) -> None:
    for link, role in (("organization", "member"), ("endpoint", "inside")):
        name = seeded(deployment, link, "k")
        assert not can(deployment.role(role), "get_object", Bucket=name, Key="k")


class TestKey:
    """A customer managed key: both halves, limited to S3 and to the bucket."""

    def use(self, deployment: Deployment, *, without: str = "", **context: str) -> bool:
        """Ask whether the role may decrypt, with one half taken away."""
        documents = deployment.documents("key")
        arn = f"arn:aws:s3:::{bucket_of(deployment, 'key')}"
        usual = {
            "kms:ViaService": "s3.ap-northeast-1.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": arn,
        }
        request = documents.on_key(
            role_arn("decrypter"), "kms:Decrypt", account=ACCOUNTS["account2"], **(usual | context)
        )
        if without == "identity":
            for policy in request["identity"]:
                policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] != "Account2Key"]
        if without == "key policy":
            request["resourcePolicy"]["Statement"] = [
                s for s in request["resourcePolicy"]["Statement"] if s["Sid"] != "Account2Key"
            ]
        return decide([request])[0]

    def test_the_role_may_decrypt_through_s3(self, deployment: Deployment) -> None:
        assert self.use(deployment)

    @pytest.mark.parametrize(
        "context",
        [
            {"kms:ViaService": "ec2.ap-northeast-1.amazonaws.com"},
            {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
            {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::another-bucket"},
        ],
    )
    def test_not_otherwise(self, context: dict[str, str], deployment: Deployment) -> None:
        assert not self.use(deployment, **context)

    @pytest.mark.parametrize("half", ["identity", "key policy"])
    def test_each_half_is_needed(self, half: str, deployment: Deployment) -> None:
        assert not self.use(deployment, without=half)

    def test_the_bucket_encrypts_with_it_by_way_of_a_bucket_key(
        self, deployment: Deployment
    ) -> None:
        s3 = deployment.roots["account2"].s3
        reply = s3.get_bucket_encryption(Bucket=bucket_of(deployment, "key"))
        (rule,) = reply["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["BucketKeyEnabled"]
        default = rule["ApplyServerSideEncryptionByDefault"]
        assert default["SSEAlgorithm"] == "aws:kms"
        assert default["KMSMasterKeyID"].startswith("arn:aws:kms:ap-northeast-1:222222222222:key/")


def test_the_hardened_preset(deployment: Deployment) -> None:
    s3, name = deployment.roots["account2"].s3, seeded(deployment, "hardened", "k")
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(block.values())
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=name)
    target = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetBucket"]
    assert s3.get_public_access_block(Bucket=target)["PublicAccessBlockConfiguration"]
    assert not can(deployment.role("careful"), "get_object", Bucket=name, Key="k")  # plain HTTP
    assert judged(deployment, "hardened", "careful")
    assert not judged(deployment, "hardened", "careful", **{"aws:SecureTransport": "false"})


def test_its_deny_does_not_lock_out_who_deploys(deployment: Deployment) -> None:
    """An administrator of the bucket's account, as Terraform is, comes with TLS."""
    name, documents = bucket_of(deployment, "hardened"), deployment.documents("hardened")
    actions = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy")
    requests = [
        documents.on_bucket(ROOTS["account2"], action, name, ACCOUNTS["account2"], None)
        for action in actions
    ]
    assert decide(requests) == [True] * 3


@pytest.mark.parametrize(("boundary", "let_in"), [("AmazonS3FullAccess", True), ("none", False)])
def test_a_permissions_boundary_is_on_every_role(
    boundary: str,
    let_in: bool,
    terraform: Terraform,
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    iam = root(emulator.endpoint, "account1").client("iam")
    action = "s3:*" if let_in else "ec2:*"
    arn = iam.create_policy(
        PolicyName=f"boundary-{boundary}",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
            }
        ),
    )["Policy"]["Arn"]
    deployed = Deployment(
        terraform,
        emulator,
        tmp_path_factory.mktemp("boundary"),
        {"bounded": direct(f"bounded-{boundary}", "bounded-")},
        account1={"permissions_boundary": arn},
    )
    name = seeded(deployed, "bounded", "k")
    role = deployed.role(f"bounded-{boundary}")
    assert can(role, "get_object", Bucket=name, Key="k") is let_in


def test_a_hardened_link_is_removed_with_its_objects_and_versions(deployment: Deployment) -> None:
    deployment.destroy("hardened")
