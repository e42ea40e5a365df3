"""The summary of a plan: what changes, and which access appears and disappears."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.stack import OperationError
from s3_links.operations.summary import summarize
from s3_links.sandbox.access import root
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from s3_links.operations.summary import Summary
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

REPORTS: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "summed"}],
    "buckets": [{"account": "account2", "new_prefix": "summed-"}],
    "access": {"level": "read-only", "prefixes": ["r/"]},
}
WORKER: dict[str, Any] = {
    "pattern": "assume-role",
    "consumers": [{"account": "account1", "new_role": "summed-caller"}],
    "buckets": [
        {"account": "account1", "new_prefix": "home-"},
        {"account": "account2", "new_prefix": "away-"},
        {"account": "account1", "existing": "theirs", "policy": "merge"},
    ],
    "assumed_role": {"account": "account2", "name": "summed-worker"},
    "survive_role_recreation": True,
}
REGION: Any = {"LocationConstraint": "ap-northeast-1"}
Found = tuple[str, str, str, str, bool]


def planned(
    place: Workplace, links: dict[str, Any], *arguments: str, code: int = 0
) -> dict[str, Any]:
    """Plan these links and return the machine's summary of each."""
    place.declare({"accounts": accounts(), "links": links})
    result = place.operations_here("plan", *arguments)
    assert result.returncode == code, result.stdout + result.stderr
    content = json.loads((place.folder / "plans" / "summary.json").read_text())
    return {s["stack"]: s for s in content["stacks"]} | {"refused": content["refused"]}


def told(found: list[dict[str, Any]]) -> set[Found]:
    return {
        (
            a["principal"],
            " ".join(a["actions"]),
            " ".join([a["target"], *a["paths"]]),
            "; ".join(a["conditions"]),
            a["works"],
        )
        for a in found
    }


