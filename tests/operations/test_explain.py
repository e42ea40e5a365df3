"""Why a request is refused: messages that are pasted, and documents as they were recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.live.reader import Account, Reader
from s3_links.operations.explain.answer import Answer
from s3_links.operations.explain.declared import Declared
from s3_links.operations.explain.evidence import judged
from s3_links.operations.explain.explaining import Explaining
from s3_links.operations.explain.pasted import Pasted, read
from s3_links.operations.explain.question import Finder, read_context
from s3_links.operations.labels import Labels
from s3_links.operations.stack import OperationError
from s3_links.world import principal
from tests.conftest import PROJECT
from tests.support.recorded import Recorded, policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_links.operations.explain.answer import Step

ONE, TWO = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{ONE}:role/app"
SESSION = f"arn:aws:sts::{ONE}:assumed-role/app/i-0123"
OBJECT = "arn:aws:s3:::reports/2026/a b.csv"
KEY = f"arn:aws:kms:ap-northeast-1:{TWO}:key/11111111-2222-3333-4444-555555555555"


# The message


def refused(policy: str, *, action: str = "s3:GetObject", resource: str = f'"{OBJECT}"') -> str:
    return (
        f"User: {SESSION} is not authorized to perform: {action} on resource: {resource} {policy}"
    )


@pytest.mark.parametrize(
    ("text", "policy", "explicit"),
    [
        ("because no identity-based policy allows the s3:GetObject action", "identity policy", 0),
        (
            "because no resource-based policy allows the s3:GetObject action",
            "resource-based policy",
            0,
        ),
        (
            "because no permissions boundary allows the s3:GetObject action",
            "permissions boundary",
            0,
        ),
        ("because no session policy allows the s3:GetObject action", "session policy", 0),
        (
            "because no service control policy allows the s3:GetObject action",
            "service control policy",
            0,
        ),
        (
            "because no VPC endpoint policy allows the s3:GetObject action",
            "VPC endpoint policy",
            0,
        ),
        ("with an explicit deny in a resource-based policy", "resource-based policy", 1),
        ("with an explicit deny in an identity-based policy", "identity policy", 1),
        ("with an explicit deny in a resource control policy", "resource control policy", 1),
        ("with an explicit deny in a service control policy", "service control policy", 1),
        ("with an explicit deny in a permissions boundary", "permissions boundary", 1),
    ],
)
def test_a_message_says_who_asked_for_what_and_which_policy_refused(
    text: str, policy: str, explicit: int
) -> None:
    assert read(refused(text)) == Pasted(
        who=SESSION,
        requests=(("s3:GetObject", OBJECT),),
        policy=policy,
        explicit=bool(explicit),
    )


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        (
            "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
            [("s3:GetObject", "")],
        ),
        (
            "fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden",
            [("s3:GetObject", "")],
        ),
        (
            "download failed: s3://reports/a.csv to ./a.csv An error occurred (AccessDenied) when "
            "calling the GetObject operation: Access Denied",
            [("s3:GetObject", "s3://reports/a.csv")],
        ),
        (
            "upload failed: ./a.csv to s3://reports/a.csv An error occurred (AccessDenied) when "
            "calling the CreateMultipartUpload operation: Access Denied",
            [("s3:PutObject", "s3://reports/a.csv")],
        ),
        (
            "copy failed: s3://a/k to s3://b/k An error occurred (AccessDenied) when calling the "
            "CopyObject operation: Access Denied",
            [("s3:GetObject", "s3://a/k"), ("s3:PutObject", "s3://b/k")],
        ),
        (
            "copy failed: s3://a/k to s3://b/k An error occurred (AccessDenied) when calling the "
            "GetObjectTagging operation: Access Denied",
            [("s3:GetObjectTagging", "s3://a/k")],
        ),
        (
            "An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access "
            "Denied",
            [("s3:ListBucket", "")],
        ),
        (
            "An error occurred (AccessDenied) when calling the AssumeRole operation: "
            f"User: {SESSION} is not authorized to perform: sts:AssumeRole on resource: "
            f"arn:aws:iam::{TWO}:role/worker",
            [("sts:AssumeRole", f"arn:aws:iam::{TWO}:role/worker")],
        ),
        (
            f"An error occurred (AccessDenied) when calling the GetObject operation: User: "
            f"{SESSION} is not authorized to perform: kms:Decrypt on the resource associated with "
            "this ciphertext because no identity-based policy allows the kms:Decrypt action",
            [("kms:Decrypt", "")],
        ),
        ("something else went wrong", []),
    ],
)
def test_an_operation_is_known_by_the_actions_that_it_needs(
    text: str, requests: list[tuple[str, str]]
) -> None:
    found = read(text)
    assert [request for request in found.requests if any(request)] == requests
    assert not found.code


def test_another_error_is_no_refusal() -> None:
    text = "An error occurred (PermanentRedirect) when calling the GetObject operation: The bucket"
    assert read(text).code == "PermanentRedirect"


def test_a_policy_that_is_public_is_told_from_others() -> None:
    text = refused(
        "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public "
        "Access.",
        action="s3:PutBucketPolicy",
        resource='"arn:aws:s3:::reports"',
    )
    assert read(text).public_policy


# Documents as they were recorded, of what the emulator cannot show


LETS = {"Sid": "Lets", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{OBJECT[:20]}/*"}
TO_ROLE = LETS | {"Principal": {"AWS": ROLE}}
ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
WRITER = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}


def private(owner: str) -> dict[str, Any]:
    return {"Owner": {"ID": owner}, "Grants": [{"Grantee": {"ID": owner}}]}


def answers() -> dict[str, Any]:
    """Return what is recorded of a role and a bucket that both halves are there for."""
    one, two = f"{ONE}.iam", f"{TWO}.s3"
    return {
        f"{one}.get_role": {
            "Role": {
                "Arn": ROLE,
                "RoleId": "AROAAAAAAAAAAAAAAAAA1",
                "AssumeRolePolicyDocument": policy(),
            }
        },
        f"{one}.list_role_policies": {"PolicyNames": ["own"]},
        f"{one}.list_attached_role_policies": {"AttachedPolicies": []},
        f"{one}.get_role_policy": {"PolicyDocument": policy(LETS)},
        f"{ONE}.organizations.describe_organization": "AWSOrganizationsNotInUseException",
        f"{TWO}.organizations.describe_organization": "AWSOrganizationsNotInUseException",
        f"{ONE}.s3.head_bucket": "403",
        f"{two}.head_bucket": {"BucketRegion": "ap-northeast-1"},
        f"{two}.get_bucket_policy": {"Policy": json.dumps(policy(TO_ROLE))},
        f"{two}.get_public_access_block": {"PublicAccessBlockConfiguration": {}},
        f"{TWO}.s3control.get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
        f"{two}.get_bucket_ownership_controls": ENFORCED,
        f"{two}.get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
        f"{two}.get_bucket_acl": private("two"),
        f"{two}.get_object_acl": private("two"),
        f"{two}.list_objects_v2": {"Contents": [{"Key": OBJECT[21:], "Owner": {"ID": "two"}}]},
        f"{two}.head_object": {"ETag": "1"},
    }


def recording(recorded: Mapping[str, Any]) -> Reader:
    return Reader(
        Account(alias=alias, id=id_, client=Recorded(id_, recorded).client)
        for alias, id_ in (("account1", ONE), ("account2", TWO))
    )


def finder(recorded: Mapping[str, Any]) -> Finder:
    return Finder(recording(recorded), Declared([], {}))


def explained(
    recorded: Mapping[str, Any],
    pasted: Pasted | None = None,
    context: Mapping[str, tuple[str, ...]] | None = None,
    endpoint: str | None = None,
    at: str = OBJECT,
) -> tuple[list[Step], list[str]]:
    reader, declared = recording(recorded), Declared([], {})
    target = Finder(reader, declared).where(at)
    explaining = Explaining(reader, declared, target, context or {}, endpoint)
    steps = list(explaining.steps(principal(SESSION), ["s3:GetObject"]))
    if pasted is not None:
        steps = judged(steps, pasted, explaining.unseen, TWO)
    return steps, [str(one) for one in reader.unread]


def test_both_halves_let_it() -> None:
    (step,), unread = explained(answers())
    assert (step.verdict, unread) == ("allowed", [])
    assert [(r.what, r.statement) for r in step.lets] == [
        ("identity policy", "Lets"),
        ("bucket policy", "Lets"),
    ]


def changed(document: Mapping[str, Any], **change: Any) -> dict[str, Any]:
    return {**document, **change}


BUCKET_POLICY = f"{TWO}.s3.get_bucket_policy"
OWN_POLICY = f"{ONE}.iam.get_role_policy"


def bucket_policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {BUCKET_POLICY: {"Policy": json.dumps(policy(*statements))}}


def own_policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {OWN_POLICY: {"PolicyDocument": policy(*statements)}}


DENIES = {"Sid": "Denies", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
ORGANIZATION = {"Sid": "Ours", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}


@pytest.mark.parametrize(
    ("recorded", "what", "cause", "told"),
    [
        ({BUCKET_POLICY: "NoSuchBucketPolicy"}, "bucket policy", "no-bucket-policy", "is none"),
        (own_policy(), "identity policy", "not-in-identity-policy", "no statement"),
        (
            bucket_policy(changed(TO_ROLE, Principal={"AWS": "AROABBBBBBBBBBBBBBBB2"})),
            "bucket policy",
            "recreated-role",
            "AROABBBBBBBBBBBBBBBB2, the unique id of a role or user that was deleted; app has "
            "AROAAAAAAAAAAAAAAAAA1 now",
        ),
        (
            bucket_policy(changed(TO_ROLE, Principal={"AWS": ROLE.replace(ONE, "999999999999")})),
            "bucket policy",
            "wrong-account",
            "another account's",
        ),
        (
            bucket_policy(changed(TO_ROLE, Principal={"AWS": f"{ROLE}-2"})),
            "bucket policy",
            "other-principal",
            f"names {ROLE}-2",
        ),
        (
            bucket_policy(changed(TO_ROLE, Action="s3:PutObject")),
            "bucket policy",
            "other-action",
            "is for s3:PutObject",
        ),
        (
            own_policy(changed(LETS, Resource="arn:aws:s3:::reports/2025/*")),
            "identity policy",
            "other-resource",
            "is on arn:aws:s3:::reports/2025/*",
        ),
        (
            bucket_policy(TO_ROLE | ORGANIZATION),
            "bucket policy",
            "condition",
            "its condition StringEquals aws:PrincipalOrgID o-1 is not met",
        ),
        (
            bucket_policy(TO_ROLE, DENIES | {"Principal": "*"}),
            "bucket policy",
            "explicit-deny",
            "Deny",
        ),
        (own_policy(LETS, DENIES), "identity policy", "explicit-deny", "Deny"),
        (
            {f"{TWO}.s3.head_object": "404"},
            "object",
            "no-object",
            "those who may not list the bucket",
        ),
        ({f"{ONE}.iam.get_role": "NoSuchEntity"}, "role", "no-role", "none of this name"),
        (
            {f"{TWO}.s3.head_bucket": "404", f"{ONE}.s3.head_bucket": "404"},
            "bucket",
            "no-bucket",
            "none of this name",
        ),
    ],
)
def test_the_cause_of_a_refusal_is_named(
    recorded: dict[str, Any], what: str, cause: str, told: str
) -> None:
    (step,), _ = explained(answers() | recorded)
    assert step.verdict == "refused"
    reason = step.refuses[0]
    assert (reason.what, reason.cause) == (what, cause)
    assert told in reason.told


# An object's owner, and what an ACL says


def owned_by(id_: str) -> dict[str, Any]:
    contents = {"Contents": [{"Key": OBJECT[21:], "Owner": {"ID": id_}}]}
    return {
        f"{TWO}.s3.get_bucket_ownership_controls": WRITER,
        f"{TWO}.s3.list_objects_v2": contents,
        f"{TWO}.s3.get_object_acl": private(id_),
    }


def test_a_bucket_policy_does_not_cover_an_object_of_its_writer() -> None:
    (step,), _ = explained(answers() | owned_by("somebody"))
    assert step.verdict == "refused"
    assert [(r.what, r.cause) for r in step.refuses] == [("object", "object-owner")]
    (step,), _ = explained(answers() | owned_by("two"))
    assert step.verdict == "allowed"


def test_whose_an_object_is_may_decide_and_not_be_known() -> None:
    unknown = {f"{TWO}.s3.list_objects_v2": "AccessDenied"}
    (step,), unread = explained(answers() | owned_by("two") | unknown)
    assert step.verdict == "undecided"
    assert "is owned by" in str(step.only_if)
    assert unread == [
        "s3:ListObjectsV2 (object reports/2026/a b.csv) in 222222222222: AccessDenied"
    ]


# The key


def encrypted(key: str, **metadata: Any) -> dict[str, Any]:
    lets = {"Sid": "Key", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    whole = policy(lets | {"Principal": {"AWS": ROLE}})
    return {
        f"{TWO}.s3.head_object": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key},
        f"{TWO}.kms.describe_key": {"KeyMetadata": {"Arn": KEY, "KeyState": "Enabled"} | metadata},
        f"{TWO}.kms.get_key_policy": {"Policy": json.dumps(whole)},
        f"{TWO}.kms.list_grants": {"Grants": []},
        OWN_POLICY: {"PolicyDocument": policy(LETS, lets)},
    }


def test_the_key_of_the_object_itself_has_two_halves_as_well() -> None:
    steps, _ = explained(answers() | encrypted(KEY))
    assert [(s.request.action, s.verdict) for s in steps] == [
        ("s3:GetObject", "allowed"),
        ("kms:Decrypt", "allowed"),
    ]


@pytest.mark.parametrize(
    ("recorded", "what", "cause"),
    [
        (encrypted(KEY) | own_policy(LETS), "identity policy", "not-in-identity-policy"),
        (
            encrypted(KEY) | {f"{TWO}.kms.get_key_policy": {"Policy": json.dumps(policy())}},
            "key policy",
            "not-in-key-policy",
        ),
        (encrypted(KEY, KeyManager="AWS"), "key", "aws-managed-key"),
        (encrypted("alias/aws/s3"), "key", "aws-managed-key"),
        (encrypted(KEY, KeyState="PendingDeletion"), "key", "key-state"),
    ],
)
def test_a_key_refuses(recorded: dict[str, Any], what: str, cause: str) -> None:
    steps, _ = explained(answers() | recorded)
    assert [step.verdict for step in steps] == ["allowed", "refused"]
    assert (steps[1].refuses[0].what, steps[1].refuses[0].cause) == (what, cause)


def test_a_grant_to_the_role_may_let_it_use_the_key() -> None:
    grant = {"GrantId": "g-1", "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
    recorded = encrypted(KEY) | {f"{TWO}.kms.get_key_policy": {"Policy": json.dumps(policy())}}
    steps, _ = explained(answers() | recorded | {f"{TWO}.kms.list_grants": {"Grants": [grant]}})
    assert [step.verdict for step in steps] == ["allowed", "undecided"]
    assert steps[1].only_if == [["the grant g-1 allows it"]]


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("explicit deny in a service control policy", "service control policy"),
        ("explicit deny in a resource control policy", "resource control policy"),
        ("explicit deny in a VPC endpoint policy", "VPC endpoint policy"),
    ],
)
def test_the_request_that_a_message_names_is_the_one_that_was_refused(
    reason: str, what: str
) -> None:
    """Not the last one, of the key: its message would name kms:Decrypt."""
    hidden = {
        f"{of}.organizations.describe_organization": "AccessDeniedException" for of in (ONE, TWO)
    }
    steps, _ = explained(
        answers() | encrypted(KEY) | hidden, read(refused(f"with an {reason}")), endpoint="vpce-1"
    )
    told = {step.request.action: [r.what for r in step.refuses] for step in steps}
    assert told["s3:GetObject"] == [what]
    assert told.get("kms:Decrypt", []) == []


def test_what_a_message_names_is_told_beside_what_else_refuses() -> None:
    hidden = {f"{ONE}.organizations.describe_organization": "AccessDeniedException"}
    pasted = read(refused("with an explicit deny in a service control policy"))
    (step,), _ = explained(answers() | hidden | {BUCKET_POLICY: "NoSuchBucketPolicy"}, pasted)
    assert [reason.what for reason in step.refuses] == ["bucket policy", "service control policy"]


# What limits both halves


def bounded(*statements: Mapping[str, Any]) -> dict[str, Any]:
    role = answers()[f"{ONE}.iam.get_role"]["Role"]
    boundary = {"PermissionsBoundaryArn": f"arn:aws:iam::{ONE}:policy/boundary"}
    return {
        f"{ONE}.iam.get_role": {"Role": role | {"PermissionsBoundary": boundary}},
        f"{ONE}.iam.get_policy": {"Policy": {"DefaultVersionId": "v1"}},
        f"{ONE}.iam.get_policy_version": {"PolicyVersion": {"Document": policy(*statements)}},
    }


def organized(account: str, kind: str, *statements: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(policy(*statements))
    of = f"{account}.organizations"
    return {
        f"{of}.describe_organization": {"Organization": {"Id": "o-1"}},
        f"{of}.list_parents": {"Parents": [{"Id": "r-1", "Type": "ROOT"}]},
        f"{of}.list_policies_for_target": {"Policies": [{"Id": "p-1", "Name": kind}]},
        f"{of}.describe_policy": {"Policy": {"Content": content}},
    }


ANYTHING = {"Sid": "Any", "Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("recorded", "what", "account"),
    [
        (bounded(), "permissions boundary", ONE),
        (organized(ONE, "scp"), "service control policy", "r-1"),
        (organized(ONE, "scp", ANYTHING, DENIES), "service control policy", "r-1"),
        (organized(TWO, "rcp", DENIES | {"Principal": "*"}), "resource control policy", "r-1"),
    ],
)
def test_what_limits_both_halves_is_named(
    recorded: dict[str, Any], what: str, account: str
) -> None:
    (step,), _ = explained(answers() | recorded)
    assert step.verdict == "refused"
    assert (step.refuses[0].what, step.refuses[0].account) == (what, account)


@pytest.mark.parametrize("kind", ["scp", "rcp"])
def test_the_management_account_is_limited_by_no_policy_of_its_organization(kind: str) -> None:
    account, policy_ = (ONE, DENIES) if kind == "scp" else (TWO, DENIES | {"Principal": "*"})
    recorded = organized(account, kind, policy_)
    whole = {"Id": "o-1", "MasterAccountId": account}
    recorded[f"{account}.organizations.describe_organization"] = {"Organization": whole}
    (step,), _ = explained(answers() | recorded)
    assert step.verdict == "allowed"


def test_a_level_without_a_policy_lets_nothing() -> None:
    nothing: dict[str, Any] = {f"{ONE}.organizations.list_policies_for_target": {"Policies": []}}
    (step,), _ = explained(answers() | organized(ONE, "scp") | nothing)
    assert (step.verdict, step.refuses[0].cause) == ("refused", "nothing-lets-it")


def test_no_request_reaches_from_one_partition_into_another() -> None:
    role = answers()[f"{ONE}.iam.get_role"]["Role"] | {"Arn": ROLE.replace("aws", "aws-us-gov")}
    (step,), _ = explained(answers() | {f"{ONE}.iam.get_role": {"Role": role}})
    assert "no request reaches from aws-us-gov into aws" in step.refuses[0].told


def test_the_organization_is_known_to_a_condition() -> None:
    recorded = answers() | bucket_policy(TO_ROLE | ORGANIZATION)
    (step,), _ = explained(recorded | organized(ONE, "scp", ANYTHING))
    assert step.verdict == "allowed"


def test_a_deny_that_may_refuse_is_named_with_its_condition() -> None:
    office = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    denies = DENIES | {"Sid": "OnlyOffice", "Principal": "*", "Condition": office}
    (step,), _ = explained(answers() | bucket_policy(TO_ROLE, denies))
    assert step.verdict == "undecided"
    (reason,) = step.refuses
    assert (reason.what, reason.account, reason.statement) == ("bucket policy", TWO, "OnlyOffice")
    assert reason.told == "if aws:SourceIp is outside 203.0.113.0/24"


FROM_OURS = {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}


@pytest.mark.parametrize(
    ("address", "verdict"),
    [((), "refused"), (("203.0.113.7",), "allowed"), (("192.0.2.1",), "refused")],
)
def test_what_is_not_known_of_the_request_may_be_given(
    address: tuple[str, ...], verdict: str
) -> None:
    recorded = answers() | bucket_policy(TO_ROLE | FROM_OURS)
    (step,), _ = explained(recorded)
    assert (step.verdict, step.keys) == ("undecided", ["aws:sourceip"])
    (step,), _ = explained(recorded, context={"aws:SourceIp": address})
    assert (step.verdict, step.keys) == (verdict, [])


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (changed(ANYTHING, Principal="*"), "allowed"),
        (changed(ANYTHING, Principal="*", Action="s3:PutObject"), "refused"),
    ],
)
def test_the_policy_of_a_vpc_endpoint_that_is_named_counts(
    statement: dict[str, Any], verdict: str
) -> None:
    endpoint = {"PolicyDocument": json.dumps(policy(statement))}
    recorded = {f"{ONE}.ec2.describe_vpc_endpoints": {"VpcEndpoints": [endpoint]}}
    through = bucket_policy(TO_ROLE | {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}})
    (step,), _ = explained(answers() | recorded | through, endpoint="vpce-1")
    assert step.verdict == verdict
    if verdict == "refused":
        assert step.refuses[0].what == "VPC endpoint policy"


@pytest.mark.parametrize(
    ("type_", "named", "verdict"),
    [
        ("Gateway", "*", "allowed"),
        ("Gateway", {"AWS": "*"}, "allowed"),
        ("Gateway", {"AWS": ONE}, "undecided"),  # its root user alone
        ("Gateway", {"AWS": ROLE}, "undecided"),
        ("Interface", {"AWS": ONE}, "allowed"),
    ],
)
def test_the_policy_of_a_gateway_endpoint_can_name_everybody_alone(
    type_: str, named: Any, verdict: str
) -> None:
    content = json.dumps(policy(changed(ANYTHING, Principal=named)))
    endpoint = {"PolicyDocument": content, "VpcEndpointType": type_}
    recorded = {f"{ONE}.ec2.describe_vpc_endpoints": {"VpcEndpoints": [endpoint]}}
    through = bucket_policy(TO_ROLE | {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}})
    (step,), _ = explained(answers() | recorded | through, endpoint="vpce-1")
    assert step.verdict == verdict


def test_a_public_policy_keeps_other_accounts_out_where_that_is_on() -> None:
    on = {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}
    recorded = bucket_policy(changed(LETS, Principal="*"))
    (step,), _ = explained(answers() | recorded)
    assert step.verdict == "allowed"
    (step,), _ = explained(answers() | recorded | {f"{TWO}.s3.get_public_access_block": on})
    assert step.refuses[0].cause == "public-access-block"


# What cannot be read


@pytest.mark.parametrize(
    ("recorded", "call"),
    [
        ({BUCKET_POLICY: "AccessDenied"}, "s3:GetBucketPolicy"),
        ({OWN_POLICY: "AccessDenied"}, "iam:GetRolePolicy"),
        (
            {f"{ONE}.iam.list_attached_role_policies": "AccessDenied"},
            "iam:ListAttachedRolePolicies",
        ),
        ({f"{ONE}.iam.get_role": "AccessDenied"}, "iam:GetRole"),
    ],
)
def test_a_document_that_cannot_be_read_leaves_it_undecided(
    recorded: dict[str, Any], call: str
) -> None:
    without = own_policy() if "List" in call else {}
    (step,), unread = explained(answers() | without | recorded)
    assert step.verdict == "undecided"
    assert any(call in one and "AccessDenied" in one for one in unread)


@pytest.mark.parametrize(
    ("recorded", "text", "verdict", "what"),
    [
        # An explicit Deny that locks out whoever wants to read it.
        (
            {BUCKET_POLICY: "AccessDenied"},
            "with an explicit deny in a resource-based policy",
            "refused",
            "bucket policy",
        ),
        (
            {f"{ONE}.organizations.describe_organization": "AccessDenied"},
            "with an explicit deny in a service control policy",
            "refused",
            "service control policy",
        ),
        (
            {},
            "because no VPC endpoint policy allows the s3:GetObject action",
            "refused",
            "VPC endpoint policy",
        ),
        (
            {},
            "because no session policy allows the s3:GetObject action",
            "refused",
            "session policy",
        ),
        # Read, and it lets it: the message is older.
        (
            {},
            "because no resource-based policy allows the s3:GetObject action",
            "allowed",
            "",
        ),
        ({f"{TWO}.organizations.describe_organization": "AccessDenied"}, "", "undecided", ""),
    ],
)
def test_a_message_proves_what_cannot_be_read(
    recorded: dict[str, Any], text: str, verdict: str, what: str
) -> None:
    (step,), _ = explained(answers() | recorded, pasted=read(refused(text)))
    assert step.verdict == verdict
    assert [reason.what for reason in step.refuses] == ([what] if what else [])


# Who and where


@pytest.mark.parametrize(
    "text",
    ["app", ROLE, SESSION, json.dumps({"UserId": "AROA:i", "Account": ONE, "Arn": SESSION})],
)
def test_who_is_a_name_an_arn_or_a_session(text: str) -> None:
    found = finder(answers()).who(text)
    assert (found.kind, found.account, found.name) == ("role", ONE, "app")


@pytest.mark.parametrize("text", ["{", "{}", "arn:aws:iam::1:policy/x", "nobody"])
def test_somebody_else_is_an_error_of_one_line(text: str) -> None:
    missing = {f"{ONE}.iam.get_role": "NoSuchEntity"}
    with pytest.raises(OperationError, match="WHO") as error:
        finder(answers() | missing).who(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["reports/a/b", "s3://reports/a/b", "arn:aws:s3:::reports/a/b", " s3://reports/a/b\n"]
)
def test_where_is_an_address_an_arn_or_a_name(text: str) -> None:
    target = finder(answers()).where(text)
    assert (target.arn, target.bucket, target.key) == ("arn:aws:s3:::reports", "reports", "a/b")
    assert (target.owner.account, target.owner.region) == (TWO, "ap-northeast-1")


POINT = f"arn:aws:s3:ap-northeast-1:{TWO}:accesspoint/point"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (POINT, "is not found (there is none): `s3-links check` shows who asks in which account"),
        (f"s3://{POINT.replace(TWO, '333333333333')}/object/key", "no account with this id"),
        (f"arn:aws:s3::{TWO}:accesspoint:m.mrap", "is an access point of another kind"),
        ("s3://point-abc123-s3alias/key", "is the alias of an access point: give its ARN"),
    ],
)
def test_an_access_point_is_not_taken_for_a_bucket(text: str, told: str) -> None:
    with pytest.raises(OperationError, match="WHERE") as error:
        finder(answers() | {f"{TWO}.s3control.get_access_point": "NoSuchAccessPoint"}).where(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


# Through an access point


BY_NAME = {"StringEquals": {"s3:DataAccessPointArn": POINT}}
BY_ACCOUNT = {"StringEquals": {"s3:DataAccessPointAccount": TWO}}
AT_POINT = {"Sid": "Point", "Resource": f"{POINT}/object/*"}


def at_point() -> dict[str, Any]:
    """Return what is recorded of a bucket that an access point of its account leads to."""
    whole = policy(TO_ROLE | AT_POINT)
    return {
        **answers(),
        **own_policy(LETS | {"Condition": BY_NAME}, LETS | AT_POINT),
        **bucket_policy(TO_ROLE | {"Condition": BY_ACCOUNT}),
        f"{TWO}.s3control.get_access_point": {"Bucket": "reports", "BucketAccountId": TWO},
        f"{TWO}.s3control.get_access_point_policy": {"Policy": json.dumps(whole)},
    }


def test_a_request_through_an_access_point_needs_its_halves_and_the_buckets() -> None:
    (step,), unread = explained(at_point(), at=f"{POINT}/object/2026/a b.csv")
    assert (step.verdict, unread) == ("allowed", [])
    assert {(r.what, r.statement) for r in step.lets} == {
        ("identity policy", "Lets"),
        ("identity policy", "Point"),
        ("access point policy", "Point"),
        ("bucket policy", "Lets"),
    }


@pytest.mark.parametrize(
    ("recorded", "what"),
    [
        ({f"{TWO}.s3control.get_access_point_policy": "NoSuchAccessPointPolicy"}, "access point"),
        ({BUCKET_POLICY: "NoSuchBucketPolicy"}, "bucket"),
        (own_policy(LETS | {"Condition": BY_NAME}), "identity"),
        (own_policy(LETS | AT_POINT), "identity"),
        (
            bucket_policy(
                TO_ROLE
                | {"Condition": {"StringEquals": dict.fromkeys(["s3:DataAccessPointAccount"], ONE)}}
            ),
            "bucket",
        ),
    ],
)
def test_the_half_that_an_access_point_misses_is_named(recorded: dict[str, Any], what: str) -> None:
    (step,), _ = explained(at_point() | recorded, at=f"s3://{POINT}/2026/a b.csv")
    assert step.verdict == "refused"
    assert step.refuses[0].what == f"{what} policy"


def test_what_is_for_access_points_lets_nobody_by_the_buckets_name() -> None:
    (step,), _ = explained(at_point())
    assert step.verdict == "refused"
    told = {reason.told for reason in step.refuses}
    assert any("s3:DataAccessPoint" in text for text in told), told


def test_an_access_point_policy_that_is_not_read_counts_as_not_known() -> None:
    unread = {f"{TWO}.s3control.get_access_point_policy": "AccessDenied"}
    (step,), told = explained(at_point() | unread, at=f"{POINT}/object/2026/a b.csv")
    assert step.verdict == "undecided"
    assert told == [f"s3control:GetAccessPointPolicy ({POINT}) in {TWO}: AccessDenied"]


# How it is told


def test_it_is_told_to_a_reader_and_to_a_machine() -> None:
    steps, unread = explained(
        answers()
        | {BUCKET_POLICY: "NoSuchBucketPolicy"}
        | {f"{ONE}.organizations.describe_organization": "AccessDenied"}
    )
    answer = Answer(steps=steps, declared=["the link x declares it"], unread=unread, next="x y")
    assert list(answer.lines(Labels({"account1": ONE, "account2": TWO}))) == [
        "Refused.",
        "",
        "role app (account1), s3:GetObject on object 2026/a b.csv of bucket reports: refused",
        "  lets     identity policy own (account1), statement Lets",
        "  refuses  bucket policy of bucket reports (account2): there is none",
        "",
        "Declared:",
        "  the link x declares it",
        "",
        "Could not be read:",
        f"  organizations:DescribeOrganization (the organization) in {ONE}: AccessDenied",
        "",
        "Next: x y",
    ]
    told = json.loads(answer.as_json())
    assert (told["verdict"], answer.exit_code) == ("refused", 2)
    (refuses,) = told["steps"][0]["refuses"]
    assert (refuses["what"], refuses["account"]) == ("bucket policy", TWO)


@pytest.mark.parametrize("text", ["SourceIp=1", "aws:SourceIp"])
def test_what_is_known_of_a_request_has_a_key_and_a_value(text: str) -> None:
    with pytest.raises(OperationError, match="is no KEY=VALUE"):
        read_context([text])


# The troubleshooting page


SYMPTOMS = {
    "● `may not assume`": "the_next_command_is_what_mends_it",
    "● `Access Denied` on `PutBucketPolicy`": "a_deployer_who_is_refused_learns_why",
    "● Explicit deny that locks out Terraform": "a_deployer_who_is_refused_learns_why",
    "403 instead of 404": "the_cause_of_a_refusal_is_named",
    "● `AccessDenied`, and one of the halves": "a_half_that_was_removed_by_hand_is_named",
    "`AccessDenied` although both halves are there": "what_limits_both_halves_is_named",
    "● A second bucket policy overwrote": "a_bucket_policy_that_somebody_overwrote_is_told",
    "Access refused after a role was deleted": "the_cause_of_a_refusal_is_named",
    "● `AccessDenied` on `GetObjectTagging`": "an_action_that_the_link_does_not_give",
    "● `AccessDenied` on `DeleteObject`": "an_action_that_the_link_does_not_give",
    "Objects owned by the writer": "a_bucket_policy_does_not_cover_an_object_of_its_writer",
    "Replication: objects from the first minutes": "a_replication_that_failed",
    "● Keys: `AccessDenied`": "a_key_refuses",
    "Wrong region": "another_region_is_told",
}
"""The test that asks of each symptom, by how its heading begins."""
NOT_IN_A_DOCUMENT = (
    "● `Unknown options",
    "Sessions of one hour",
    "● Something was deleted by hand",
    "● `aws s3 cp s3://A s3://B`",
    "● `You must specify a region`",
)
"""What is left of the symptoms after a deployment."""


def test_every_symptom_of_a_refusal_is_recognized_or_has_no_document() -> None:
    page = (PROJECT / "docs" / "troubleshooting.md").read_text()
    tests = "".join(file.read_text() for file in (PROJECT / "tests").rglob("test_explain*.py"))
    headings = page.split("\n### ")[1:]
    for begin, test in SYMPTOMS.items():
        assert [h for h in headings if h.startswith(begin)], begin
        assert f"def test_{test}" in tests
    for heading in page.split("## After a deployment")[1].split("\n### ")[1:]:
        assert heading.startswith((*SYMPTOMS, *NOT_IN_A_DOCUMENT)), heading


def test_a_replication_that_failed_is_not_tried_again() -> None:
    failed = {f"{TWO}.s3.head_object": {"ReplicationStatus": "FAILED"}}
    (step,), _ = explained(answers() | failed)
    assert "does not try it again" in str(step.notes)
