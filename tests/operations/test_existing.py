"""What exists is looked at before anything is planned: each thing one line, all at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.links import Links
from s3_links.operations.existing import findings
from s3_links.operations.stack import Stack
from s3_links.sandbox.access import Principal, root
from s3_links.sandbox.emulator import ACCOUNTS, REGION, Emulator
from s3_links.sandbox.stand_in import make_key, make_role
from tests.support.links import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_links.operations.looking import Finding

KEY = f"arn:aws:kms:{REGION}:{ACCOUNTS['account2']}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = KEY.replace("11111111-", "99999999-")
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS['account2']}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
CHANGED_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        *KEY_POLICY["Statement"],
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"},
    ],
}
ROLE = {"account": "account1", "new_role": "reader"}
ISSUER = {
    "issuer": "https://oidc.example.com/id/A",
    "audience": "sts.amazonaws.com",
    "subject": "reports",
}


def policy(bucket: str) -> str:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    statement = deny | {"Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket(owner: Principal, name: str) -> None:
    owner.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def sending(service: str) -> str:
    """Return a policy that somebody wrote for a queue or a topic."""
    arn = f"arn:aws:{service}{REGION}:{ACCOUNTS['account1']}:sent"
    allowed = "sqs:SendMessage" if service == "sqs:" else "sns:Publish"
    theirs = {"AWS": f"arn:aws:iam::{ACCOUNTS['account2']}:root"}
    statement = {"Effect": "Allow", "Principal": theirs, "Action": allowed, "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def encrypt(owner: Principal, name: str, **default: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"} | default}
    owner.s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Two accounts in which things exist."""
    with Emulator(tmp_path_factory.mktemp("there")) as emulator:
        one, two = (root(emulator.endpoint, alias) for alias in ("account1", "account2"))
        for name in ("plain", "with-policy", "versioned", "replicating", "keyed", "aws-keyed"):
            bucket(two, name)
        bucket(two, "granting")
        bucket(one, "theirs")
        two.s3.put_bucket_policy(Bucket="with-policy", Policy=policy("with-policy"))
        for owner, name in ((two, "versioned"), (two, "replicating"), (one, "theirs")):
            versioned = {"Status": "Enabled"}
            owner.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioned)
        rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::theirs"}}
        two.s3.put_bucket_replication(
            Bucket="replicating",
            ReplicationConfiguration={"Role": "arn:aws:iam::1:role/r", "Rules": [rule]},
        )
        encrypt(two, "keyed", KMSMasterKeyID=KEY)
        encrypt(two, "aws-keyed")
        make_key(two.client("kms"), KEY.rpartition("/")[2], json.dumps(KEY_POLICY))
        writes = [{"ObjectOwnership": "ObjectWriter"}]
        two.s3.put_bucket_ownership_controls(Bucket="granting", OwnershipControls={"Rules": writes})
        two.s3.delete_public_access_block(Bucket="granting")
        two.s3.put_bucket_acl(Bucket="granting", ACL="public-read")
        bucket(two, "notifying")
        two.s3.put_bucket_notification_configuration(
            Bucket="notifying", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        one.client("sqs").create_queue(QueueName="plain")
        one.client("sqs").create_queue(QueueName="sent", Attributes={"Policy": sending("sqs:")})
        one.client("sns").create_topic(Name="plain")
        one.client("sns").create_topic(Name="sent", Attributes={"Policy": sending("sns:")})
        make_role(two, "copier")
        iam = one.client("iam")
        trusted = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
        trust = json.dumps({"Statement": [trusted | {"Action": "sts:AssumeRole"}]})
        iam.create_role(RoleName="web", Path="/service-role/", AssumeRolePolicyDocument=trust)
        iam.create_instance_profile(InstanceProfileName="empty")
        iam.create_user(UserName="backup", Path="/people/")
        iam.create_open_id_connect_provider(
            Url="https://oidc.example.com/id/A", ClientIDList=["sts.amazonaws.com"]
        )
        yield emulator


class Place:
    """A link and its state, as ``findings`` sees them."""

    def __init__(self, emulator: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)

    def ask(
        self, link: dict[str, Any], other: dict[str, Any] | None = None, **state: Any
    ) -> list[Finding]:
        """Return what is found, with these resources in the state: ``type=bucket``.

        There may be an ``other`` link in the file.
        """
        links = {"link": link} | ({"other": other} if other else {})
        declared = Links.model_validate({"accounts": accounts(), "links": links})
        resources = [
            {"type": type_, "instances": [{"attributes": {"bucket": name}}]}
            for type_, name in state.items()
        ]
        stack = Stack(
            "link",
            self._folder / "cdktf.out" / "stacks" / "link" / "cdk.tf.json",
            self._content(),
            digest="",
        )
        if resources:
            stack.local_state.write_text(json.dumps({"resources": resources}))
        return findings([stack], declared.links, ACCOUNTS)

    def _content(self) -> dict[str, Any]:
        providers = [{"alias": a, "region": REGION, "profile": a} for a in ACCOUNTS]
        return {"terraform": {"backend": {"local": {}}}, "provider": {"aws": providers}}


@pytest.fixture
def place(there: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(there, tmp_path, monkeypatch)


def on(**bucket: Any) -> dict[str, Any]:
    """Return a link whose bucket is this one."""
    declared = {"account": "account2"} | bucket
    return {"pattern": "direct-access", "consumers": [ROLE], "buckets": [declared]}


def by(**consumer: Any) -> dict[str, Any]:
    """Return a link whose role is this one."""
    declared = {"account": "account1"} | consumer
    return {
        "pattern": "direct-access",
        "consumers": [declared],
        "buckets": [{"account": "account2", "new_prefix": "new-"}],
    }


def replicated(**source: Any) -> dict[str, Any]:
    return {
        "pattern": "replication",
        "source": {"account": "account2", "policy": "create", "versioned": True} | source,
        "destination": {"account": "account1", "new_prefix": "copies-"},
        "role_name": "replication",
    }


def telling(to: dict[str, str], **where: Any) -> dict[str, Any]:
    """Return a link whose bucket tells a queue, a topic or a bus of its events."""
    told = {"to": {"account": "account1"} | to, "events": ["s3:ObjectCreated:*"]}
    return on(**(where or {"new_prefix": "new-"}), notifications=[told])


def delivered(service: str, **bucket: Any) -> dict[str, Any]:
    return {
        "pattern": "service-delivery",
        "service": service,
        "from": ["account1"],
        "bucket": {"account": "account2", "policy": "merge"} | bucket,
    }


STOPS: dict[str, tuple[dict[str, Any], str]] = {
    "no such bucket": (
        on(existing="nowhere", policy="create"),
        "links.link.buckets[0]: the bucket 'nowhere' does not exist: correct the name",
    ),
    "a name that somebody has": (
        on(new_name="with-policy"),
        "links.link.buckets[0]: the bucket 'with-policy' is there already, and names of buckets "
        "are global: choose another name",
    ),
    "a name that somebody else has": (on(new_name="theirs"), "'theirs' is there already"),
    "a bucket of the other account": (
        on(existing="theirs", policy="create"),
        "the bucket 'theirs' belongs to another account than 222222222222",
    ),
    "a policy that nobody declared": (
        on(existing="with-policy", policy="create"),
        'has a bucket policy already, which "policy": "create" would replace: declare '
        '"policy": "merge" (you get the statements to merge), or the bucket as "imported"',
    ),
    "the same of an imported bucket": (
        on(imported="with-policy", policy="create"),
        "has a bucket policy already",
    ),
    "no policy to import": (
        on(imported="plain", policy="import"),
        'the bucket \'plain\' has no bucket policy to import: declare "policy": "create"',
    ),
    "a key that is not declared": (
        on(existing="keyed", policy="create"),
        f"the bucket 'keyed' is encrypted with the KMS key {KEY}: without both halves",
    ),
    "another key than the declared one": (
        on(existing="keyed", policy="create", key=OTHER_KEY),
        f"is encrypted with the KMS key {KEY}, declared is {OTHER_KEY}",
    ),
    "a key policy that has changed": (
        on(new_prefix="new-", key=KEY, imported_key_policy=CHANGED_POLICY),
        f"links.link.buckets[0].imported_key_policy: the key policy of {KEY} was changed since it "
        "was copied, and would be written over: copy it again",
    ),
    "a key policy of no key": (
        on(new_prefix="new-", key=OTHER_KEY, imported_key_policy=KEY_POLICY),
        f"the key policy of {OTHER_KEY} does not exist",
    ),
    "the key that cannot be shared": (
        on(existing="aws-keyed", policy="create"),
        "is encrypted with the AWS managed key aws/s3, which cannot be shared",
    ),
    "an ACL that grants others": (
        on(imported="granting", policy="create"),
        'has an ACL that grants others, with which S3 refuses "bucket owner enforced"',
    ),
    "a source that is not versioned": (
        replicated(existing="plain"),
        "links.link.source: the bucket 'plain' is declared as \"versioned\": true, but its "
        "versioning is off",
    ),
    "a source that replicates already": (
        replicated(existing="replicating"),
        "the bucket 'replicating' replicates already, and S3 keeps one configuration for each "
        'bucket: declare "replication": "import"',
    ),
    "rules to merge with another role": (
        replicated(existing="replicating", replication="merge", role_name="copier"),
        "the bucket 'replicating' replicates with the role 'r', and S3 takes one for all rules: "
        'declare it as the "role_name"',
    ),
    "rules to merge into nothing": (
        replicated(existing="versioned", replication="merge", role_name="copier"),
        "the bucket 'versioned' has no replication configuration to merge rules into",
    ),
    "no replication configuration to import": (
        replicated(existing="versioned", replication="import"),
        "the bucket 'versioned' has no replication configuration to import",
    ),
    "a bucket that a service cannot find": (
        delivered("config", existing="nowhere"),
        "links.link.bucket: the bucket 'nowhere' does not exist",
    ),
    "a key that the service does not take": (
        delivered("application-load-balancer", existing="keyed"),
        f"'keyed' is encrypted with the KMS key {KEY}, and the service delivers to buckets with "
        "Amazon S3 managed keys (SSE-S3) only",
    ),
    "a key of a service's bucket that is not declared": (
        delivered("config", existing="keyed"),
        f"is encrypted with the KMS key {KEY}: without both halves",
    ),
    "no such queue": (
        telling({"existing_queue": "nowhere", "policy": "create"}),
        "links.link.buckets[0].notifications[0].to: account1 has no queue 'nowhere': correct the "
        'name, or declare a "new_queue"',
    ),
    "a queue's policy that nobody declared": (
        telling({"existing_queue": "sent", "policy": "create"}),
        'the queue \'sent\' has a policy already, which "policy": "create" would replace: declare '
        '"policy": "merge"',
    ),
    "no such topic": (
        telling({"existing_topic": "nowhere", "policy": "merge"}),
        "account1 has no topic 'nowhere'",
    ),
    "a topic's policy that nobody declared": (
        telling({"existing_topic": "sent", "policy": "create"}),
        "the topic 'sent' has a policy already",
    ),
    "no such event bus": (
        telling({"existing_bus": "nowhere", "policy": "create"}),
        "account1 has no bus 'nowhere'",
    ),
    "notifications that nobody declared": (
        telling(
            {"new_queue": "incoming"},
            existing="notifying",
            policy="merge",
            notification_configuration="create",
        ),
        "the bucket 'notifying' has notifications already, which \"notification_configuration\": "
        '"create" would replace: declare "merge"',
    ),
    "no such role": (
        by(existing_role="nobody"),
        "links.link.consumers[0]: account1 has no role 'nobody': correct the name",
    ),
    "no such instance profile": (
        by(instance_profile="nothing"),
        "account1 has no instance profile 'nothing'",
    ),
    "a role whose path is another": (
        by(existing_role="arn:aws:iam::111111111111:role/web"),
        "the role 'web' is arn:aws:iam::111111111111:role/service-role/web, declared is "
        "arn:aws:iam::111111111111:role/web: correct the ARN",
    ),
    "no such user": (
        by(existing_user="nobody"),
        "links.link.consumers[0]: account1 has no user 'nobody': correct the name",
    ),
    "a user whose path is another": (
        by(existing_user="arn:aws:iam::111111111111:user/backup"),
        "the user 'backup' is arn:aws:iam::111111111111:user/people/backup, declared is",
    ),
    "no OIDC provider": (
        by(
            new_role="pod",
            trusted_pod={
                "oidc_issuer": "https://oidc.example.com/id/B",
                "namespace": "n",
                "service_account": "s",
            },
        ),
        "links.link.consumers[0]: account1 has no OIDC provider for oidc.example.com/id/B: aws iam "
        "create-open-id-connect-provider --url https://oidc.example.com/id/B",
    ),
    "an OIDC provider for another audience": (
        by(new_role="run", trusted_issuer=ISSUER | {"audience": "another"}),
        "the OIDC provider arn:aws:iam::111111111111:oidc-provider/oidc.example.com/id/A is not "
        "for the audience 'another': aws iam add-client-id-to-open-id-connect-provider",
    ),
    "an instance profile without a role": (
        by(instance_profile="empty"),
        "the instance profile 'empty' has no role: add one to it",
    ),
}


@pytest.mark.cost("planned")
@pytest.mark.parametrize(("link", "told"), STOPS.values(), ids=STOPS)
def test_what_would_go_wrong_stops_the_plan(place: Place, link: dict[str, Any], told: str) -> None:
    stopping = [str(finding) for finding in place.ask(link) if finding.stops]
    assert len(stopping) == 1
    assert told in stopping[0]


def test_a_role_that_another_link_makes_is_deployed_first(place: Place) -> None:
    other = by(new_role="nobody")
    other["buckets"][0]["new_prefix"] = "others-"
    (found,) = place.ask(by(existing_role="nobody"), other)
    assert found.stops
    assert str(found).endswith("the link other makes it: `s3-links deploy other` first")


FITS: dict[str, dict[str, Any]] = {
    "a bucket without a policy": on(existing="plain", policy="create"),
    "a policy that is merged": on(existing="with-policy", policy="merge"),
    "a policy that is imported": on(imported="with-policy", policy="import"),
    "the declared key": on(existing="keyed", policy="create", key=KEY),
    "a bucket for a service": delivered("classic-load-balancer", existing="plain"),
    "the declared key of a bucket for a service": delivered("config", existing="keyed", key=KEY),
    "a versioned source": replicated(existing="versioned"),
    "a role with a path": by(existing_role="web"),
    "a role by its ARN": by(existing_role="arn:aws:iam::111111111111:role/service-role/web"),
    "a queue": telling({"existing_queue": "plain", "policy": "create"}),
    "a queue whose policy is merged": telling({"existing_queue": "sent", "policy": "merge"}),
    "a topic that nobody wrote a policy for": telling(
        {"existing_topic": "plain", "policy": "create"}
    ),
    "the bus that each account has": telling({"existing_bus": "default", "policy": "create"}),
    "a bucket without notifications": telling(
        {"new_queue": "incoming"},
        existing="plain",
        policy="merge",
        notification_configuration="create",
    ),
    "a user": by(existing_user="backup"),
    "a user by its ARN": by(existing_user="arn:aws:iam::111111111111:user/people/backup"),
    "an OIDC provider": by(new_role="run", trusted_issuer=ISSUER),
}


@pytest.mark.parametrize("link", FITS.values(), ids=FITS)
def test_what_fits_is_told_and_stops_nothing(place: Place, link: dict[str, Any]) -> None:
    (found,) = place.ask(link)
    assert not found.stops
    assert "is there" in found.told


def test_a_key_policy_that_is_as_declared_is_told(place: Place) -> None:
    # However it is spelt.
    spelt = json.loads(json.dumps(KEY_POLICY).replace('"kms:*"', '["kms:*"]'))
    (found,) = place.ask(on(new_prefix="new-", key=KEY, imported_key_policy=spelt))
    assert not found.stops
    assert found.told == f"the key policy of {KEY} is as declared"


def test_what_an_import_replaces_is_told(place: Place) -> None:
    found = [str(f) for f in place.ask(replicated(existing="replicating", replication="import"))]
    told = (
        "the declared ones replace them, and the role 'replication' replaces arn:aws:iam::1:role/r"
    )
    assert [line for line in found if told in line] != []


def test_a_role_is_told_with_its_path(place: Place) -> None:
    (found,) = place.ask(by(existing_role="web"))
    assert found.told.endswith("arn:aws:iam::111111111111:role/service-role/web")


@pytest.mark.parametrize(
    ("link", "type_"),
    [
        (on(existing="with-policy", policy="create"), "aws_s3_bucket_policy"),
        (on(new_name="with-policy"), "aws_s3_bucket"),
        (replicated(existing="replicating"), "aws_s3_bucket_replication_configuration"),
    ],
)
def test_what_the_link_itself_wrote_before_is_its_own(
    place: Place, link: dict[str, Any], type_: str
) -> None:
    bucket = link.get("source", link.get("buckets", [{}])[0])
    name = bucket.get("existing") or bucket["new_name"]
    assert [f for f in place.ask(link) if f.stops] != []
    assert [f for f in place.ask(link, **{type_: name}) if f.stops] == []


def test_what_may_not_be_read_is_said_to_be_unknown(
    place: Place, there: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    iam = root(there.endpoint, "account2").client("iam")
    iam.create_user(UserName="blind")
    keys = iam.create_access_key(UserName="blind")["AccessKey"]
    file = tmp_path / "credentials"
    file.write_text(
        f"[account1]\naws_access_key_id = 111111111111\naws_secret_access_key = x\n"
        f"[account2]\naws_access_key_id = {keys['AccessKeyId']}\n"
        f"aws_secret_access_key = {keys['SecretAccessKey']}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    found = place.ask(on(existing="with-policy", policy="create"))
    assert not any(finding.stops for finding in found)
    assert "the bucket 'with-policy' is unknown, it may not be looked at here" in found[0].told
    assert "its policy is unknown" in found[1].told
    # What may be read alone is looked at all the same.
    iam.put_user_policy(
        UserName="blind",
        PolicyName="one",
        PolicyDocument=json.dumps(
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "s3:GetBucketPolicy",
                        "Resource": "arn:aws:s3:::with-policy",
                    }
                ]
            }
        ),
    )
    (stopping,) = (f for f in place.ask(on(existing="with-policy", policy="create")) if f.stops)
    assert "has a bucket policy already" in stopping.told


def test_everything_is_told_at_once(place: Place) -> None:
    link = by(existing_role="nobody") | {
        "buckets": on(existing="nowhere", policy="create")["buckets"]
        + [{"account": "account2", "existing": "with-policy", "policy": "create"}]
    }
    assert [f.place for f in place.ask(link) if f.stops] == [
        "links.link.buckets[0]",
        "links.link.buckets[1]",
        "links.link.consumers[0]",
    ]


def test_the_bucket_of_another_link_is_its_own_to_look_at(place: Place) -> None:
    (found, *_) = place.ask(on(existing="not-yet-there"), on(new_name="not-yet-there"))
    assert not found.stops
    assert found.place == "links.link.buckets[0]"
    assert 'is of the link "other", which writes its policy for this one too' in found.told