@pytest.fixture(scope="module")
def place(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Workplace:
    owner = root(emulator.endpoint, "account1")
    owner.s3.create_bucket(Bucket="theirs", CreateBucketConfiguration=REGION)
    return Workplace(tmp_path_factory.mktemp("summary"), terraform.environment)


@pytest.fixture(scope="module")
def first(place: Workplace) -> dict[str, Any]:
    """The summaries of a first plan, which is then applied."""
    found = planned(place, {"reports": REPORTS, "worker": WORKER})
    applied = place.make("apply")
    assert applied.returncode == 0, applied.stderr
    assert "Applied: reports, worker" in applied.stdout
    return found


def test_new_access_is_told_before_any_name_is_known(first: dict[str, Any]) -> None:
    reader = "role summed (account1)"
    assert told(first["reports"]["appears"]) == {
        ("ec2.amazonaws.com", "sts:AssumeRole", reader, "", True),
        (reader, "s3:GetObject", "bucket summed-… r/*", "", True),
        (reader, "s3:ListBucket", "bucket summed-…", "StringLike s3:prefix r/, r/*", True),
    }
    assert first["reports"]["disappears"] == []


def test_a_missing_half_is_told(first: dict[str, Any]) -> None:
    caller, worker = "role summed-caller (account1)", "role summed-worker (account2)"
    objects = "s3:GetObject s3:PutObject"
    assert told(first["worker"]["appears"]) == {
        ("ec2.amazonaws.com", "sts:AssumeRole", caller, "", True),
        (caller, "sts:AssumeRole", worker, "", True),
        (worker, objects, "bucket home-… *", "", True),
        (worker, "s3:ListBucket", "bucket home-…", "", True),
        (worker, objects, "bucket away-… *", "", True),
        (worker, "s3:ListBucket", "bucket away-…", "", True),
        (worker, objects, "bucket theirs *", "", False),
        (worker, "s3:ListBucket", "bucket theirs", "", False),
    }


def test_each_change_is_told_with_its_account(first: dict[str, Any]) -> None:
    changes = first["reports"]["changes"]
    assert {c["action"] for c in changes} == {"create"}
    kinds = sorted((c["account"], c["address"].split(".")[0]) for c in changes)
    assert kinds == [
        ("account1", "aws_iam_policy"),
        ("account1", "aws_iam_role"),
        ("account1", "aws_iam_role_policy_attachment"),
        ("account2", "aws_s3_bucket"),
        ("account2", "aws_s3_bucket_ownership_controls"),
        ("account2", "aws_s3_bucket_policy"),
    ]


@pytest.mark.usefixtures("first")
def test_a_half_that_is_still_to_be_merged_is_named_when_nothing_changes(place: Workplace) -> None:
    planned(place, {"reports": REPORTS, "worker": WORKER}, "worker")
    text = (place.folder / "plans" / "summary.md").read_text()
    assert text.startswith("No changes. Unchanged: 1.")
    assert "- `worker`: `bucket_policy_to_merge_account1_theirs`" in text


@pytest.mark.usefixtures("first")
def test_a_wider_prefix_and_a_removed_bucket_are_told(place: Workplace) -> None:
    wider = REPORTS | {"access": {"level": "write-only"}}
    fewer = WORKER | {"buckets": WORKER["buckets"][:1]}
    gates = ("--refuse", "access", "--refuse", "destroys", "--refuse", "public")
    found = planned(place, {"reports": wider, "worker": fewer}, *gates, code=2)
    assert found["refused"] == {"reports": ["access"], "worker": ["destroys"]}
    appears = told(found["reports"]["appears"])
    ((who, actions, where, condition, works),) = appears
    assert (who, condition, works) == ("role summed (account1)", "", True)
    assert actions == "s3:AbortMultipartUpload s3:PutObject"
    assert where.startswith("bucket summed-2") and where.endswith(" *")  # noqa: PT018
    assert {row[1] for row in told(found["reports"]["disappears"])} == {
        "s3:GetObject",
        "s3:ListBucket",
    }
    assert found["worker"]["appears"] == []
    gone = {row[2].split("-")[0] for row in told(found["worker"]["disappears"])}
    assert gone == {"bucket away", "bucket theirs", "bucket theirs *"}
    deleted = {c["address"].split(".")[0]: c for c in found["worker"]["changes"]}
    assert deleted["aws_s3_bucket"]["action"] == "delete"
    assert deleted["aws_s3_bucket"]["account"] == "account2"  # no longer declared, still known
    text = (place.folder / "plans" / "summary.md").read_text()
    assert text.startswith("**2 of 2 stacks change: access appears in 1, disappears in 2; ")
    assert re.search(r"`account2`: \d to delete", text)
    drawn = place.operations_here("map", "--plan").stdout
    for label in ("+ write-only", "− read-only r/*", "AssumeRole"):
        assert f'-->|"{label}"|' in drawn
    assert re.search(r"linkStyle [\d,]+ stroke:#1a7f37", drawn)
    assert re.search(r"linkStyle [\d,]+ stroke:#cf222e", drawn)


@pytest.mark.usefixtures("first")
def test_what_was_changed_by_hand_is_drift(place: Workplace, emulator: Emulator) -> None:
    links = {"reports": REPORTS, "worker": WORKER}
    place.declare({"accounts": accounts(), "links": links})
    assert place.make("drift", "LINK=reports").returncode == 0
    owner = root(emulator.endpoint, "account2")
    names = [b["Name"] for b in owner.s3.list_buckets()["Buckets"]]
    (bucket,) = [name for name in names if name.startswith("summed-")]
    policy = owner.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    owner.s3.put_bucket_policy(Bucket=bucket, Policy=policy.replace("summed", "engineer"))
    drift = place.make("drift", "LINK=reports")
    owner.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert drift.returncode == 2
    assert "reports: anything changes" in drift.stderr
    assert "(changed outside of Terraform)" in drift.stdout


@pytest.mark.usefixtures("first")
def test_a_plan_that_was_overtaken_is_not_applied(place: Workplace) -> None:
    planned(place, {"reports": REPORTS | {"access": {"level": "copy-with-tags"}}}, "reports")
    assert place.operations("apply").returncode == 0
    again = place.operations("apply")
    assert again.returncode == 1
    assert "Saved plan is stale" in again.stderr
    assert again.stderr.strip().endswith("Run `s3-links plan` again.")


def test_a_plan_that_is_told_to_end_leaves_nothing(place: Workplace) -> None:
    place.declare({"accounts": accounts(), "links": {"reports": REPORTS, "worker": WORKER}})
    assert place.operations_here("plan", "reports").returncode == 0
    process = subprocess.Popen(
        ["make", "plan"],
        cwd=place.folder,
        env={"PATH": os.environ["PATH"]} | place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(place.folder.glob(".plans-*")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)  # Terraform has begun
    process.terminate()
    told, _ = process.communicate(timeout=120)
    assert "Interrupted." in told
    assert not [*place.folder.glob(".plans-*"), *place.folder.glob("plans")]
    again = place.operations_here("apply")
    assert "holds no plans: run `s3-links plan` first" in again.stderr


def test_a_file_in_the_place_of_the_plans_is_told(place: Workplace) -> None:
    shutil.rmtree(place.folder / "plans", ignore_errors=True)
    (place.folder / "plans").write_text("")
    result = place.operations_here("plan")
    (place.folder / "plans").unlink()
    assert result.returncode == 1
    assert "plans: cannot be written to (File exists): move it away" in result.stderr


def test_one_stack_is_to_be_named_once(place: Workplace) -> None:
    place.declare({"accounts": accounts(), "links": {"reports": REPORTS, "worker": WORKER}})
    several = place.make("deploy")
    assert "name one stack: there are reports, worker" in several.stderr
    twice = place.operations_here("deploy", "reports", "reports")
    assert "named twice: reports: name each stack once" in twice.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("state", "unlock", "reports"), "Missing option '--id'"),
        (("credentials",), "Missing option '--role'"),
        (("state", "move"), "Missing argument 'LINK'"),
    ],
)
def test_a_missing_argument_is_told(
    arguments: tuple[str, ...], told: str, place: Workplace
) -> None:
    result = place.operations_here(*arguments)
    assert result.returncode == 1
    assert told in result.stderr


