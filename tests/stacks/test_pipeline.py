"""The pipeline's roles: who gets them, what they can do, and what they cannot."""

from __future__ import annotations

import base64
import copy
import json
import re
import sys
import threading
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber

from s3_links.operations import oidc
from s3_links.permissions.needs import Permissions, known
from s3_links.sandbox.access import Principal, allowed, root
from s3_links.sandbox.emulator import ACCOUNTS, Emulator
from tests.conftest import PROJECT, Terraform, run_main
from tests.evaluator import Documents, decide, unknown_actions
from tests.support.invariants import RULES, no_wildcard_resource, statements
from tests.support.links import accounts, stack_json, synthesize
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from s3_cross_account.account import Account

pytestmark = pytest.mark.cost("synthesized")

GITHUB = "token.actions.githubusercontent.com"
REPOSITORY = "repo:acme@1234567/s3-links@987654321"
PULL_REQUEST = f"{REPOSITORY}:pull_request"
MAIN = f"{REPOSITORY}:ref:refs/heads/main"
APPROVED = f"{REPOSITORY}:environment:production"
BUCKET = "acme-pipeline-state"
IDS = {"owner_id": "1234567", "repository_id": "987654321"}
PIPELINE = {"platform": "github", "repository": "acme/s3-links"}
LINKS: dict[str, Any] = {
    "hardened": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "existing_role": "legacy"},
            {"account": "account1", "instance_profile": "legacy-profile"},
            {"account": "account1", "new_role": "piped-reader"},
        ],
        "buckets": [{"account": "account2", "new_prefix": "piped-", "key": "new"}],
        "hardening": True,
    },
    "assumed": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "piped-caller", "instance": True}],
        "buckets": [{"account": "account1", "new_prefix": "piped-home-", "force_destroy": True}],
        "assumed_role": {"account": "account2", "name": "piped-worker"},
        "hardening": {
            "imdsv2": True,
            "ebs_encryption": True,
            "ebs_optimized": True,
            "https_egress_only": True,
            "default_security_group_closed": True,
        },
    },
    "people": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "existing_user": "backup"},
            {"account": "account1", "permission_set": "Analyst"},
            {
                "account": "account1",
                "new_role": "piped-job",
                "trusted_job": {"platform": "github", "repository": "acme/jobs", "branch": "main"},
            },
        ],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "piped-people-",
                "access_points": [{"account": "account1", "name": "piped-people"}],
                # The emulator takes a topic's tags for those of any, and a bus no whole policy.
                "notifications": [
                    {
                        "to": {"account": "account1", "new_queue": "piped-created"},
                        "events": ["s3:ObjectCreated:*"],
                    },
                ],
            }
        ],
    },
    "copies": {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": "piped-from-"},
        "destination": {"account": "account2", "new_prefix": "piped-to-"},
        "role_name": "piped-replication",
    },
    "trails": {
        "pattern": "service-delivery",
        "service": "cloudtrail",
        "from": ["account1"],
        "trail": "audit",
        "bucket": {"account": "account2", "new_prefix": "piped-trails-"},
    },
}


def declaration(**more: Any) -> dict[str, Any]:
    state = {"backend": "s3", "account": "account1", "bucket": BUCKET, "create_bucket": True}
    ignored = {"ignore_tags": {"keys": ["CostCenter"], "key_prefixes": ["acme:"]}}
    return {
        "accounts": accounts(account1=ignored, account2=ignored),
        "state": state,
        "pipeline": PIPELINE | IDS,
        "links": LINKS,
    } | more


def token(subject: str, *, host: str = GITHUB, audience: str = "sts.amazonaws.com") -> str:
    """Return a token as a platform signs it; AWS checks the signature, the emulator does not."""
    claims = {"iss": f"https://{host}", "aud": audience, "sub": subject}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


class Platform(ThreadingHTTPServer):
    """Hands out the token of a run, as GitHub does to a job that may ask for one."""

    def __init__(self) -> None:
        self.subject = PULL_REQUEST
        super().__init__(("127.0.0.1", 0), _TokenRequest)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{self.server_port}/token?v=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-this-job",
        }


