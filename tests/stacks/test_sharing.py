"""Links that share a bucket: one writes the policies for all, an independent evaluator judges."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.read_links import read_links
from s3_links.operations.access import difference
from s3_links.operations.explain.declared import Declared
from s3_links.operations.graphs import graph
from s3_links.operations.joined import beside
from s3_links.operations.mapped import declared as mapped
from s3_links.operations.moments import Moments
from s3_links.operations.order import in_order
from s3_links.operations.prove import prove
from s3_links.operations.stack import OperationError, Stack
from s3_links.operations.who_can import who_can
from s3_links.world import Request, principal
from tests.evaluator import decide
from tests.support.links import accounts, read_and_stacks, stack_json, synthesize
from tests.support.synthesized import Synthesized

if TYPE_CHECKING:
    from s3_links.declarations.links import Links

pytestmark = pytest.mark.cost("synthesized")

BUCKET, ARN = "lake-of-ours", "arn:aws:s3:::lake-of-ours"
NAMED = {"account": "account2", "existing": BUCKET}
IDS = {"account1": "111111111111", "account2": "222222222222", "account3": "333333333333"}
ACCOUNTS = accounts() | {
    "account3": {"region": "ap-northeast-1", "profile": "three", "account_id": IDS["account3"]},
    "partner": {"account_id": "444444444444", "foreign": True},
}


def link(*consumers: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {"pattern": "direct-access", "consumers": list(consumers), "buckets": [NAMED]}
    return usual | more


def below(level: str, prefix: str) -> dict[str, Any]:
    return {"level": level, "prefixes": [prefix]}


LINKS = {
    "writer": link(
        {"account": "account3", "new_role": "writer"}, access=below("write-only", "in/")
    ),
    "lake": link(
        {"account": "account1", "new_role": "reader"},
        buckets=[{"account": "account2", "new_name": BUCKET, "key": "new"}],
        access=below("read-only", "out/"),
        hardening={"tls_only": True},
    ),
    "assumed": link(
        {"account": "account1", "new_role": "caller"},
        pattern="assume-role",
        assumed_role={"account": "account3", "name": "worker"},
        access=below("read-only", "in/"),
    ),
    "found": link(
        {"account": "account1", "existing_role": "found"},
        {"account": "account1", "existing_user": "person"},
        {"account": "account3", "permission_set": "Analyst"},
        {"account": "partner", "existing_role": "etl"},
        access=below("read-only", "shown/"),
    ),
    "pointed": link(
        {"account": "account1", "new_role": "pointed"},
        buckets=[NAMED | {"access_points": [{"account": "account2", "name": "pointed"}]}],
        access=below("read-only", "pointed/"),
    ),
    "many": link({"organization_id": "o-a1b2c3d4e5"}, access=below("read-only", "all/")),
    "trail": {
        "pattern": "service-delivery",
        "service": "log-delivery",
        "from": ["account1"],
        "bucket": {"account": "account2", "existing": "plain-of-ours"},
    },
    "copies": {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": "copied-"},
        "destination": {"account": "account2", "new_name": "copies-of-ours"},
        "role_name": "copier",
    },
    "copied": link(
        {"account": "account3", "new_role": "copied"},
        buckets=[{"account": "account2", "existing": "copies-of-ours"}],
    ),
    "plain": link(
        {"account": "account1", "new_role": "plain"},
        buckets=[{"account": "account2", "new_name": "plain-of-ours"}],
    ),
}


@cache
def everything() -> tuple[Links, dict[str, dict[str, Any]]]:
    """Return the links as they are read, and their stacks."""
    return read_and_stacks({"accounts": ACCOUNTS, "links": LINKS})


def stacks(*names: str) -> list[Stack]:
    content = everything()[1]
    return [Stack(name, Path("cdk.tf.json"), content[name], "") for name in names or content]


def whole(name: str) -> Synthesized:
    return Synthesized(everything()[1][name])


def identity_of(arn: str) -> list[Any]:
    """Return all that the links write for a role, whatever the path of one that is looked up."""
    of, name = arn.split(":")[4], arn.rpartition("/")[2]
    return [
        policy.document
        for link_ in LINKS
        for who, policies in whole(link_).identity.items()
        if (who.split(":")[4], who.rpartition("/")[2]) == (of, name)
        for policy in policies
    ]


def role(account: str, name: str) -> str:
    return f"arn:aws:iam::{IDS[account]}:role/{name}"


READER, WRITER = role("account1", "reader"), role("account3", "writer")
WORKER, FOUND = role("account3", "worker"), role("account1", "found")


def request(who: str, action: str, key: str = "", **changed: Any) -> dict[str, Any]:
    """Return a request on the bucket, or an object in it, with the documents of all links."""
    _, _, _, _, account, name = who.split(":")
    session = f"arn:aws:sts::{account}:assumed-role/{name.rpartition('/')[2]}/session"
    asked: dict[str, Any] = {
        "principal": session if ":role/" in who else who,
        "action": action,
        "resource": f"{ARN}/{key}" if "Object" in action else ARN,
        "account": IDS["account2"],
        "identity": identity_of(who),
        "resourcePolicy": whole("lake").on_buckets[ARN].document,
        "context": {
            "aws:SecureTransport": "true",
            "aws:PrincipalArn": who,
            "aws:PrincipalAccount": account,
        },
    }
    if "Object" not in action:
        asked["context"]["s3:prefix"] = key
    return asked | changed


MAY = {
    (READER, "s3:GetObject", "out/a"),
    (READER, "s3:ListBucket", "out/"),
    (WRITER, "s3:PutObject", "in/a"),
    (WORKER, "s3:GetObject", "in/a"),
    (WORKER, "s3:ListBucket", "in/"),
    (FOUND, "s3:GetObject", "shown/a"),
    (FOUND, "s3:ListBucket", "shown/"),
}
ASKED = [
    *product((READER, WRITER, WORKER, FOUND), ("s3:GetObject", "s3:PutObject"), ("in/a", "out/a")),
    *product((READER, WRITER, WORKER, FOUND), ("s3:ListBucket",), ("in/", "out/", "shown/")),
    (FOUND, "s3:GetObject", "shown/a"),
]


def test_each_gets_what_its_link_grants_and_nothing_of_the_others() -> None:
    found = decide([request(*asked) for asked in ASKED])
    assert {asked for asked, allowed in zip(ASKED, found, strict=True) if allowed} == MAY


def test_each_half_is_needed() -> None:
    without = [request(*asked, identity=[]) for asked in sorted(MAY)]
    nobody = deepcopy(whole("lake").on_buckets[ARN].document)
    nobody["Statement"] = [s for s in nobody["Statement"] if s.get("Effect") == "Deny"]
    without += [request(*asked, resourcePolicy=nobody) for asked in sorted(MAY)]
    assert set(decide(without)) == {False}


def test_nobody_else_of_their_accounts_is_let_in() -> None:
    everything_ = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    identity = [{"Version": "2012-10-17", "Statement": [everything_]}]
    others = [role(a, n) for a, n in product(("account1", "account3"), ("other", "writers"))]
    others += [
        f"arn:aws:iam::{IDS['account3']}:role/other/worker-writer",
        role("account1", "writer"),
    ]
    asked = product(others, ("s3:GetObject", "s3:PutObject"), ("in/a", "out/a", "shown/a"))
    assert set(decide([request(*a, identity=identity) for a in asked])) == {False}


def test_a_role_that_exists_is_meant_whatever_its_path() -> None:
    arn = f"arn:aws:iam::{IDS['account1']}:role/teams/found"
    context = request(FOUND, "s3:GetObject", "shown/a")["context"]
    asked = request(FOUND, "s3:GetObject", "shown/a", context=context | {"aws:PrincipalArn": arn})
    another = context | {"aws:PrincipalArn": arn.replace("/found", "/unfound")}
    assert decide([asked, request(FOUND, "s3:GetObject", "shown/a", context=another)]) == [
        True,
        False,
    ]


def key_request(who: str, action: str, encrypted: str = f"{ARN}/in/a", **more: Any) -> Any:
    ((key, policy),) = whole("lake").on_keys.items()
    asked = request(who, action) | {"resource": key, "resourcePolicy": policy.document}
    asked["context"] |= {
        "kms:ViaService": "s3.ap-northeast-1.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": encrypted,
    }
    return asked | more


def test_the_key_too_is_used_by_both_halves_for_this_bucket_alone() -> None:
    assert (
        decide(
            [
                key_request(WRITER, "kms:GenerateDataKey"),
                key_request(WORKER, "kms:Decrypt"),
                key_request(FOUND, "kms:Decrypt"),
            ]
        )
        == [True] * 3
    )
    other: dict[str, Any] = {
        "resource": f"arn:aws:kms:ap-northeast-1:{IDS['account2']}:key/another"
    }
    root = {"AWS": f"arn:aws:iam::{IDS['account2']}:root"}
    plain = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    usual: dict[str, Any] = {"resourcePolicy": {"Version": "2012-10-17", "Statement": [plain]}}
    assert (
        decide(
            [
                key_request(WORKER, "kms:GenerateDataKey"),
                key_request(WRITER, "kms:GenerateDataKey", "arn:aws:s3:::another/in/a"),
                key_request(WRITER, "kms:GenerateDataKey", identity=[]),
                key_request(WRITER, "kms:GenerateDataKey", **other, **usual),
                key_request(role("account3", "other"), "kms:Decrypt"),
            ]
        )
        == [False] * 5
    )


def test_no_policy_names_a_role_of_another_stack_itself() -> None:
    """AWS refuses a policy that names a role which is not there yet."""
    named = {
        text
        for policy in (*whole("lake").on_buckets.values(), *whole("lake").on_keys.values())
        for statement in policy.document["Statement"]
        if isinstance(statement["Principal"], dict)
        for text in statement["Principal"].get("AWS", [])
    }
    assert {text for text in named if not text.endswith(":root")} == {READER}


def test_only_the_owner_writes_policies_of_bucket_and_key() -> None:
    content = everything()[1]
    for name in set(LINKS) - {"lake", "plain", "copies"}:
        written = {
            type_ for type_ in content[name].get("resource", {}) if "s3" in type_ or "kms" in type_
        }
        assert written == ({"aws_s3_access_point"} if name == "pointed" else set()), name
    assert {p["alias"] for p in content["lake"]["provider"]["aws"]} == {"account1", "account2"}


def test_the_quota_of_the_one_policy_is_over_all_links(tmp_path: Path) -> None:
    prefixes = [f"{'p' * 100}{number}/" for number in range(15)]
    declared = {"lake": LINKS["lake"]} | {
        f"writer{n}": link(
            {"account": "account3", "new_role": f"writer{n}"},
            access={"level": "read-only", "prefixes": prefixes},
        )
        for n in range(5)
    }
    result = synthesize(tmp_path, {"accounts": ACCOUNTS, "links": declared})
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()[1:]
    assert line.startswith("  lake/")
    assert "the bucket policy may get" in line
    assert "AWS takes 20480" in line


# What is proved, drawn and explained


def proof(name: str, changed: dict[str, Any] | None = None) -> tuple[Any, ...]:
    read, content = everything()
    content = content | (changed or {})
    return prove(name, content[name], read.links[name], read.accounts, content).problems


@pytest.mark.parametrize("name", LINKS)
def test_every_link_is_proved(name: str) -> None:
    assert proof(name) == ()


def test_what_links_give_to_the_same_role_adds_up(tmp_path: Path) -> None:
    declared = {
        "lake": LINKS["lake"],
        "again": link({"account": "account1", "existing_role": "reader"}),
        "writer": LINKS["writer"],
        "whole": link(
            {"account": "account3", "whole_account": True}, access=below("read-only", "given/")
        ),
    }
    ids = {
        alias: {k: v for k, v in a.items() if k != "account_id"} for alias, a in ACCOUNTS.items()
    }
    content = {"accounts": ids | {"partner": ACCOUNTS["partner"]}, "links": declared}
    result = synthesize(tmp_path, content)
    assert result.returncode == 0, result.stderr
    read = read_links(tmp_path / "links.json")
    made = {name: stack_json(tmp_path, name) for name in declared}
    for name, stack in made.items():
        proof = prove(name, stack, read.links[name], read.accounts, made)
        assert proof.problems == (), name


def lake_without(sid: str, *, of: str = "policy-document") -> dict[str, Any]:
    lake = deepcopy(everything()[1]["lake"])
    (document,) = (
        block
        for name, block in lake["data"]["aws_iam_policy_document"].items()
        if of in name and any(sid in s.get("sid", "") for s in block["statement"])
    )
    document["statement"] = [s for s in document["statement"] if sid not in s.get("sid", "")]
    return {"lake": lake}


def test_without_the_half_that_the_owner_writes_neither_is_proved() -> None:
    changed = lake_without("Allow Account3 IamRoleObjects", of="bucket_policy-document")
    for name in ("lake", "writer"):
        told = [problem.text for problem in proof(name, changed)]
        assert any("a statement is missing" in text for text in told), name
    assert any("may not s3:PutObject" in problem.text for problem in proof("writer", changed))


def test_a_sharer_is_not_proved_without_the_owners_stack() -> None:
    read, content = everything()
    with pytest.raises(OperationError, match="lake: is not synthesized here"):
        prove("writer", content["writer"], read.links["writer"], read.accounts)


def test_the_owner_comes_first_whatever_the_order() -> None:
    names = [stack.name for stack in in_order(stacks())]
    assert all(names.index("lake") < names.index(n) for n in ("writer", "assumed", "found", "many"))
    assert names.index("plain") < names.index("trail")
    assert names.index("copies") < names.index("copied")


def test_who_can_reach_it_is_told_of_all_links_together() -> None:
    answer = who_can(stacks(), everything()[0], BUCKET, ())
    rows = {(row[0], row[1].partition(" on ")[0]) for row in answer.cells()}
    assert ("role reader (account1)", "s3:GetObject") in rows
    assert ("role writer (account3)", "s3:AbortMultipartUpload, s3:PutObject") in rows
    assert ("role caller (account1) as role worker (account3)", "s3:GetObject") in rows


def test_the_map_draws_one_edge_for_both_halves() -> None:
    drawn = graph(mapped(stacks("lake", "writer", "assumed")))
    named = {node.id: f"{node.kind} {node.name}" for node in drawn.nodes}
    edges = [(named[e.source], named[e.target], e.missing) for e in drawn.edges]
    for who in ("role writer", "role worker"):
        for what in (f"bucket {BUCKET}", f"key of {BUCKET}"):
            assert [missing for source, on, missing in edges if (source, on) == (who, what)] == [
                None
            ]
    assert sum(node.kind == "key" for node in drawn.nodes) == 1


def test_what_goes_from_the_file_disappears_from_the_owners_policies() -> None:
    """The plan of the owner tells it, and to whom: by the role, not by its account."""
    content = everything()[1]
    without = deepcopy(content["lake"])
    for block in without["data"]["aws_iam_policy_document"].values():
        block["statement"] = [
            s for s in block["statement"] if "role/writer" not in str(s.get("condition"))
        ]
    moments = Moments.of_declared(without, beside(stacks())["lake"])
    moments.before = Moments.of_declared(content["lake"]).after
    found = difference(moments)
    assert found.appears == []
    told = {(a.principal, a.target.partition(" ")[0], a.actions) for a in found.disappears}
    assert told == {
        ("role writer (account3)", "bucket", ("s3:AbortMultipartUpload", "s3:PutObject")),
        ("role writer (account3)", "key", ("kms:Decrypt", "kms:GenerateDataKey")),
    }


def test_a_new_sharer_is_access_that_appears_in_both_plans() -> None:
    shared = beside(stacks("lake", "writer"))
    for name, half in (("lake", "bucket policy"), ("writer", "identity policy")):
        content = everything()[1][name]
        found = difference(Moments.of_declared(content, shared[name])).appears
        (row,) = (r for r in found if r.target == f"bucket {BUCKET}" and "writer" in r.principal)
        assert (row.principal, row.works, row.alone) == ("role writer (account3)", True, False)
        assert half in row.halves


@pytest.mark.parametrize("read", [False, True])
def test_a_refusal_is_explained_by_the_link_that_writes_the_half(*, read: bool) -> None:
    declared = Declared(stacks(), IDS, everything()[0] if read else None)
    asked = Request(
        principal=principal(WRITER),
        action="s3:PutObject",
        resource=f"{ARN}/in/a",
        context={"aws:SecureTransport": ("true",)},
    )
    halves = {(half.link, half.what) for half in declared.halves(asked)}
    assert halves == {("writer", "identity policy"), ("lake", "bucket policy")}
    route = declared.route(principal(WRITER), ARN)
    assert route
    assert route.prefix == "in/"