def test_applying_without_plans_says_so(place: Workplace) -> None:
    place.declare({"accounts": accounts(), "links": {"elsewhere": REPORTS}})
    result = place.operations_here("apply", "elsewhere")
    assert result.returncode == 1
    assert "holds no plans: run `s3-links plan` first" in result.stderr


# What a plan holds, as far as the summary reads it.

ALIASES = {
    "aws_s3_bucket.b": "account2",
    "aws_s3_bucket_policy.b": "account2",
    "aws_iam_role.r": "account1",
    "aws_iam_policy.p": "account1",
    "aws_iam_role_policy_attachment.a": "account1",
}
SOURCE = {"provider": {"aws": [{"alias": "account1"}, {"alias": "account2"}]}}
ROLE = "arn:aws:iam::111111111111:role/team/r"
GET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def resource(address: str, **values: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "values": values}


def snapshot(*statements: Any, identity: dict[str, Any] | None) -> dict[str, Any]:
    trust = document({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})
    found = [
        resource("aws_s3_bucket.b", arn="arn:aws:s3:::b", bucket="b"),
        resource("aws_s3_bucket_policy.b", bucket="b", policy=document(*statements)),
        resource("aws_iam_role.r", arn=ROLE, name="r", assume_role_policy=trust),
    ]
    if identity:
        arn = "arn:aws:iam::111111111111:policy/p"
        found += [
            resource("aws_iam_policy.p", arn=arn, policy=document(identity)),
            resource("aws_iam_role_policy_attachment.a", role="r", policy_arn=arn),
        ]
    return {"root_module": {"resources": found}}


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def summary(before: dict[str, Any], after: dict[str, Any]) -> Summary:
    plan = {"prior_state": {"values": before}, "planned_values": after}
    return summarize("s", plan, SOURCE, ALIASES)


