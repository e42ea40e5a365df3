"""Why a request is refused, with what the declaration says of it: documents as recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.read_links import read_links
from s3_links.live.reader import Account, Reader
from s3_links.operations.explain.declared import Declared
from s3_links.operations.explain.explain import Explained
from s3_links.operations.explain.pasted import read
from s3_links.operations.explain.question import Question
from s3_links.operations.stack import synthesized
from s3_links.sandbox.emulator import ACCOUNTS
from tests.support.links import accounts, synthesize
from tests.support.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_links.declarations.links import Links
    from s3_links.operations.explain.answer import Answer
    from s3_links.operations.stack import Stack

pytestmark = pytest.mark.cost("synthesized")
ONE, TWO = ACCOUNTS["account1"], ACCOUNTS["account2"]
KEY = f"arn:aws:kms:ap-northeast-1:{TWO}:key/11111111-2222-3333-4444-555555555555"
PARTNER: dict[str, Any] = {"account_id": "444444444444", "foreign": True}
NEW = "new-20261125023649946400000001"
LINKS: dict[str, Any] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [
            {"account": "account2", "existing": "new-reports", "policy": "merge", "key": KEY},
            {"account": "account2", "new_prefix": "new-"},
        ],
        "access": {"level": "read-only", "prefixes": ["r/"]},
    },
    "points": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "pointed"}],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "behind-",
                "access_points": [{"account": "account1", "name": "before"}],
            }
        ],
        "access": {"level": "read-only"},
    },
    "assume": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": [{"account": "account2", "new_prefix": "away-"}],
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "x-123"},
    },
    "chain": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "cluster"}],
        "buckets": [{"account": "account2", "new_prefix": "lake-"}],
        "assumed_role": {
            "account": "account1",
            "name": "loader",
            "through": [{"account": "account2", "name": "gateway"}],
        },
    },
    "people": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "permission_set": "Analyst"}],
        "buckets": [{"account": "account2", "existing": "people-reports", "policy": "merge"}],
        "access": {"level": "read-only"},
    },
    "partner": {
        "pattern": "direct-access",
        "consumers": [{"account": "partner", "existing_role": "etl"}],
        "buckets": [{"account": "account2", "existing": "shared-reports", "policy": "merge"}],
        "access": {"level": "read-only"},
    },
    "their-role": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "their-caller"}],
        "buckets": [{"account": "partner", "existing": "their-lake", "policy": "merge"}],
        "assumed_role": {"account": "partner", "name": "for-us"},
        "access": {"level": "read-only"},
    },
    "copies": {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": "source-"},
        "destination": {"account": "account2", "new_prefix": "copy-"},
        "role_name": "copier",
    },
}


@pytest.fixture(scope="module")
def declaration(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Stack], Links]:
    folder = tmp_path_factory.mktemp("declared")
    result = synthesize(folder, {"accounts": accounts(partner=PARTNER), "links": LINKS})
    assert result.returncode == 0, result.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return synthesized(), read_links(folder / "links.json")


def role(name: str, account: str = ONE) -> dict[str, Any]:
    """Return what is recorded of a role that may do nothing."""
    arn, iam = f"arn:aws:iam::{account}:role/{name}", f"{account}.iam"
    return {
        f"{iam}.get_role": {"Role": {"Arn": arn, "RoleId": "AROAAAAAAAAAAAAAAAAA1"}},
        f"{iam}.list_role_policies": {"PolicyNames": []},
        f"{iam}.list_attached_role_policies": {"AttachedPolicies": []},
    }


def bucket(account: str = TWO) -> dict[str, Any]:
    """Return what is recorded of a bucket without a policy."""
    s3 = f"{account}.s3"
    return {
        f"{s3}.head_bucket": {"BucketRegion": "ap-northeast-1"},
        f"{s3}.get_bucket_policy": "NoSuchBucketPolicy",
        f"{s3}.list_buckets": {"Buckets": [{"Name": "new-reports"}, {"Name": NEW}]},
    }


@pytest.fixture
def ask(declaration: tuple[list[Stack], Links]) -> Any:
    stacks, links = declaration

    def asked(who: str, where: str, recorded: Mapping[str, Any], **more: Any) -> Answer:
        reader = Reader(
            Account(alias=alias, id=id_, client=Recorded(id_, recorded).client)
            for alias, id_ in ACCOUNTS.items()
        )
        declared = Declared(stacks, ACCOUNTS, links)
        question = Question(who=who, where=where, **more)
        return Explained(reader, declared, links.links, {}, question).answer()

    return asked


def asked_of(answer: Answer) -> list[tuple[str, str]]:
    return [(step.request.action, step.request.resource) for step in answer.steps]


def test_without_an_action_everything_is_asked_that_is_declared(ask: Any) -> None:
    answer = ask("reader", "new-", role("reader") | bucket())
    assert asked_of(answer) == [
        ("s3:ListBucket", f"arn:aws:s3:::{NEW}"),
        ("s3:GetObject", f"arn:aws:s3:::{NEW}/r/*"),
    ]
    answer = ask("reader", f"{NEW}/r/a.csv", role("reader") | bucket())
    assert asked_of(answer) == [("s3:GetObject", f"arn:aws:s3:::{NEW}/r/a.csv")]


@pytest.mark.parametrize(
    ("who", "roles"),
    [("cluster", ["gateway", "loader"]), ("gateway", ["loader"]), ("loader", []), ("caller", None)],
)
def test_a_chain_is_followed_role_by_role(
    who: str, roles: list[str] | None, declaration: tuple[list[Stack], Links]
) -> None:
    declared = Declared(declaration[0], ACCOUNTS)
    (principal,) = declared.roles(who)
    route = declared.route(principal, "arn:aws:s3:::lake-20261125023649946400000001")
    assert (route and [hop.name for hop in route.hops]) == roles


BEHIND = "behind-20261125023649946400000001"


def test_who_is_to_come_through_an_access_point_is_told_where_it_is(ask: Any) -> None:
    answer = ask("pointed", f"{BEHIND}/a.csv", role("pointed") | bucket())
    assert "the link points declares it through the access point before alone" in answer.declared
    assert answer.next == (
        "terraform -chdir=cdktf.out/stacks/points output -raw access_point_arn_account1_before"
    )


def test_through_its_access_point_the_half_that_was_lost_is_named(ask: Any) -> None:
    arn = f"arn:aws:s3:ap-northeast-1:{ONE}:accesspoint/before"
    there = {f"{ONE}.s3control.get_access_point": {"Bucket": BEHIND, "BucketAccountId": TWO}}
    answer = ask("pointed", f"{arn}/object/a.csv", role("pointed") | bucket() | there)
    assert asked_of(answer) == [("s3:GetObject", f"{arn}/object/a.csv")]
    assert answer.next == "s3-links deploy points"
    assert "it is not there as declared" in answer.declared[0], answer.declared


def test_what_was_not_read_of_an_organization_is_noted_where_all_else_lets_it(ask: Any) -> None:
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    may: dict[str, Any] = {
        f"{TWO}.iam.list_role_policies": {"PolicyNames": ["own"]},
        f"{TWO}.iam.get_role_policy": {"PolicyDocument": {"Statement": everything}},
    }
    actions = ["s3:ListBucket"]
    answer = ask("worker", NEW, role("worker", TWO) | bucket() | may, actions=actions)
    assert (answer.verdict, len(answer.notes)) == ("allowed", 1)
    assert "an organization's policies were not read" in answer.notes[0]
    none = "AWSOrganizationsNotInUseException"
    may[f"{TWO}.organizations.describe_organization"] = none
    answer = ask("worker", NEW, role("worker", TWO) | bucket() | may, actions=actions)
    assert (answer.verdict, answer.notes) == ("allowed", [])


def test_a_name_that_a_prefix_begins_is_no_bucket_of_that_prefix(ask: Any) -> None:
    answer = ask("reader", "new-reports/r/a.csv", role("reader") | bucket())
    assert "bucket_policy_to_merge_account2_new-reports: it is not merged" in str(answer.declared)
    assert "aws_s3_bucket_policy" not in str(answer.declared)


def test_a_bucket_of_nobody_s_is_not_deployed_but_looked_for(ask: Any) -> None:
    gone = {f"{account}.s3.head_bucket": "404" for account in (ONE, TWO)}
    answer = ask("reader", "new-report/r/a.csv", role("reader") | bucket() | gone)
    assert answer.next == "aws s3api list-buckets"
    (reason,) = answer.steps[0].refuses
    assert reason.told == "there is none of this name. Did you mean 'new-reports'?"


def test_what_an_explicit_deny_refuses_is_declared_and_there(ask: Any) -> None:
    """A half that is there as it is declared does not have to be deployed again."""
    denies = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    there = {f"{TWO}.s3.get_bucket_policy": {"Policy": json.dumps({"Statement": [denies]})}}
    answer = ask("reader", f"{NEW}/r/a.csv", role("reader") | bucket() | there)
    assert "explicit-deny" in [reason.cause for reason in answer.steps[0].refuses]
    assert not any("bucket policy" in line and "not there" in line for line in answer.declared)


@pytest.mark.parametrize(
    ("who", "where", "recorded", "next_"),
    [
        # Neither half is there: the first that is missing is Terraform's.
        ("reader", f"{NEW}/r/a.csv", {}, "s3-links deploy direct"),
        (
            "reader",
            f"{NEW}/other/a.csv",
            {},
            'declare "other/" in the prefixes of links.direct, then `s3-links deploy direct`',
        ),
        ("caller", "away-20261125023649946400000001", {}, "s3-links deploy assume"),
        ("caller", f"arn:aws:iam::{TWO}:role/worker", {}, "s3-links deploy assume"),
        (
            "reader",
            f"{NEW}/r/a.csv",
            {f"{ONE}.iam.get_role": "NoSuchEntity"},
            "s3-links deploy direct",
        ),
        (f"arn:aws:iam::{TWO}:role/reader", f"{NEW}/r/a.csv", {}, "aws sts get-caller-identity"),
        ("copier", "copy-20261125023649946400000001", {}, "s3-links deploy copies"),
    ],
)
def test_the_next_command_is_what_mends_it(
    ask: Any, who: str, where: str, recorded: dict[str, Any], next_: str
) -> None:
    name = who.rpartition("/")[2]
    of_roles = role(name) | role("worker" if who == "caller" else name, TWO)
    answer = ask(who, where, of_roles | bucket() | recorded)
    assert (answer.verdict, answer.next) == ("refused", next_)


@pytest.mark.parametrize(
    ("action", "why", "cause", "next_"),
    [
        (
            "s3:GetBucketPolicy",
            "with an explicit deny in a resource-based policy",
            "explicit-deny",
            f"as the root user of {TWO}: aws s3api delete-bucket-policy --bucket new-reports",
        ),
        (
            "s3:PutBucketPolicy",
            "because public policies are prevented by the BlockPublicPolicy setting in S3 Block "
            "Public Access.",
            "public-policy",
            "aws s3api get-bucket-policy --bucket new-reports --query Policy --output text",
        ),
    ],
)
def test_a_deployer_who_is_refused_learns_why(
    ask: Any, action: str, why: str, cause: str, next_: str
) -> None:
    message = read(
        f"User: arn:aws:sts::{TWO}:assumed-role/deployer/terraform is not authorized to perform: "
        f'{action} on resource: "arn:aws:s3:::new-reports" {why}'
    )
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    may = {
        f"{TWO}.iam.list_role_policies": {"PolicyNames": ["own"]},
        f"{TWO}.iam.get_role_policy": {"PolicyDocument": {"Statement": everything}},
    }
    locked = {f"{TWO}.s3.get_bucket_policy": "AccessDenied"} if "deny" in cause else {}
    answer = ask("", "", role("deployer", TWO) | bucket() | may | locked, pasted=message)
    (reason,) = answer.steps[-1].refuses
    assert (answer.verdict, reason.cause, answer.next) == ("refused", cause, next_)


def test_an_external_id_is_taken_as_declared(ask: Any) -> None:
    worker = f"arn:aws:iam::{TWO}:role/worker"
    answer = ask("caller", worker, role("caller") | role("worker", TWO))
    assert answer.steps[0].request.context["sts:ExternalId"] == ("x-123",)


def test_a_refusal_by_the_key_is_asked_of_the_object(ask: Any) -> None:
    message = read(
        "An error occurred (AccessDenied) when calling the GetObject operation: User: "
        f"arn:aws:sts::{ONE}:assumed-role/reader/i-1 is not authorized to perform: kms:Decrypt on "
        "the resource associated with this ciphertext because no identity-based policy allows it"
    )
    answer = ask("", "new-reports/r/a.csv", role("reader") | bucket(), pasted=message)
    assert asked_of(answer) == [("s3:GetObject", "arn:aws:s3:::new-reports/r/a.csv")]


def test_the_key_half_that_is_not_merged_names_its_output(ask: Any) -> None:
    def lets(action: str, on: str, **more: Any) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": action, "Resource": on, **more}
        return {"Version": "2012-10-17", "Statement": [statement]}

    on = "arn:aws:s3:::new-reports/*"
    named = {"Principal": {"AWS": f"arn:aws:iam::{ONE}:role/reader"}}
    owner = {"Principal": {"AWS": f"arn:aws:iam::{TWO}:root"}}
    both = lets("s3:GetObject", on)["Statement"] + lets("kms:Decrypt", KEY)["Statement"]
    recorded = {
        f"{ONE}.iam.list_role_policies": {"PolicyNames": ["own"]},
        f"{ONE}.iam.get_role_policy": {"PolicyDocument": {"Statement": both}},
        f"{TWO}.s3.get_bucket_policy": {"Policy": json.dumps(lets("s3:GetObject", on, **named))},
        f"{TWO}.s3.get_bucket_ownership_controls": {
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        },
        f"{TWO}.s3.get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
        f"{TWO}.s3.head_object": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        f"{TWO}.kms.describe_key": {"KeyMetadata": {"Arn": KEY, "KeyState": "Enabled"}},
        f"{TWO}.kms.get_key_policy": {"Policy": json.dumps(lets("kms:*", "*", **owner))},
        f"{TWO}.kms.list_grants": {"Grants": []},
    }
    answer = ask("reader", "new-reports/r/a.csv", role("reader") | bucket() | recorded)
    assert [step.verdict for step in answer.steps] == ["allowed", "refused"]
    assert answer.next.endswith("output -raw key_policy_to_merge_account2_new-reports")


def test_the_session_of_a_permission_set_is_declared(ask: Any) -> None:
    name = "AWSReservedSSO_Analyst_0123456789abcdef"
    session = f"arn:aws:sts::{ONE}:assumed-role/{name}/alice"
    answer = ask(session, "people-reports", role(name) | bucket())
    assert [action for action, _ in asked_of(answer)] == ["s3:ListBucket", "s3:GetObject"]
    told = "in its output bucket_policy_to_merge_account2_people-reports: it is not merged"
    assert any(line.endswith(told) for line in answer.declared)
    another = name.replace("_Analyst_", "_Admin_")
    session = session.replace(name, another)
    answer = ask(session, "people-reports", role(another) | bucket())
    assert answer.declared == [f"no link declares s3:ListBucket there for {another}"]


def test_what_a_foreign_role_is_handed_over_is_declared(ask: Any) -> None:
    answer = ask("arn:aws:iam::444444444444:role/etl", "shared-reports", bucket())
    assert answer.declared == [
        "the link partner declares s3:ListBucket for etl",
        "the link partner declares s3:GetObject for etl",
    ]
    assert answer.unread != []  # what its owner has given it


def test_a_foreign_role_that_is_assumed_is_a_way(ask: Any) -> None:
    answer = ask("their-caller", "arn:aws:s3:::their-lake", role("their-caller"))
    first = answer.steps[0].request
    assert (first.action, first.resource) == (
        "sts:AssumeRole",
        "arn:aws:iam::444444444444:role/for-us",
    )
    assert any("the link their-role" in line for line in answer.declared)
