"""Replication, deployed: objects arrive, deletes do as declared, and each half is needed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account.replication_rule import ReplicationRule, problems
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS
from s3_links.sandbox.stand_in import make_role
from tests.evaluator import decide
from tests.support.invariants import RULES, statements
from tests.support.links import Deployment, stack_json
from tests.support.synthesized import synthesized

if TYPE_CHECKING:
    from s3_links.sandbox.access import Principal
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("synthesized")


def replication(name: str, **more: Any) -> dict[str, Any]:
    return {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": f"{name}-src-", "force_destroy": True},
        "destination": {"account": "account2", "new_prefix": f"{name}-dst-", "force_destroy": True},
        "role_name": f"{name}-replication",
        **more,
    }


def existing(account: str, name: str, **more: Any) -> dict[str, Any]:
    return {"account": account, "existing": name, "policy": "create", "versioned": True, **more}


LINKS: dict[str, dict[str, Any]] = {
    "plain": replication("plain", batch_role=True),
    "marked": replication(
        "marked",
        rules=[
            {"prefix": "a/", "delete_markers": True, "storage_class": "STANDARD_IA"},
            {"priority": 2, "tags": {"share": "yes"}, "time_control": True},
        ],
    ),
    "both": replication("both", both_ways=True, rules=[{"delete_markers": True}]),
    "existing": replication(
        "existing",
        source=existing("account1", "replicated-from"),
        destination=existing("account2", "replicated-to"),
    ),
    "keys": {
        **replication("keys"),
        "source": {"account": "account1", "new_prefix": "keys-src-", "key": "new"},
        "destination": {"account": "account2", "new_prefix": "keys-dst-", "key": "new"},
    },
}
OTHER_REGION = "us-west-2"


def new(account: str, prefix: str, **more: Any) -> dict[str, Any]:
    return {"account": account, "new_prefix": prefix, "force_destroy": True, **more}


LINKS |= {
    "several": {
        "pattern": "replication",
        "source": new("account1", "several-src-"),
        "destination": new("account2", "several-dst-"),
        "destinations": [
            new(
                "account2", "several-a-", rules=[{"prefix": "a/"}, {"priority": 2, "prefix": "b/"}]
            ),
            new("account1", "several-own-", rules=[{"prefix": "a/", "metrics": True}]),
        ],
        "role_name": "several-replication",
        "rules": [{"prefix": "a/x/"}],
    },
    "gathered": {
        "pattern": "replication",
        "sources": [
            new("account1", "gathered-one-"),
            new("account1", "gathered-two-", role_name="gathered-other"),
        ],
        "destination": new("account2", "gathered-dst-"),
        "role_name": "gathered-replication",
        "batch_role": True,
    },
    "taken": replication(
        "taken",
        source=existing("account1", "replicating", replication="import"),
        rules=[{"prefix": "ours/"}],
    ),
    "merged": replication(
        "merged",
        source=existing("account1", "replicating-too", replication="merge"),
        rules=[{"prefix": "ours/", "tags": {"share": "yes"}, "time_control": True}],
        role_name="their-replication",
    ),
}


def replicating(owner: Principal, name: str) -> None:
    """Make a bucket that replicates already, with a role of its owner's."""
    make_role(owner, "their-replication")
    region = {"LocationConstraint": "ap-northeast-1"}
    for bucket in (name, f"{name}-copy"):
        owner.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)
        versioned = {"Status": "Enabled"}
        owner.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioned)
    rule = {
        "ID": "theirs",
        "Priority": 7,
        "Status": "Enabled",
        "Filter": {"Prefix": "theirs/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{name}-copy"},
    }
    role = f"arn:aws:iam::{ACCOUNTS['account1']}:role/their-replication"
    there = {"Role": role, "Rules": [rule]}
    owner.s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=there)