NAMED = GET | {"Principal": {"AWS": ROLE}}
PUBLIC = GET | {"Principal": "*"}
SURVIVING = GET | {
    "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
    "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
}
TLS = GET | {
    "Effect": "Deny",
    "Principal": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_a_public_bucket_is_told_and_refused() -> None:
    found = summary(snapshot(NAMED, identity=GET), snapshot(NAMED, PUBLIC, identity=GET))
    assert [a.principal for a in found.appears] == ["everyone"]
    assert found.refused(["public", "access"]) == ["public", "access"]


def test_a_refusal_that_goes_away_counts_as_access() -> None:
    found = summary(snapshot(NAMED, TLS, identity=GET), snapshot(NAMED, identity=GET))
    assert found.appears == []
    assert [(a.effect, a.principal) for a in found.disappears] == [("Deny", "everyone")]
    assert found.refused(["access", "public"]) == ["access"]


def test_a_refusal_that_comes_does_not() -> None:
    found = summary(snapshot(NAMED, identity=GET), snapshot(NAMED, TLS, identity=GET))
    assert found.refused(["access", "public"]) == []


@pytest.mark.parametrize("statement", [NAMED, SURVIVING])
def test_the_other_half_completes_an_access(statement: dict[str, Any]) -> None:
    found = summary(snapshot(identity=GET), snapshot(statement, identity=GET))
    assert found.disappears == []  # one half alone was no access
    (now,) = found.appears
    assert (now.works, now.halves) == (True, ("bucket policy", "identity policy"))
    assert (now.principal, now.conditions) == ("role r (account1)", ())


def test_a_condition_that_goes_is_another_access() -> None:
    guarded = GET | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    found = summary(snapshot(NAMED, identity=guarded), snapshot(NAMED, identity=GET))
    assert found.disappears == []  # what was allowed still is
    assert [a.conditions for a in found.appears] == [()]


def test_the_policy_of_an_imported_bucket_that_is_overwritten_is_told() -> None:
    before = {
        "root_module": {
            "resources": [
                resource("aws_s3_bucket.b", arn="a", bucket="b", policy=document(PUBLIC)),
            ]
        }
    }
    kept = summary(before, before)
    assert (kept.appears, kept.disappears) == ([], [])
    lost = summary(before, snapshot(NAMED, identity=GET))
    assert [(a.principal, a.target) for a in lost.disappears] == [("everyone", "bucket b")]


def test_a_foreign_managed_policy_is_told_by_its_name() -> None:
    attached = snapshot(NAMED, identity=GET)
    attached["root_module"]["resources"].append(
        resource(
            "aws_iam_role_policy_attachment.x",
            role="r",
            policy_arn="arn:aws:iam::aws:policy/AmazonS3FullAccess",
        )
    )
    found = summary(snapshot(NAMED, identity=GET), attached)
    assert [a.actions for a in found.appears] == [("policy AmazonS3FullAccess",)]


# Policies as IAM takes them, and as nobody can read them.


def policy(text: str) -> dict[str, Any]:
    """The bucket's policy as this text, without anything else."""
    found = snapshot(identity=None)
    found["root_module"]["resources"][1]["values"]["policy"] = text
    return found


NOTHING = policy("")


@pytest.mark.parametrize("text", ["", " ", "{}", "null", '{"Version": "2012-10-17"}', document()])
def test_an_empty_policy_lets_nobody_in(text: str) -> None:
    found = summary(policy(text), policy(text))
    assert (found.appears, found.disappears) == ([], [])
    assert summary(policy(text), policy(document(PUBLIC))).refused(["public"]) == ["public"]


@pytest.mark.parametrize(
    "principal", ["*", ["*"], {"AWS": "*"}, {"AWS": ["*"]}, {"AWS": [ROLE, "*"]}]
)
def test_everyone_is_told_in_every_spelling(principal: Any) -> None:
    found = summary(NOTHING, policy(document(GET | {"Principal": principal})))
    assert "everyone" in [a.principal for a in found.appears]
    assert found.refused(["public", "access"]) == ["public", "access"]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"Bool": {"aws:SecureTransport": False}}, "Bool aws:SecureTransport false"),
        ({"Bool": {"aws:SecureTransport": [True]}}, "Bool aws:SecureTransport true"),
        ({"NumericLessThan": {"s3:max-keys": 10}}, "NumericLessThan s3:max-keys 10"),
    ],
)
def test_booleans_and_numbers_are_the_texts_that_iam_takes_them_for(
    condition: dict[str, Any], told: str
) -> None:
    ((test, keys),) = condition.items()
    ((key, _),) = keys.items()
    lists = NAMED | {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
    spelt = lists | {"Condition": {test: {key: told.rpartition(" ")[2]}}}
    found = summary(NOTHING, policy(document(lists | {"Condition": condition})))
    assert [a.conditions for a in found.appears] == [(told,)]
    same = summary(policy(document(spelt)), policy(document(lists | {"Condition": condition})))
    assert (same.appears, same.disappears) == ([], [])


@pytest.mark.parametrize("condition", [None, {}])
def test_no_condition_is_none(condition: Any) -> None:
    found = summary(NOTHING, policy(document(PUBLIC | {"Condition": condition})))
    assert [a.conditions for a in found.appears] == [()]


def without(statement: dict[str, Any], element: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != element} | more


@pytest.mark.parametrize(
    ("statement", "who", "may", "on"),
    [
        (
            without(PUBLIC, "Principal", NotPrincipal={"AWS": [ROLE]}),
            "everyone but role r (account1)",
            "s3:GetObject",
            "bucket b",
        ),
        (
            without(PUBLIC, "Action", NotAction=["s3:PutObject", "s3:GetObject"]),
            "everyone",
            "NotAction s3:GetObject, s3:PutObject",
            "bucket b",
        ),
        (
            without(PUBLIC, "Resource", Action="s3:ListBucket", NotResource="arn:aws:s3:::b/*"),
            "everyone",
            "s3:ListBucket",
            "NotResource arn:aws:s3:::b/*",
        ),
    ],
)
def test_all_but_something_is_told_as_such(
    statement: dict[str, Any], who: str, may: str, on: str
) -> None:
    found = summary(NOTHING, policy(document(statement)))
    assert [(a.principal, a.actions, a.target) for a in found.appears] == [(who, (may,), on)]
    assert found.refused(["public", "access"]) == ["public", "access"]
    # Of a refusal, what is excepted is what is let in.
    refusal = statement | {"Effect": "Deny"}
    gone = summary(policy(document(refusal)), NOTHING)
    assert gone.refused(["public", "access"]) == ["access"]


def test_all_but_something_is_read_before_any_name_is_known() -> None:
    block = {
        "effect": "Allow",
        "not_principals": [{"type": "AWS", "identifiers": ["${aws_iam_role.r.arn}"]}],
        "not_actions": ["s3:PutObject"],
        "not_resources": ["${aws_s3_bucket.b.arn}/*"],
    }
    source = {
        "data": {"aws_iam_policy_document": {"d": {"statement": [block]}}},
        "resource": {
            "aws_s3_bucket": {"b": {"bucket": "b"}},
            "aws_s3_bucket_policy": {
                "b": {"bucket": "b", "policy": "${data.aws_iam_policy_document.d.json}"}
            },
            "aws_iam_role": {"r": {"name": "r"}},
        },
    }
    resources = [resource("aws_s3_bucket_policy.b", bucket="b")]
    plan = {"planned_values": {"root_module": {"resources": resources}}}
    (access,) = summarize("s", plan, source, ALIASES).appears
    assert (access.principal, access.actions, access.target) == (
        "everyone but role r (account1)",
        ("NotAction s3:PutObject",),
        "NotResource arn:aws:s3:::b/*",
    )


UNREADABLE_STATEMENTS: list[Any] = [
    "s3:GetObject",
    {},
    without(PUBLIC, "Principal"),
    PUBLIC | {"Principal": None},
    PUBLIC | {"Principal": {}},
    PUBLIC | {"Principal": {"AWS": None}},
    PUBLIC | {"Principal": {"AWS": []}},
    PUBLIC | {"NotPrincipal": {"AWS": ROLE}},
    without(PUBLIC, "Effect"),
    PUBLIC | {"Effect": "allow"},
    PUBLIC | {"Effect": ["Allow"]},
    without(PUBLIC, "Action"),
    PUBLIC | {"Action": None},
    PUBLIC | {"Action": {"s3": "GetObject"}},
    PUBLIC | {"NotAction": "s3:PutObject"},
    without(PUBLIC, "Resource"),
    PUBLIC | {"Resource": []},
    PUBLIC | {"Condition": "aws:SecureTransport"},
    PUBLIC | {"Condition": {"Bool": None}},
    PUBLIC | {"Condition": {"Bool": {"aws:SecureTransport": None}}},
    PUBLIC | {"condition": {}},
]
UNREADABLE = [
    "no JSON",
    "[]",
    "1",
    json.dumps({"statement": []}),
    *(document(statement) for statement in UNREADABLE_STATEMENTS),
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_counts_as_access_of_everyone(text: str) -> None:
    found = summary(NOTHING, policy(text))
    assert {(a.principal, a.works) for a in found.appears} == {("everyone", True)}
    assert all(a.actions[0].startswith("cannot be read: ") for a in found.appears)
    assert {a.target for a in found.appears} == {"(aws_s3_bucket_policy.b)"}
    assert found.refused(["public", "access"]) == ["public", "access"]
    same = summary(policy(text), policy(text))
    assert (same.appears, same.disappears) == ([], [])


@pytest.mark.parametrize("text", ["no JSON", document(without(TLS, "Effect"))])
def test_what_may_have_been_a_refusal_counts_when_it_goes(text: str) -> None:
    assert summary(policy(text), NOTHING).refused(["access"]) == ["access"]


def test_who_is_named_in_what_cannot_be_read_is_told() -> None:
    unreadable = NAMED | {"Action": None}
    found = summary(NOTHING, policy(document(unreadable, NAMED | {"Effect": "Deny"})))
    told = {(a.principal, a.effect, a.works) for a in found.appears}
    assert told >= {("role r (account1)", "Allow", True)}
    assert found.refused(["public", "access"]) == ["access"]
    mine = summary(snapshot(identity=None), snapshot(identity=GET | {"Condition": [1]}))
    assert [(a.principal, a.target) for a in mine.appears] == [
        ("role r (account1)", "(aws_iam_role_policy_attachment.a)")
    ]


# What Terraform may say of a plan that is not to be applied.


def changed(*actions: str, mode: str = "managed", **more: Any) -> dict[str, Any]:
    change = {"actions": list(actions)} | more
    return {"address": "aws_s3_bucket.b", "mode": mode, "change": change}


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"errored": True}, "s: Terraform could not complete the plan: mend"),
    ({"complete": False}, "s: Terraform leaves changes out of the plan: plan all"),
    (
        {"deferred_changes": [{"reason": "x", "resource_change": changed("create")}]},
        "s: aws_s3_bucket.b: Terraform puts this change off",
    ),
    (
        {"resource_changes": [changed("create", "forget")]},
        "s: aws_s3_bucket.b: the actions ['create', 'forget'] are not known here",
    ),
    (
        {"resource_changes": [changed("read")]},
        "s: aws_s3_bucket.b: the actions ['read'] are not known here",
    ),
    (
        {"resource_changes": [changed("sweep", importing={"id": "b"})]},
        "s: aws_s3_bucket.b: the actions ['sweep'] are not known here",
    ),
    (
        {"resource_changes": [changed("read", mode="another")]},
        "s: aws_s3_bucket.b: the actions ['read'] are not known here",
    ),
]


