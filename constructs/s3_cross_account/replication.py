"""Pattern 3: replication."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cdktf import TerraformStack
from constructs import Construct

from . import actions
from .account import in_one_partition
from .bindings import S3BucketReplicationConfigurationA
from .document import PolicyDocument, rendered_once
from .policy import Principal, Statement, granted_to, service, trust
from .references import encoded
from .replication_configuration import Numbered, numbered
from .replication_rule import ReplicationRule, prefixes, problems
from .role import ExistingRole, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .bucket import BucketBase
    from .role import RoleBase

__all__ = ["BatchReplicationRole", "Replication"]


class Replication(Construct):
    """Replicates new objects of ``source`` to ``destination``, a bucket of another account.

    Creates the replication role in the source's account, with its permissions on both buckets and
    their keys, the statement for it in the destination's bucket policy (and key policy), and the
    replication configuration of the source. All of them reach as far as the prefixes of ``rules``;
    only a bucket key has no part for a prefix. Replicas belong to the destination's account. With
    ``replica_modifications`` changes to the metadata of replicas come back, for use in both
    directions. ``object_lock`` says that the buckets have Object Lock: the role reads the locks.

    ``destinations`` are several, each with its rules, instead of the one: one of them may be in the
    source's own account, which needs a role's half only.

    ``configuration`` says who owns the replication configuration of a source that exists.
    ``"create"``: nobody does yet. ``"import"``: Terraform takes it over, and ``rules`` replace
    those that it has. ``"merge"``: somebody does, with a role in it that S3 takes for all rules.
    That role, ``role_name``, is given the permissions, and ``rules_json`` is what has to be merged
    into the rules.

    The configuration comes last: what is written while the role still lacks a permission is not
    replicated later either ("Getting replication status information").

    Raises ``ValueError`` for what S3 accepts and then does not do, and for a second replication of
    one source, whose configuration would replace the first: S3 keeps one for each bucket.

    Follows "Setting up permissions for live replication", "Configuring replication for buckets in
    different accounts", "Replication configuration file elements", "Replicating encrypted objects"
    and "Object Lock considerations" in the Amazon S3 User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        source: BucketBase,
        destination: BucketBase | None = None,
        role_name: str,
        rules: Sequence[ReplicationRule] = (ReplicationRule(),),
        destinations: Mapping[BucketBase, Sequence[ReplicationRule]] | None = None,
        replica_modifications: bool = False,
        object_lock: bool = False,
        configuration: Literal["create", "import", "merge"] = "create",
    ) -> None:
        super().__init__(scope, id_)
        if (destination is None) == (not destinations):
            raise ValueError("give the destination or destinations, one of the two")
        to = dict(destinations or {})
        if destination is not None:
            to[destination] = rules
        if found := _problems(source, to, configuration):
            raise ValueError("; ".join(found))
        in_one_partition(source.account, *(bucket.account for bucket in to))

        self.role: RoleBase = (
            ExistingRole(
                self,
                "role",
                account=source.account,
                name=role_name,
                policy_name_prefix=f"{TerraformStack.of(self).node.id}-{role_name}",
            )
            if configuration == "merge"
            else Role(
                self,
                "role",
                account=source.account,
                name=role_name,
                trust=PolicyDocument(
                    self,
                    "trust",
                    account=source.account,
                    statements=[trust(service("s3.amazonaws.com"))],
                ),
            )
        )
        self._allow(source, to, locked=object_lock)
        every = numbered(source, to, modifications=replica_modifications)
        self.rules_json: str | None = None
        if configuration == "merge":
            self.rules_json = encoded(self, [rule.document() for rule in every])
        else:
            self._configure(source, to, every, imported=configuration == "import")

    def _configure(
        self,
        source: BucketBase,
        destinations: Mapping[BucketBase, Sequence[ReplicationRule]],
        rules: Sequence[Numbered],
        *,
        imported: bool,
    ) -> None:
        buckets = (source, *destinations)
        created = S3BucketReplicationConfigurationA(
            self,
            "configuration",
            provider=source.account.provider,
            bucket=source.name,
            role=self.role.arn,
            rule=[rule.rendered() for rule in rules],
            # S3 looks at the buckets when it takes the configuration, and at the rest afterwards.
            depends_on=[
                *(resource for bucket in buckets for resource in bucket.settled_by),
                *self.role.settled_by,
                *(policy for b in buckets if b.key for policy in b.key.settled_by),
            ],
        )
        if imported:
            created.import_from(str(source.given_name), source.account.provider)

    @rendered_once()
    def _allow(
        self,
        source: BucketBase,
        destinations: Mapping[BucketBase, Sequence[ReplicationRule]],
        *,
        locked: bool,
    ) -> None:
        read = prefixes(rule for rules in destinations.values() for rule in rules)
        for sid, granted, on in (
            ("SourceBucket", actions.REPLICATION_ON_SOURCE, (source.arn,)),
            ("SourceObjects", actions.from_source(locked=locked), _below(source, read)),
        ):
            statement = Statement(sid=sid, actions=granted, resources=on)
            self.role.allow(statement, account=source.account)
        principal = Principal(type="AWS", identifiers=(self.role.arn,))
        for bucket, rules in destinations.items():
            away = bucket.account is not source.account
            written = Statement(
                sid="DestinationObjects",
                actions=actions.into_replica(away=away),
                resources=_below(bucket, prefixes(rules)),
            )
            self.role.allow(written, account=bucket.account)
            if away:
                sid = f"Replicate from {source.account.title}"
                bucket.allow(replace(granted_to(principal, written), sid=sid))
        uses: list[tuple[BucketBase, tuple[str, ...], tuple[str, ...]]] = [
            (source, ("kms:Decrypt",), read)
        ]
        uses += [
            (bucket, actions.REPLICATION_INTO_KEY, prefixes(rules))
            for bucket, rules in destinations.items()
        ]
        for bucket, key_actions, below in uses:
            if bucket.key is not None:
                use = bucket.key.use(key_actions, bucket.arn, below)
                self.role.allow(use, account=bucket.account)
                bucket.key.allow(granted_to(principal, use))