class _TokenRequest(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "bearer of-this-job"
        audience = self.path.partition("&audience=")[2]
        body = json.dumps({"value": token(self.server.subject, audience=audience)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Accounts of this module's own: its roles reach buckets that demand TLS."""
    with Emulator(tmp_path_factory.mktemp("emulator"), encrypted=True) as running:
        yield running


@pytest.fixture(scope="module")
def administered(
    terraform: Terraform,  # noqa: ARG001 (skips without it)
    encrypted: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Workplace:
    """What an administrator deploys once: the state bucket, the roles and the link with a key."""
    iam = root(encrypted.endpoint, "account1").client("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [statement | {"Action": "sts:AssumeRole"}]}
    # The emulator leaves a role's path out of the ARN that it judges; the evaluator does not.
    for role, path in (("legacy", "/team/"), ("legacy-of-profile", "/")):
        iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_user(UserName="backup", Path="/x/")
    iam.create_instance_profile(InstanceProfileName="legacy-profile", Path="/team/")
    iam.add_role_to_instance_profile(
        InstanceProfileName="legacy-profile", RoleName="legacy-of-profile"
    )
    place = Workplace(tmp_path_factory.mktemp("pipeline"), Terraform(encrypted).environment)
    administer(place, declaration(), "terraform-state", "pipeline-roles", "hardened")
    return place


def administer(place: Workplace, declared: dict[str, Any], *stacks: str) -> None:
    """Deploy stacks with credentials that may do everything."""
    place.declare(declared)
    assert place.run(sys.executable, "main.py").returncode == 0
    for stack in stacks:
        for command in (("init",), ("apply", "-auto-approve", "-no-color")):
            result = place.terraform(stack, *command)
            assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def run(
    administered: Workplace, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Workplace]:
    """Return the workplace of a run with this role and subject: it has no other credentials."""

    def start(role: str, subject: str) -> Workplace:
        platform.subject = subject
        home = tmp_path_factory.mktemp("run")
        environment = {k: v for k, v in administered.environment.items() if "AWS_" not in k} | {
            k: v for k, v in administered.environment.items() if "ENDPOINT" in k
        }
        place = Workplace(home / "work", environment | platform.environment)
        place.environment |= {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        place.declare(declaration())
        result = place.make("credentials", f"ROLE={role}")
        assert result.returncode == 0, result.stderr
        assert f"arn:aws:iam::222222222222:role/s3-links-{role}" in result.stdout
        return place

    return start


@pytest.fixture(scope="module")
def planned(run: Callable[[str, str], Workplace]) -> Workplace:
    place = run("plan", PULL_REQUEST)
    result = place.make("plan")
    assert result.returncode == 0, result.stderr
    assert "account1: account 111111111111 (pinned) as arn:aws:sts::111111111111:assumed-role/" in (
        result.stdout
    )
    return place


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"GITHUB_RUN_ID": "4711", "GITHUB_JOB": "plan"}, "pipeline-4711-plan"),
        (
            {"CI_PIPELINE_ID": "12", "CI_JOB_NAME": "plan: [東京, a/b]"},
            "pipeline-12-plan-,-a-b-",
        ),
        ({"GITHUB_RUN_ID": "4711", "GITHUB_JOB": "x" * 99}, f"pipeline-4711-{'x' * 50}"),
        ({}, "pipeline"),
    ],
)
def test_the_session_carries_the_runs_id(
    environment: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("GITHUB_RUN_ID", "GITHUB_JOB", "CI_PIPELINE_ID", "CI_JOB_NAME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    sts = boto3.client("sts", region_name="eu-west-1", config=Config(signature_version=UNSIGNED))
    arn = "arn:aws:iam::111111111111:role/s3-links-plan"
    asked = {"RoleArn": arn, "RoleSessionName": name, "WebIdentityToken": token(MAIN)}
    keys = {"AccessKeyId": "A" * 16, "SecretAccessKey": "s", "SessionToken": "t"}
    credentials = keys | {"Expiration": datetime(2030, 1, 1, tzinfo=UTC)}
    monkeypatch.setattr("s3_links.operations.oidc.boto3.client", lambda *_, **__: sts)
    with Stubber(sts) as stubber:
        stubber.add_response("assume_role_with_web_identity", {"Credentials": credentials}, asked)
        oidc._session(token(MAIN), arn, "eu-west-1")


def owners(encrypted: Emulator) -> dict[str, Principal]:
    return {alias: root(encrypted.endpoint, alias) for alias in ACCOUNTS}


def made(encrypted: Emulator) -> list[str]:
    return [
        bucket["Name"]
        for owner in owners(encrypted).values()
        for bucket in owner.s3.list_buckets()["Buckets"]
        if bucket["Name"].startswith("piped-")
    ]


def test_the_plan_role_plans_every_link(planned: Workplace) -> None:
    plans = sorted(file.name for file in (planned.folder / "plans").glob("*.tfplan"))
    assert plans == [f"{name}.tfplan" for name in sorted(LINKS)]


def test_the_plan_role_cannot_apply_its_plan(planned: Workplace, encrypted: Emulator) -> None:
    plan = planned.folder / "plans" / "assumed.tfplan"
    result = planned.terraform("assumed", "apply", "-lock=false", "-no-color", str(plan))
    assert result.returncode == 1
    assert "AccessDenied" in result.stderr
    assert not [name for name in made(encrypted) if name.startswith("piped-home-")]


def test_the_plan_role_cannot_take_the_lock(planned: Workplace) -> None:
    result = planned.terraform("copies", "plan", "-no-color")
    assert "Error acquiring the state lock" in result.stderr


@pytest.fixture(scope="module")
def deployed(run: Callable[[str, str], Workplace], planned: Workplace) -> Workplace:
    """The approved run: it applies exactly the plans of the run before."""
    place = run("deploy", APPROVED)
    (planned.folder / "plans").rename(place.folder / "plans")
    result = place.make("apply")
    assert result.returncode == 0, result.stderr
    return place


def test_the_deploy_role_deploys_every_link(deployed: Workplace, encrypted: Emulator) -> None:
    assert len(made(encrypted)) == 7  # one is the log bucket of the hardened link
    assert (deployed.folder / "plans" / "summary.md").exists()


def test_the_plan_role_sees_no_drift_in_what_was_deployed_nor_in_the_organizations_tags(
    deployed: Workplace,  # noqa: ARG001
    bucket: str,
    encrypted: Emulator,
    run: Callable[[str, str], Workplace],
) -> None:
    owner = root(encrypted.endpoint, "account1")
    tags = [{"Key": key, "Value": "42"} for key in ("CostCenter", "acme:owner")]
    owner.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    owner.client("iam").tag_role(RoleName="piped-caller", Tags=tags)
    result = run("plan", MAIN).make("drift")
    assert result.returncode == 0, result.stderr
    assert "No changes. Unchanged: 5." in result.stdout


def session(encrypted: Emulator, role: str, subject: str, alias: str = "account1") -> Principal:
    reply = (
        root(encrypted.endpoint, alias)
        .client("sts")
        .assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNTS[alias]}:role/s3-links-{role}",
            RoleSessionName="probe",
            WebIdentityToken=token(subject),
        )["Credentials"]
    )
    return Principal(
        encrypted.endpoint, reply["AccessKeyId"], reply["SecretAccessKey"], reply["SessionToken"]
    )


TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
POLICY = "arn:aws:iam::{account}:policy/"
REFUSED: dict[str, Callable[[Principal, str, str], Any]] = {
    "make another role": lambda p, _, __: p.client("iam").create_role(
        RoleName="another", AssumeRolePolicyDocument=TRUST
    ),
    "change its own role": lambda p, _, __: p.client("iam").put_role_policy(
        RoleName="s3-links-deploy", PolicyName="more", PolicyDocument=TRUST
    ),
    "attach a policy to its own role": lambda p, _, __: p.client("iam").attach_role_policy(
        RoleName="s3-links-deploy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "attach AWS's administrator policy": lambda p, _, __: p.client("iam").attach_role_policy(
        RoleName="piped-reader", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "change who may assume the pipeline's role": (
        lambda p, _, __: p.client("iam").update_assume_role_policy(
            RoleName="s3-links-deploy", PolicyDocument=TRUST
        )
    ),
    "change an existing role's trust": lambda p, _, __: p.client("iam").update_assume_role_policy(
        RoleName="legacy", PolicyDocument=TRUST
    ),
    "make another user": lambda p, _, __: p.client("iam").create_user(UserName="another"),
    "change the OIDC provider": (
        lambda p, account, __: p.client("iam").add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=f"arn:aws:iam::{account}:oidc-provider/{GITHUB}",
            ClientID="another",
        )
    ),
    "make another bucket": lambda p, _, __: p.s3.create_bucket(
        Bucket="another-bucket",
        CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"},
    ),
    "make a bucket that only begins alike": lambda p, _, __: p.s3.create_bucket(
        Bucket="piped-home-other",
        CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"},
    ),
    "read an object": lambda p, _, bucket: p.s3.get_object(Bucket=bucket, Key="secret"),
    "write an object": lambda p, _, bucket: p.s3.put_object(Bucket=bucket, Key="x", Body=b""),
    "list all buckets": lambda p, _, __: p.s3.list_buckets(),
    "delete a state": lambda p, _, __: p.s3.delete_object(Bucket=BUCKET, Key="assumed.tfstate"),
    "open the state bucket": lambda p, _, __: p.s3.delete_bucket_policy(Bucket=BUCKET),
    "delete the state bucket": lambda p, _, __: p.s3.delete_bucket(Bucket=BUCKET),
    "read the state of its own role": lambda p, _, __: p.s3.get_object(
        Bucket=BUCKET, Key="pipeline-roles.tfstate"
    ),
    "write the state of its own role": lambda p, _, __: p.s3.put_object(
        Bucket=BUCKET, Key="pipeline-roles.tfstate", Body=b"{}"
    ),
    "read a state of another project": lambda p, _, __: p.s3.get_object(
        Bucket=BUCKET, Key="another.tfstate"
    ),
}
ONLY_DEPLOY: dict[str, Callable[[Principal, str, str], Any]] = {
    "give the callers other policies": lambda p, account, __: p.client("iam").attach_role_policy(
        RoleName="piped-caller", PolicyArn=f"{POLICY}piped-caller-account1".format(account=account)
    ),
    "remove a bucket policy": lambda p, _, bucket: p.s3.delete_bucket_policy(Bucket=bucket),
    "write a state": lambda p, _, __: p.s3.put_object(
        Bucket=BUCKET,
        Key="assumed.tfstate",
        Body=p.s3.get_object(Bucket=BUCKET, Key="assumed.tfstate")["Body"].read(),
    ),
    "change a route": lambda p, _, __: p.client("ec2").create_vpc(CidrBlock="10.9.0.0/16"),
}


@pytest.fixture(scope="module")
def bucket(deployed: Workplace, encrypted: Emulator) -> str:  # noqa: ARG001
    """A bucket in account 1, with an object; another project's state is in the state bucket."""
    (name,) = (name for name in made(encrypted) if name.startswith("piped-home-"))
    s3 = root(encrypted.endpoint, "account1").s3
    s3.put_object(Bucket=name, Key="secret", Body=b"secret")
    s3.put_object(Bucket=BUCKET, Key="another.tfstate", Body=b"{}")
    return name


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize(("role", "subject"), [("plan", MAIN), ("deploy", APPROVED)])
def test_neither_role_can(
    what: str, role: str, subject: str, bucket: str, encrypted: Emulator
) -> None:
    principal = session(encrypted, role, subject)
    assert not allowed(lambda: REFUSED[what](principal, ACCOUNTS["account1"], bucket))


@pytest.mark.parametrize("what", ONLY_DEPLOY)
def test_only_the_deploy_role_can(what: str, bucket: str, encrypted: Emulator) -> None:
    found = [
        allowed(
            lambda: ONLY_DEPLOY[what](
                session(encrypted, role, subject),  # noqa: B023
                ACCOUNTS["account1"],
                bucket,
            )
        )
        for role, subject in (("plan", MAIN), ("deploy", APPROVED))
    ]
    assert found == [False, True]


@pytest.mark.usefixtures("deployed")
def test_the_deploy_role_works_with_our_keys_only(encrypted: Emulator) -> None:
    kms = session(encrypted, "deploy", APPROVED, "account2").client("kms")
    owner = root(encrypted.endpoint, "account2").client("kms")
    other = owner.create_key()["KeyMetadata"]["KeyId"]
    ours = next(
        key["KeyId"]
        for key in owner.list_keys()["Keys"]
        if owner.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    )
    as_ours = owner.list_resource_tags(KeyId=ours)["Tags"]
    attacks: tuple[Callable[[], Any], ...] = (
        lambda: kms.tag_resource(KeyId=other, Tags=as_ours),
        lambda: kms.untag_resource(KeyId=ours, TagKeys=[as_ours[0]["TagKey"]]),
        lambda: kms.create_key(Tags=as_ours),
        lambda: kms.create_key(),
    )
    assert [allowed(attack) for attack in attacks] == [False] * len(attacks)
    found = [
        allowed(lambda: kms.get_key_rotation_status(KeyId=key))  # noqa: B023
        for key in (ours, other)
    ]
    assert found == [True, False]
    assert not allowed(lambda: kms.schedule_key_deletion(KeyId=other))


@pytest.fixture(scope="module")
def permissions(administered: Workplace) -> Documents:
    """The pipeline's roles as they were deployed, for the independent evaluator."""
    return Documents(json.loads(administered.terraform("pipeline-roles", "show", "-json").stdout))


def pipeline_role(role: str, alias: str = "account1") -> str:
    return f"arn:aws:iam::{ACCOUNTS[alias]}:role/s3-links-{role}"


@pytest.mark.parametrize(
    ("action", "tags", "works"),
    [
        ("kms:PutKeyPolicy", {"aws:ResourceTag/s3-cross-account": "hardened"}, True),
        ("kms:PutKeyPolicy", {"aws:ResourceTag/s3-cross-account": "of-another-pipeline"}, False),
        ("kms:PutKeyPolicy", {"aws:ResourceTag/ManagedBy": "s3-cross-account"}, False),
        ("kms:TagResource", {"aws:RequestTag/s3-cross-account": "hardened"}, False),
        ("kms:TagResource", {"aws:RequestTag/ManagedBy": "s3-cross-account"}, False),
        ("kms:UntagResource", {"aws:ResourceTag/s3-cross-account": "hardened"}, False),
    ],
)
def test_no_key_becomes_the_deploy_roles_own(
    action: str, tags: dict[str, str], works: bool, permissions: Documents
) -> None:
    key = "arn:aws:kms:ap-northeast-1:222222222222:key/11111111-2222-3333-4444-555555555555"
    request = permissions.asks(pipeline_role("deploy", "account2"), action, key, **tags)
    assert decide([request]) == [works]


@pytest.mark.parametrize(
    ("policy", "user", "works"),
    [
        ("people-backup-account2", "x/backup", True),
        ("people-backup-account2", "backup", True),
        ("people-backup-account2", "x/another", False),
        ("AdministratorAccess", "x/backup", False),
    ],
)
def test_policies_are_attached_to_the_user_that_is_declared(
    policy: str, user: str, works: bool, permissions: Documents
) -> None:
    request = permissions.asks(
        pipeline_role("deploy"),
        "iam:AttachUserPolicy",
        f"arn:aws:iam::111111111111:user/{user}",
        **{"iam:PolicyARN": f"arn:aws:iam::111111111111:policy/{policy}"},
    )
    assert decide([request]) == [works]


@pytest.mark.parametrize(
    ("policy", "role", "works"),
    [
        ("hardened-legacy-account2", "team/legacy", True),
        ("hardened-legacy-account2", "service-role/x/legacy", True),
        ("hardened-legacy-account2", "legacy", True),
        ("hardened-legacy-account2", "team/not-legacy", False),
        ("hardened-legacy-account2", "legacy/another", False),
        ("hardened-legacy-profile-account2", "legacy-of-profile", True),
        ("hardened-legacy-profile-account2", "legacy-profile", False),
        ("hardened-legacy-profile-account2", "s3-links-deploy", False),
    ],
)
def test_policies_are_attached_to_the_roles_that_exist_whatever_their_path_or_profile(
    policy: str, role: str, works: bool, permissions: Documents
) -> None:
    request = permissions.asks(
        pipeline_role("deploy"),
        "iam:AttachRolePolicy",
        f"arn:aws:iam::111111111111:role/{role}",
        **{"iam:PolicyARN": f"arn:aws:iam::111111111111:policy/{policy}"},
    )
    assert decide([request]) == [works]


def test_roles_are_passed_only_to_the_service_that_is_to_have_them(
    permissions: Documents,
) -> None:
    """The emulator does not ask for this permission; the independent evaluator does."""
    asked = [
        permissions.passes(pipeline_role(role), passed, service)
        for role, passed, service in (
            ("deploy", "piped-caller", "ec2.amazonaws.com"),
            ("deploy", "piped-replication", "s3.amazonaws.com"),
            ("deploy", "piped-caller", "lambda.amazonaws.com"),
            ("deploy", "piped-reader", "ec2.amazonaws.com"),
            ("deploy", "s3-links-deploy", "ec2.amazonaws.com"),
            ("plan", "piped-caller", "ec2.amazonaws.com"),
        )
    ]
    assert decide(asked) == [True, True, False, False, False, False]


def test_less_in_a_link_is_removed_while_the_roles_still_name_it(
    run: Callable[[str, str], Workplace], encrypted: Emulator
) -> None:
    less = copy.deepcopy(LINKS)
    del less["hardened"]["consumers"][2]
    planner = run("plan", MAIN)
    planner.declare(declaration(links=less))
    result = planner.make("plan", "LINK=hardened")
    assert result.returncode == 0, result.stderr
    deployer = run("deploy", APPROVED)
    deployer.declare(declaration(links=less))
    (planner.folder / "plans").rename(deployer.folder / "plans")
    result = deployer.make("apply")
    assert result.returncode == 0, result.stderr
    roles = root(encrypted.endpoint, "account1").client("iam").list_roles()["Roles"]
    assert "piped-reader" not in [role["RoleName"] for role in roles]


def test_the_deploy_role_removes_what_it_made(deployed: Workplace, encrypted: Emulator) -> None:
    for stack in ("hardened", "people", "copies", "trails"):
        result = deployed.terraform(stack, "destroy", "-auto-approve", "-no-color")
        assert result.returncode == 0, result.stderr
    assert [name for name in made(encrypted) if not name.startswith("piped-home-")] == []


@pytest.fixture(scope="module")
def renamed(administered: Workplace, run: Callable[[str, str], Workplace]) -> Workplace:
    """A run whose declaration has another link in the place of the one that was destroyed."""
    bucket = {"account": "account1", "new_prefix": "piped-later-", "key": "new"}
    role = {"account": "account2", "new_role": "piped-later"}
    later = {"pattern": "direct-access", "consumers": [role], "buckets": [bucket]}
    declared = declaration(links={"assumed": LINKS["assumed"], "later": later})
    administer(administered, declared, "pipeline-roles")
    planner, deployer = run("plan", MAIN), run("deploy", APPROVED)
    for place in (planner, deployer):
        place.declare(declared)
    result = planner.make("plan")
    assert result.returncode == 0, result.stderr
    (planner.folder / "plans").rename(deployer.folder / "plans")
    return deployer


def test_who_made_the_roles_anew_takes_the_states_of_links_that_are_gone_from_them(
    renamed: Workplace,  # noqa: ARG001
    encrypted: Emulator,
) -> None:
    s3 = session(encrypted, "deploy", APPROVED).s3
    states = ("assumed", "later", "hardened", "people", "copies")
    found = [
        allowed(lambda: s3.put_object(Bucket=BUCKET, Key=f"{state}.tfstate.tflock", Body=b""))  # noqa: B023
        for state in states
    ]
    for state in states[:2]:
        s3.delete_object(Bucket=BUCKET, Key=f"{state}.tfstate.tflock")
    assert found == [True, True, False, False, False]


def test_a_new_key_is_left_to_an_administrator(
    renamed: Workplace, administered: Workplace, run: Callable[[str, str], Workplace]
) -> None:
    result = renamed.make("apply")
    assert result.returncode != 0
    assert "only an administrator makes new keys: `s3-links deploy later`" in result.stderr
    declared = json.loads((renamed.folder / "links.json").read_text())
    administer(administered, declared, "later")
    place = run("plan", MAIN)
    place.declare(declared)
    result = place.make("drift")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("role", "subject", "works"),
    [
        ("plan", PULL_REQUEST, True),
        ("plan", MAIN, True),
        ("plan", f"{REPOSITORY}:ref:refs/heads/other", False),
        ("plan", "repo:acme@1234567/another@987654322:pull_request", False),
        ("plan", "repo:acme/s3-links:pull_request", False),  # of whoever has the name now
        ("plan", APPROVED, False),
        ("deploy", APPROVED, True),
        ("deploy", MAIN, False),
        ("deploy", PULL_REQUEST, False),
        ("deploy", f"{REPOSITORY}:environment:staging", False),
        ("deploy", "repo:acme@7654321/s3-links@987654321:environment:production", False),
        ("deploy", "repo:acme@1234567/s3-links@987654322:environment:production", False),
        ("deploy", "repo:acme/s3-links:environment:production", False),
    ],
)
@pytest.mark.usefixtures("administered")
def test_only_these_runs_get_a_role(
    role: str, subject: str, works: bool, encrypted: Emulator
) -> None:
    assert allowed(lambda: session(encrypted, role, subject)) is works


def test_a_run_that_is_not_trusted_is_told_its_subject(
    administered: Workplace, platform: Platform, tmp_path: Path
) -> None:
    platform.subject = MAIN
    place = Workplace(tmp_path / "work", administered.environment | platform.environment)
    place.environment["HOME"] = str(tmp_path)
    place.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(tmp_path / "credentials")
    place.declare(declaration())
    result = place.operations_here("credentials", "--role", "deploy")
    assert result.returncode == 1
    for alias, id_ in ACCOUNTS.items():
        told = f"{alias}: arn:aws:iam::{id_}:role/s3-links-deploy does not trust this run"
        assert told in result.stderr
    assert f"whose subject is '{MAIN}'" in result.stderr
    assert '("owner_id" and "repository_id" stand behind @)' in result.stderr
    assert not (tmp_path / "credentials").exists()


def test_without_a_token_the_job_is_told_what_it_lacks(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "work", {})
    place.declare(declaration())
    result = place.operations_here("credentials", "--role", "plan")
    assert result.returncode == 1
    assert "give the job `permissions: id-token: write` (GitHub)" in result.stderr


def test_other_profiles_in_the_credentials_file_are_kept(
    administered: Workplace, tmp_path: Path
) -> None:
    place = Workplace(tmp_path / "work", administered.environment)
    file = tmp_path / "credentials"
    file.write_text("[mine]\naws_access_key_id = A%B\n")
    place.environment |= {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    place.environment |= {"AWS_ID_TOKEN": token(PULL_REQUEST)}  # as GitLab gives it
    place.declare(declaration())
    assert place.operations_here("credentials", "--role", "plan").returncode == 0
    text = file.read_text()
    assert "[mine]\naws_access_key_id = A%B\n" in text
    assert "[account1]" in text
    assert "[account2]" in text


# What the roles' documents say, without deploying them.

GITLAB = {"platform": "gitlab", "repository": "acme/group/s3-links", "branch": "trunk"}


def trusts(stack: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    return {
        name: {c["variable"].rpartition(":")[2]: c["values"] for c in statement["condition"]}
        for name, statement in statements(stack)
        if "sts:AssumeRoleWithWebIdentity" in statement["actions"]
    }


def test_githubs_subjects_without_ids(tmp_path: Path) -> None:
    assert synthesize(tmp_path, declaration(pipeline=PIPELINE)).returncode == 0
    found = trusts(stack_json(tmp_path, "pipeline-roles"))
    subjects = {name.split("-")[0]: trust["sub"] for name, trust in found.items()}
    assert subjects["account1_deploy"] == ["repo:acme/s3-links:environment:production"]


def test_gitlabs_subjects(tmp_path: Path) -> None:
    assert synthesize(tmp_path, declaration(pipeline=GITLAB)).returncode == 0
    stack = stack_json(tmp_path, "pipeline-roles")
    subjects = {name.split("-")[0]: trust["sub"] for name, trust in trusts(stack).items()}
    project = "project_path:acme/group/s3-links:ref_type:branch:ref"
    assert subjects["account1_plan"] == [f"{project}:*"]
    assert subjects["account1_deploy"] == [f"{project}:trunk"]
    (provider, _) = stack["resource"]["aws_iam_openid_connect_provider"].values()
    assert provider["url"] == "https://gitlab.com"


def test_an_existing_oidc_provider_is_not_made_again(tmp_path: Path) -> None:
    existing = PIPELINE | {"existing_oidc_provider": True}
    assert synthesize(tmp_path, declaration(pipeline=existing)).returncode == 0
    stack = stack_json(tmp_path, "pipeline-roles")
    assert "aws_iam_openid_connect_provider" not in stack["resource"]
    named = [
        principal["identifiers"]
        for _, statement in statements(stack)
        for principal in statement.get("principals", [])
    ]
    assert [f"arn:aws:iam::111111111111:oidc-provider/{GITHUB}"] in named


def test_the_invariants_hold_but_for_what_has_no_name_beforehand(tmp_path: Path) -> None:
    assert synthesize(tmp_path, declaration()).returncode == 0
    stack = stack_json(tmp_path, "pipeline-roles")
    for rule in RULES:
        if rule is not no_wildcard_resource:
            assert rule(stack) == [], rule.__name__
    for _, statement in statements(stack):
        for resource in statement.get("resources", []):
            if resource == "*":  # held by a condition instead
                (condition,) = statement["condition"]
                assert condition["variable"] == "aws:RequestedRegion"
                assert {a.partition(":")[0] for a in statement["actions"]} == {"ec2"}


def test_in_another_partition_every_arn_is_of_that_partition(tmp_path: Path) -> None:
    region = {"region": "us-gov-west-1"}
    declared = declaration(accounts=accounts(account1=region, account2=region))
    assert synthesize(tmp_path, declared).returncode == 0
    stack = (tmp_path / "cdktf.out" / "stacks" / "pipeline-roles" / "cdk.tf.json").read_text()
    assert set(re.findall(r"arn:(aws[a-z-]*):", stack)) == {"aws-us-gov"}


def test_aws_knows_every_action(tmp_path: Path) -> None:
    assert synthesize(tmp_path, declaration()).returncode == 0
    found = {a for _, s in statements(stack_json(tmp_path, "pipeline-roles")) for a in s["actions"]}
    assert len(found) > 90
    assert unknown_actions(sorted(found)) == []
    assert unknown_actions(["s3:GetBucketWebsit"]) == ["s3:GetBucketWebsit"]


def test_a_resource_type_that_is_not_known_is_an_error() -> None:
    stack = {"resource": {"aws_dynamodb_table": {"q": {"provider": "aws.account1"}}}}
    account = SimpleNamespace(alias="account1", region="eu-west-1", partition="aws", account_id="1")
    with pytest.raises(ValueError, match="aws_dynamodb_table: add what it needs"):
        Permissions([stack], cast("Account", account), str)


def test_what_is_made_is_named_as_the_one_reader_names_it() -> None:
    account = SimpleNamespace(alias="a", region="eu-west-1", partition="aws", account_id="1" * 12)
    provider = {"provider": "aws.a"}
    stack = {
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1"}]},
        "variable": {"team": {"default": "red"}},
        "resource": {
            "aws_iam_role": {"r": provider | {"name": "${var.team}-r", "path": "/team/"}},
            "aws_iam_policy": {"p": provider | {"name_prefix": "p-", "path": "/team/"}},
        },
    }
    statements = Permissions([stack], cast("Account", account), str).to_plan()
    assert {arn for statement in statements for arn in statement.resources} == {
        f"arn:aws:iam::{'1' * 12}:role/team/red-r",
        f"arn:aws:iam::{'1' * 12}:policy/team/p-{'?' * 26}",
    }


def test_what_is_declared_by_its_arn_is_just_that() -> None:
    account = SimpleNamespace(alias="a", region="eu-west-1", partition="aws", account_id="1" * 12)
    start = f"arn:aws:iam::{'1' * 12}:user"
    attached = {"provider": "aws.a", "user": "backup", "policy_arn": "p"}
    stack: dict[str, Any] = {
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1"}]},
        "resource": {"aws_iam_user_policy_attachment": {"a": attached}},
    }
    found = []
    for told in (f"{start}/x/backup", "${data.aws_iam_user.u.arn}"):
        content = stack | {"output": {"user_arn": {"value": told}}}
        statements = Permissions([content], cast("Account", account), str).to_deploy()
        found.append({arn for statement in statements for arn in statement.resources})
    assert found == [{f"{start}/x/backup"}, {f"{start}/backup", f"{start}/*/backup"}]


def test_the_keys_of_all_links_share_a_statement() -> None:
    account = SimpleNamespace(alias="account1", region="eu-west-1", partition="aws", account_id="1")
    stacks = [
        {"resource": {"aws_kms_key": {"k": {"provider": "aws.account1", "tags": {"of": link}}}}}
        for link in ("one", "two")
    ]
    (statement,) = Permissions(stacks, cast("Account", account), str).to_plan()
    assert [c.values for c in statement.conditions] == [("one", "two")]


def test_the_tags_of_a_bucket_are_asked_for_in_the_way_of_the_providers_version_6(
    tmp_path: Path,
) -> None:
    assert synthesize(tmp_path, declaration()).returncode == 0
    found: dict[str, set[str]] = {"plan": set(), "deploy": set()}
    for name, statement in statements(stack_json(tmp_path, "pipeline-roles")):
        found[name.split("_")[1].split("-")[0]].update(statement["actions"])
    tagging = {"s3:TagResource", "s3:UntagResource"}
    assert "s3:ListTagsForResource" in found["plan"]
    assert tagging <= found["deploy"]
    assert not tagging & found["plan"]


def test_tags_on_everything_in_an_account_are_set_by_the_deploy_role_there(tmp_path: Path) -> None:
    content = declaration()
    content["accounts"]["account2"]["tags"] = {"CostCenter": "42"}
    assert synthesize(tmp_path, content).returncode == 0
    tagging = {"iam:TagRole", "iam:TagPolicy", "s3:PutBucketTagging"}
    found: dict[str, set[str]] = {}
    for name, statement in statements(stack_json(tmp_path, "pipeline-roles")):
        role = name.split("_")[0], name.split("_")[1].split("-")[0]
        found.setdefault(str(role), set()).update(tagging & {*statement["actions"]})
    assert sorted(map(sorted, filter(None, found.values()))) == [sorted(tagging)], found


def test_every_resource_type_that_is_used_is_known() -> None:
    source = (PROJECT / "constructs" / "s3_cross_account" / "bindings.py").read_text()
    modules = set(re.findall(r"cdktf_cdktf_provider_aws\.(\w+) import", source)) - {"provider"}
    # The roles' own stack is not deployed by the roles.
    for module in modules - {"iam_openid_connect_provider"}:
        is_data = module.startswith("data_aws_")
        name = f"data.{module.removeprefix('data_')}" if is_data else f"aws_{module}"
        assert known(name), name


def test_the_reference_stack_is_deployed_by_the_names_that_it_has_by_default(
    tmp_path: Path,
) -> None:
    configuration = json.loads((PROJECT / "cdktf.json").read_text())
    configuration["context"] |= {
        key: declaration()[key] for key in ("accounts", "state", "pipeline")
    }
    assert run_main(tmp_path, configuration=json.dumps(configuration)).returncode == 0
    stack = stack_json(tmp_path, "pipeline-roles")
    assert "${var." not in json.dumps(stack)
    arns = [r for _, statement in statements(stack) for r in statement.get("resources", [])]
    assert "arn:aws:iam::111111111111:role/account1-ec2-role-1" in arns


def test_a_pipeline_reaches_no_log_bucket_of_anothers_link(tmp_path: Path) -> None:
    names, reached = {}, {}
    account = SimpleNamespace(
        alias="account2", region="ap-northeast-1", partition="aws", account_id="222222222222"
    )
    for team in ("one", "two"):
        bucket = {"account": "account2", "new_prefix": f"{team}-"}
        role = {"account": "account1", "new_role": team}
        link = {"pattern": "direct-access", "consumers": [role], "buckets": [bucket]}
        links = {"link": link | {"hardening": True}}
        assert synthesize(tmp_path / team, {"accounts": accounts(), "links": links}).returncode == 0
        stack = stack_json(tmp_path / team, "link")
        buckets = stack["resource"]["aws_s3_bucket"].values()
        names[team] = [f"arn:aws:s3:::{block['bucket_prefix']}{'0' * 26}" for block in buckets]
        allowed_ = Permissions([stack], cast("Account", account), str).to_deploy()
        reached[team] = {resource for statement in allowed_ for resource in statement.resources}
    assert [len(found) for found in names.values()] == [2, 2]
    for ours in names:
        for team, theirs in names.items():
            found = [any(fnmatchcase(arn, r) for r in reached[ours] if r != "*") for arn in theirs]
            assert found == [team == ours] * 2


def test_a_boundary_is_demanded_of_every_new_role(tmp_path: Path) -> None:
    boundary = "arn:aws:iam::111111111111:policy/boundary"
    declared = declaration()
    declared["accounts"]["account1"]["permissions_boundary"] = boundary
    assert synthesize(tmp_path, declared).returncode == 0
    stack = stack_json(tmp_path, "pipeline-roles")
    creating = [
        statement["condition"]
        for name, statement in statements(stack)
        if "iam:CreateRole" in statement["actions"] and name.startswith("account1")
    ]
    wanted = {"test": "StringEquals", "variable": "iam:PermissionsBoundary", "values": [boundary]}
    assert creating == [[wanted]]


@pytest.mark.parametrize(
    ("pipeline", "problem"),
    [
        ({"platform": "jenkins", "repository": "a/b"}, 'pipeline.platform: "jenkins" is not'),
        ({"platform": "github"}, "pipeline.repository: is missing: add"),
        (PIPELINE | {"repository": "s3-links"}, 'pipeline.repository: "s3-links" is not'),
        (PIPELINE | {"host": "gitlab.example.com"}, '"host" is for a GitLab of your own'),
        (PIPELINE | {"owner_id": "1"}, '"repository_id" is missing: GitHub sends both ids or none'),
        (PIPELINE | {"repository_id": "1"}, "`gh api repos/acme/s3-links --jq '.owner.id, .id'`"),
        (PIPELINE | IDS | {"owner_id": "acme"}, 'pipeline.owner_id: "acme" is not the id'),
        (GITLAB | IDS, '"owner_id" and "repository_id" are for GitHub'),
        (PIPELINE | {"branch": "*"}, 'pipeline.branch: "*" is not the branch that is deployed'),
        (PIPELINE | {"enviroment": "x"}, 'did you mean "environment"?'),
        (PIPELINE | {"repository": "a/b/c"}, "on GitHub is an owner and a name"),
        (GITLAB | {"environment": "live"}, '"environment" is for GitHub'),
        (PIPELINE | {"role_name": "piped-caller", "x": 1}, "pipeline.x: unknown key"),
    ],
)
def test_a_wrong_pipeline_is_told(pipeline: dict[str, Any], problem: str, tmp_path: Path) -> None:
    result = synthesize(tmp_path, declaration(pipeline=pipeline))
    assert result.returncode == 1
    assert problem in result.stderr
    assert "Traceback" not in result.stderr


def test_a_pipeline_without_a_state_outside_would_make_everything_again(tmp_path: Path) -> None:
    result = synthesize(tmp_path, declaration(state={"backend": "local"}))
    assert 'pipeline: needs a "state" in S3 or HCP Terraform' in result.stderr


def test_no_link_makes_what_the_other_stacks_make(tmp_path: Path) -> None:
    bucket = {"account": "account1", "imported": BUCKET, "policy": "create"}
    role = {"account": "account2", "new_role": "s3-links-plan"}
    link = {"pattern": "direct-access", "consumers": [role], "buckets": [bucket]}
    result = synthesize(tmp_path, declaration(links={"clash": link}))
    assert "the role 's3-links-plan' in account2 is created by pipeline too" in result.stderr
    assert f"the bucket '{BUCKET}' in account1 is created by state too" in result.stderr


def test_no_link_gives_access_to_the_pipelines_own_roles(tmp_path: Path) -> None:
    bucket = {"account": "account1", "new_prefix": "piped-"}
    role = {"account": "account2", "existing_role": "S3-links-deploy"}
    link = {"pattern": "direct-access", "consumers": [role], "buckets": [bucket]}
    result = synthesize(tmp_path, declaration(links={"own": link}))
    assert "links.own: the role 'S3-links-deploy' is the pipeline's: give the" in result.stderr


def test_a_bucket_is_imported_once_whatever_the_account(tmp_path: Path) -> None:
    links = {}
    for number in "12":
        bucket = {"account": f"account{number}", "imported": "ours", "policy": "create"}
        role = {"account": "account1", "new_role": f"reader-{number}"}
        link = {"pattern": "direct-access", "consumers": [role], "buckets": [bucket]}
        links[f"link-{number}"] = link
    result = synthesize(tmp_path, declaration(links=links))
    assert "the bucket 'ours' in account2 is created by links.link-1 too" in result.stderr


@pytest.mark.parametrize("missing", ["account_id", "profile"])
def test_a_pipeline_needs_pinned_accounts_with_profiles(missing: str, tmp_path: Path) -> None:
    declared = declaration()
    del declared["accounts"]["account2"][missing]
    result = synthesize(tmp_path, declared)
    assert result.returncode == 1
    told = 'accounts.account2: needs an "account_id" and a "profile" for "pipeline": the role that'
    assert told in result.stderr


@pytest.mark.parametrize(
    "alias",
    [
        "backend",
        "constructor",
        "hasOwnProperty",
        "toString",
        "account2-provider",
        "deploy_role_arn_account2",
    ],
)
def test_with_a_pipeline_no_alias_is_a_word_of_cdktf(alias: str, tmp_path: Path) -> None:
    text = json.dumps(declaration()).replace('"account1"', f'"{alias}"')
    result = synthesize(tmp_path, text)
    assert result.returncode == 1
    told = f'accounts.{alias}: is a word that cdktf needs for "pipeline" itself: choose another'
    assert told in result.stderr
    del (alone := json.loads(text))["pipeline"]
    assert synthesize(tmp_path, alone).returncode == 0