@pytest.fixture(scope="module")
def deployment(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    for alias, name, region in (
        ("account1", "replicated-from", "ap-northeast-1"),
        ("account2", "replicated-to", OTHER_REGION),
    ):
        s3 = root(emulator.endpoint, alias, region).s3
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for name in ("replicating", "replicating-too"):
        replicating(root(emulator.endpoint, "account1", "ap-northeast-1"), name)
    folder = tmp_path_factory.mktemp("replication")
    # The destination's account works in another region throughout.
    return Deployment(terraform, emulator, folder, LINKS, account2={"region": OTHER_REGION})


class Pair:
    """Both buckets of a deployed replication, each with its owner's client."""

    def __init__(
        self,
        deployment: Deployment,
        link: str,
        source: str = "source",
        destination: str = "destination",
    ) -> None:
        outputs = deployment.outputs(link)
        self.source = outputs[f"bucket_name_{source}"]
        self.destination = outputs[f"bucket_name_{destination}"]
        self.first = deployment.roots["account1"].s3
        self.second = root(deployment.endpoint, "account2", OTHER_REGION).s3

    def put(self, key: str, **arguments: Any) -> str:
        """Write to the source; return the replication status that S3 then shows."""
        self.first.put_object(Bucket=self.source, Key=key, Body=b"body", **arguments)
        return str(self.first.head_object(Bucket=self.source, Key=key).get("ReplicationStatus"))

    def arrived(self, key: str) -> bool:
        listed = self.second.list_objects_v2(Bucket=self.destination, Prefix=key)
        return key in [item["Key"] for item in listed.get("Contents", [])]


def test_an_object_arrives_with_owner_tags_and_metadata(deployment: Deployment) -> None:
    pair = Pair(deployment, "plain")
    assert pair.put("k", Metadata={"colour": "blue"}, Tagging="share=yes") == "COMPLETED"
    reply = pair.second.get_object(Bucket=pair.destination, Key="k")
    assert reply["Body"].read() == b"body"
    assert reply["Metadata"] == {"colour": "blue"}
    assert reply["ReplicationStatus"] == "REPLICA"
    tags = pair.second.get_object_tagging(Bucket=pair.destination, Key="k")["TagSet"]
    assert tags == [{"Key": "share", "Value": "yes"}]
    owner = pair.second.get_object_acl(Bucket=pair.destination, Key="k")["Owner"]["ID"]
    assert owner == pair.second.list_buckets()["Owner"]["ID"]
    assert owner != pair.first.list_buckets()["Owner"]["ID"]


def test_without_delete_markers_a_deleted_object_stays(deployment: Deployment) -> None:
    pair = Pair(deployment, "plain")
    pair.put("deleted")
    pair.first.delete_object(Bucket=pair.source, Key="deleted")
    assert pair.arrived("deleted")


def test_with_delete_markers_it_goes(deployment: Deployment) -> None:
    pair = Pair(deployment, "marked")
    pair.put("a/k")
    reply = pair.second.head_object(Bucket=pair.destination, Key="a/k")
    assert reply["StorageClass"] == "STANDARD_IA"
    pair.first.delete_object(Bucket=pair.source, Key="a/k")
    assert not pair.arrived("a/k")


def test_rules_filter_by_prefix_and_by_tag(deployment: Deployment) -> None:
    pair = Pair(deployment, "marked")
    assert pair.put("b/other") == "None"
    assert not pair.arrived("b/other")
    assert pair.put("b/tagged", Tagging="share=yes") == "COMPLETED"
    assert pair.arrived("b/tagged")


def test_both_ways_converges_without_loops(deployment: Deployment) -> None:
    pair = Pair(deployment, "both")
    pair.put("from-first")
    pair.second.put_object(Bucket=pair.destination, Key="from-second", Body=b"body")
    for s3, bucket in ((pair.first, pair.source), (pair.second, pair.destination)):
        versions = s3.list_object_versions(Bucket=bucket)["Versions"]
        assert sorted(v["Key"] for v in versions) == ["from-first", "from-second"]
    stack = stack_json(deployment.folder, "both")
    for configuration in stack["resource"]["aws_s3_bucket_replication_configuration"].values():
        (rule,) = configuration["rule"]
        modifications = rule["source_selection_criteria"]["replica_modifications"]
        assert modifications == {"status": "Enabled"}


def test_existing_buckets_are_replicated(deployment: Deployment) -> None:
    pair = Pair(deployment, "existing")
    assert pair.put("k") == "COMPLETED"
    assert pair.arrived("k")


@pytest.mark.parametrize("half", ["bucket policy", "the destination's versioning"])
def test_without_this_half_replication_fails_and_says_so(half: str, deployment: Deployment) -> None:
    pair = Pair(deployment, "existing")
    text = pair.second.get_bucket_policy(Bucket=pair.destination)["Policy"]
    versioning: dict[str, Any] = {"Bucket": pair.destination}
    if half == "bucket policy":
        pair.second.delete_bucket_policy(Bucket=pair.destination)
    else:
        pair.second.put_bucket_versioning(
            **versioning, VersioningConfiguration={"Status": "Suspended"}
        )
    try:
        assert pair.put(f"without {half}") == "FAILED"
        assert not pair.arrived(f"without {half}")
    finally:
        pair.second.put_bucket_policy(Bucket=pair.destination, Policy=text)
        pair.second.put_bucket_versioning(
            **versioning, VersioningConfiguration={"Status": "Enabled"}
        )
    assert pair.put(f"with {half}") == "COMPLETED"


SEVERAL_A, SEVERAL_OWN = "destination_account2_several-a-", "destination_account1_several-own-"


def test_one_source_is_copied_to_each_destination_by_its_rules(deployment: Deployment) -> None:
    first = Pair(deployment, "several")
    second = Pair(deployment, "several", destination=SEVERAL_A)
    own = Pair(deployment, "several", destination=SEVERAL_OWN)
    own.second = own.first
    for key in ("a/x/k", "a/k", "b/k", "c/k"):
        first.put(key)
    arrived = [
        [pair.arrived(key) for pair in (first, second, own)]
        for key in ("a/x/k", "a/k", "b/k", "c/k")
    ]
    assert arrived == [[True] * 3, [False, True, True], [False, True, False], [False] * 3]


def rules_of(link: str) -> list[dict[str, Any]]:
    (configuration,) = synthesized(LINKS[link])["resource"][
        "aws_s3_bucket_replication_configuration"
    ].values()
    rules: list[dict[str, Any]] = configuration["rule"]
    return rules


def test_rules_for_several_destinations_have_priorities_of_their_own() -> None:
    """S3 refuses two rules of one priority, whatever their destinations."""
    rules = rules_of("several")
    assert [rule["priority"] for rule in rules] == [1, 2, 4, 3]
    assert len({rule["id"] for rule in rules}) == 4


def test_within_an_account_no_owner_changes_and_the_roles_half_is_enough() -> None:
    stack = synthesized(LINKS["several"])
    (own,) = (rule for rule in rules_of("several") if "several-own" in rule["id"])
    assert not {"account", "access_control_translation"} & set(own["destination"])
    policies = [block["bucket"] for block in stack["resource"]["aws_s3_bucket_policy"].values()]
    assert len(policies) == 2
    assert not any("own" in bucket for bucket in policies)


def test_metrics_come_without_time_control_and_its_threshold() -> None:
    (own,) = (rule for rule in rules_of("several") if "several-own" in rule["id"])
    assert own["destination"]["metrics"] == {"status": "Enabled"}
    assert "replication_time" not in own["destination"]


@pytest.mark.parametrize("number", ["one", "two"])
def test_several_sources_are_copied_to_one_destination(number: str, deployment: Deployment) -> None:
    pair = Pair(deployment, "gathered", source=f"source_account1_gathered-{number}-")
    assert pair.put(number) == "COMPLETED"
    assert pair.arrived(number)


def test_one_bucket_policy_names_the_role_of_each_source() -> None:
    stack = synthesized(LINKS["gathered"])
    (policy,) = stack["resource"]["aws_s3_bucket_policy"].values()
    document = policy["policy"].split(".")[-2]
    statements_ = stack["data"]["aws_iam_policy_document"][document]["statement"]
    assert len(statements_) == 2
    named = {arn for s in statements_ for p in s["principals"] for arn in p["identifiers"]}
    roles = {f"${{aws_iam_role.{name}.arn}}" for name in stack["resource"]["aws_iam_role"]}
    assert len(named & roles) == 2
    commands = [name for name in stack["output"] if name.startswith("batch_replication_command_")]
    assert len(commands) == 2


def test_an_imported_configuration_is_replaced_by_the_declared_rules(
    deployment: Deployment,
) -> None:
    pair = Pair(deployment, "taken")
    (entry,) = stack_json(deployment.folder, "taken")["import"]
    assert entry["to"].startswith("aws_s3_bucket_replication_configuration.")
    assert entry["id"] == "replicating"
    assert pair.put("ours/k") == "COMPLETED"
    assert pair.put("theirs/k") == "None"


def test_a_configuration_of_somebody_else_stays_until_the_rules_are_merged(
    deployment: Deployment,
) -> None:
    pair = Pair(deployment, "merged")
    there = pair.first.get_bucket_replication(Bucket=pair.source)["ReplicationConfiguration"]
    if [rule["ID"] for rule in there["Rules"]] == ["theirs"]:
        assert pair.put("ours/before", Tagging="share=yes") == "None"
        rules = json.loads(deployment.outputs("merged")["replication_rules_to_merge_source"])
        there["Rules"] += rules
        pair.first.put_bucket_replication(Bucket=pair.source, ReplicationConfiguration=there)
    assert pair.put("ours/k", Tagging="share=yes") == "COMPLETED"
    assert pair.arrived("ours/k")
    stack = stack_json(deployment.folder, "merged")
    assert "aws_s3_bucket_replication_configuration" not in stack["resource"]
    assert "aws_iam_role" not in stack["resource"]
    documents = deployment.documents("merged")
    role = f"arn:aws:iam::{ACCOUNTS['account1']}:role/their-replication"
    inside, outside = decide(
        [
            documents.on_bucket(
                role, "s3:ReplicateObject", pair.destination, ACCOUNTS["account2"], key
            )
            for key in ("ours/k", "theirs/k")
        ]
    )
    assert (inside, outside) == (True, False)


ROLE = f"arn:aws:iam::{ACCOUNTS['account1']}:role/{{}}-replication"
ON_SOURCE = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
ON_SOURCE_OBJECTS = [
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
]
ON_DESTINATION = [
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
]


def test_the_role_may_do_what_aws_lists_and_no_more(deployment: Deployment) -> None:
    """The emulator does not enforce the role's own policy: the independent evaluator is asked."""
    pair, documents = Pair(deployment, "plain"), deployment.documents("plain")
    role = ROLE.format("plain")

    def request(action: str, bucket: str, owner: str, key: str | None) -> dict[str, Any]:
        return documents.on_bucket(role, action, bucket, ACCOUNTS[owner], key)

    wanted = [
        *(request(a, pair.source, "account1", None) for a in ON_SOURCE),
        *(request(a, pair.source, "account1", "k") for a in ON_SOURCE_OBJECTS),
        *(request(a, pair.destination, "account2", "k") for a in ON_DESTINATION),
    ]
    refused = [
        request("s3:GetObject", pair.source, "account1", "k"),
        request("s3:PutObject", pair.destination, "account2", "k"),
        request("s3:DeleteObject", pair.destination, "account2", "k"),
        request("s3:PutBucketVersioning", pair.destination, "account2", None),
        request("s3:ReplicateObject", pair.source, "account1", "k"),
        request("s3:ReplicateObject", "another-bucket", "account2", "k"),
    ]
    assert decide(wanted) == [True] * len(wanted)
    assert decide(refused) == [False] * len(refused)
    without_identity = [r | {"identity": []} for r in wanted[-4:]]
    without_policy = [r | {"resourcePolicy": None} for r in wanted[-4:]]
    assert decide(without_identity + without_policy) == [False] * 8


def test_each_key_is_used_through_s3_in_its_region_and_for_its_bucket(
    deployment: Deployment,
) -> None:
    pair, documents = Pair(deployment, "keys"), deployment.documents("keys")
    cases = [
        ("kms:Decrypt", "account1", "ap-northeast-1", pair.source),
        ("kms:Encrypt", "account2", OTHER_REGION, pair.destination),
    ]
    for action, owner, region, bucket in cases:

        def ask(
            action: str = action, owner: str = owner, without: str = "", **context: str
        ) -> bool:
            request = documents.on_key(
                ROLE.format("keys"), action, account=ACCOUNTS[owner], **context
            )
            if without == "identity":
                request["identity"] = []
            if without == "key policy":
                request["resourcePolicy"] = None
            return decide([request])[0]

        usual = {
            "kms:ViaService": f"s3.{region}.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
        }
        assert ask(**usual)
        assert not ask(**usual | {"kms:ViaService": "s3.eu-west-1.amazonaws.com"})
        assert not ask(**usual | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::other"})
        if owner == "account2":  # within one account either half is enough
            assert not ask(without="identity", **usual)
            assert not ask(without="key policy", **usual)
    other = documents.on_key(ROLE.format("keys"), "kms:Encrypt", account=ACCOUNTS["account1"])
    assert decide([other]) == [False]


BOTH = {**LINKS["keys"], "both_ways": True}
THEIR_KEY = "arn:aws:kms:ap-northeast-1:{}:key/11111111-2222-3333-4444-555555555555"
EXISTING_KEYS = replication(
    "keys",
    **{
        end: existing(alias, f"replicated-{end}", key=THEIR_KEY.format(ACCOUNTS[alias]))
        for end, alias in (("source", "account1"), ("destination", "account2"))
    },
)


def test_the_statements_for_a_key_that_exists_verify_its_bucket_key_too() -> None:
    stack = synthesized(EXISTING_KEYS)
    encrypting = [s for _, s in statements(stack) if "kms:Encrypt" in s["actions"]]
    assert len(encrypting) == 2  # the role's policy, and what is to be merged into the key policy
    assert all("kms:Decrypt" in s["actions"] for s in encrypting)


@pytest.mark.parametrize(
    "link",
    [
        LINKS["plain"],
        LINKS["keys"],
        BOTH,
        BOTH | {"hardening": True},
        LINKS["existing"],
        EXISTING_KEYS,
    ],
)
def test_the_configuration_waits_for_all_that_the_role_needs(link: dict[str, Any]) -> None:
    """What is written before the role may replicate it is FAILED, and stays so."""
    resources = synthesized(link)["resource"]
    for configuration in resources["aws_s3_bucket_replication_configuration"].values():
        role = configuration["role"].removesuffix(".arn}") + ".name}"
        attachments = {
            f"aws_iam_role_policy_attachment.{name}": block["policy_arn"]
            for name, block in resources["aws_iam_role_policy_attachment"].items()
            if block["role"] == role
        }
        policies = {arn.removeprefix("${").removesuffix(".arn}") for arn in attachments.values()}
        others = {
            f"{type_}.{name}"
            for type_ in ("aws_kms_key_policy", "aws_s3_bucket_versioning")
            for name in resources.get(type_, {})
            if "access-logs" not in name  # neither end of a replication
        }
        target = configuration["rule"][0]["destination"]["bucket"].removesuffix(".arn}")
        bucket_policies = {
            f"aws_s3_bucket_policy.{name}"
            for name, block in resources["aws_s3_bucket_policy"].items()
            if block["bucket"].startswith(target) or target.endswith(f":{block['bucket']}")
        }
        assert len(attachments) == 2
        assert len(bucket_policies) == 1
        waits_for = set(configuration["depends_on"])
        assert {*attachments, *policies, *others, *bucket_policies} <= waits_for


def test_encrypted_objects_are_selected_and_encrypted_with_the_destinations_key(
    deployment: Deployment,
) -> None:
    (configuration,) = stack_json(deployment.folder, "keys")["resource"][
        "aws_s3_bucket_replication_configuration"
    ].values()
    (rule,) = configuration["rule"]
    criteria = rule["source_selection_criteria"]
    assert criteria == {"sse_kms_encrypted_objects": {"status": "Enabled"}}
    replica_key = rule["destination"]["encryption_configuration"]["replica_kms_key_id"]
    assert "destination" in replica_key
    assert rule["destination"]["account"] == ACCOUNTS["account2"]
    assert rule["destination"]["access_control_translation"] == {"owner": "Destination"}


def test_time_control_brings_its_metrics(deployment: Deployment) -> None:
    (configuration,) = stack_json(deployment.folder, "marked")["resource"][
        "aws_s3_bucket_replication_configuration"
    ].values()
    timed = configuration["rule"][1]["destination"]
    assert timed["replication_time"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert timed["metrics"] == {"status": "Enabled", "event_threshold": {"minutes": 15}}


def test_the_batch_command_is_complete(deployment: Deployment) -> None:
    command = deployment.outputs("plain")["batch_replication_command"]
    assert command.startswith("aws s3control create-job --account-id 111111111111")
    assert f"--role-arn {ROLE.format('plain')}-batch" in command
    assert f"{{SourceBucket=arn:aws:s3:::{Pair(deployment, 'plain').source}," in command
    # The AWS CLI checks every argument against the service's model, and asks nobody.
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "awscli"),
            *shlex.split(command)[1:],
            *("--generate-cli-skeleton", "output"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    documents = deployment.documents("plain")
    bucket = Pair(deployment, "plain").source
    role = f"{ROLE.format('plain')}-batch"
    initiate, put, delete = decide(
        [
            documents.on_bucket(role, action, bucket, ACCOUNTS["account1"], "k")
            for action in ("s3:InitiateReplication", "s3:PutObject", "s3:DeleteObject")
        ]
    )
    assert (initiate, put, delete) == (True, False, False)


def test_every_variant_plans_empty(deployment: Deployment) -> None:
    assert "No changes." in deployment.plan(*LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_each_variant_keeps_the_invariants(link: str, deployment: Deployment) -> None:
    for rule in RULES:
        assert rule(stack_json(deployment.folder, link)) == [], rule.__name__


def test_what_rules_silently_get_wrong_is_told() -> None:
    assert problems([ReplicationRule()]) == []
    (marker,) = problems([ReplicationRule(delete_markers=True, tags={"a": "b"})])
    assert "delete markers together with a tag filter" in marker
    (same,) = problems([ReplicationRule(), ReplicationRule(prefix="a/")])
    assert "2 rules have the priority 1" in same
    assert problems([]) == ["there is no rule: declare one at least"]


def test_tags_are_taken_as_pairs_too_and_kept_in_one_order() -> None:
    pairs: Any = (("b", "2"), ("a", "1"))
    rule = ReplicationRule(tags=pairs)
    assert list(rule.tags.items()) == [("a", "1"), ("b", "2")]
    assert rule == ReplicationRule(tags={"a": "1", "b": "2"})


@pytest.mark.parametrize(
    "wrong", [{"priority": 0}, {"prefix": "${x}"}, {"tags": {"aws:x": "y"}}, {"storage": "COLD"}]
)
def test_a_rule_refuses_what_the_links_file_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReplicationRule(**wrong)