@pytest.mark.parametrize(("plan", "problem"), UNFIT)
def test_a_plan_that_is_not_whole_or_not_understood_is_an_error(
    plan: dict[str, Any], problem: str
) -> None:
    with pytest.raises(OperationError) as error:
        summarize("s", {"planned_values": {}} | plan, {}, ALIASES)
    assert str(error.value).startswith(problem)


def test_all_that_makes_a_plan_unfit_is_told_at_once() -> None:
    changes = [changed("read"), changed("sweep")]
    with pytest.raises(OperationError) as error:
        summarize("s", {"errored": True, "resource_changes": changes}, {}, ALIASES)
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed("no-op"), []),
        (changed("no-op", importing={"id": "b"}), ["import"]),
        (changed("update", importing={"id": "b"}), ["update"]),
        (changed("delete", "create"), ["replace"]),
        (changed("create", "delete"), ["replace"]),
        (changed("forget"), ["forget"]),
        (changed("read", mode="data"), []),
    ],
)
def test_each_list_of_actions_is_told_in_one_word(change: dict[str, Any], told: list[str]) -> None:
    plan = {
        "planned_values": {},
        "resource_changes": [change],
        "errored": False,
        "complete": True,
        "deferred_changes": None,
    }
    assert [c.action for c in summarize("s", plan, {}, ALIASES).changes] == told