class BatchReplicationRole(Construct):
    """Creates the role of a Batch Replication job, in the account of ``source``.

    Replication covers new objects only; the job replicates those from before, below ``prefixes``.
    ``command`` is what starts it.

    Follows "Replicating existing objects with Batch Replication" in the Amazon S3 User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        source: BucketBase,
        name: str,
        prefixes: tuple[str, ...] = ("",),
    ) -> None:
        super().__init__(scope, id_)
        account = source.account
        self.role = Role(
            self,
            "role",
            account=account,
            name=name,
            trust=PolicyDocument(
                self,
                "trust",
                account=account,
                statements=[trust(service("batchoperations.s3.amazonaws.com"))],
            ),
        )
        for sid, granted, on in (
            ("Initiate", actions.BATCH_ON_SOURCE_OBJECTS, _below(source, prefixes)),
            ("Manifest", actions.BATCH_ON_SOURCE, (source.arn,)),
        ):
            statement = Statement(sid=sid, actions=granted, resources=on)
            self.role.allow(statement, account=account)
        # The AWS CLI's shorthand: cdktf cannot write quotes in an output as HCL.
        objects = "EligibleForReplication=true,ObjectReplicationStatuses=[NONE,FAILED]"
        generator = f"SourceBucket={source.arn},EnableManifestOutput=false,Filter={{{objects}}}"
        self.command = (
            f"aws s3control create-job --account-id {account.account_id} "
            f"--region {account.region} --operation 'S3ReplicateObject={{}}' "
            f"--manifest-generator 'S3JobManifestGenerator={{{generator}}}' "
            f"--report Enabled=false --priority 1 "
            f"--role-arn {self.role.arn} --no-confirmation-required"
        )


def _below(bucket: BucketBase, below: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{bucket.arn}/{prefix}*" for prefix in below)


def _problems(
    source: BucketBase,
    destinations: Mapping[BucketBase, Sequence[ReplicationRule]],
    configuration: str,
) -> list[str]:
    found = list(dict.fromkeys(told for rules in destinations.values() for told in problems(rules)))
    if source in destinations:
        found.append("source and destination are the same bucket: S3 would replicate nothing")
    found += [
        f"{bucket.node.id} is not versioned: S3 replicates versioned buckets only"
        for bucket in (source, *destinations)
        if not bucket.versioned
    ]
    if source.key is not None and any(bucket.key is None for bucket in destinations):
        found.append(
            "the source is encrypted with a KMS key and the destination has none: its objects "
            "would not be replicated; give the destination a key"
        )
    if configuration == "import" and source.given_name is None:
        found.append("a new source has no replication configuration to import: leave that out")
    if not source.account.claim("replication configuration", source.name):
        found.append(
            f"{source.node.id} is replicated already: S3 keeps one configuration for each "
            "bucket, and this one would replace the first; declare all rules in one replication"
        )
    return found
