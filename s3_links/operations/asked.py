"""The buckets, keys and logs of a link, and the documents that its grants ask for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from s3_cross_account import actions
from s3_cross_account.naming import arns_by_name
from s3_cross_account.policy import (
    Condition,
    Statement,
    account_root,
    deny_without_tls,
    service,
)
from s3_cross_account.policy import Principal as Named
from s3_cross_account.settings import partition
from s3_links.declarations.deployment import accounts_in
from s3_links.declarations.imported_keys import imported
from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink
from s3_links.synthesized.blocks import first
from s3_links.synthesized.policies import handed_out
from s3_links.world import POLICIES, Bucket, Identity, Principal, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink
    from s3_links.synthesized.blocks import Blocks

Conditions = tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Something that somebody may do, and the two halves that say so.

    ``on`` is the bucket, the key or the role, ``resources`` what of it. ``own`` are the conditions
    of the caller's half; ``theirs`` those of the resource's, which names the caller as ``named``
    and is written where ``both`` are. A service has no half of its own. ``own_resources`` is what
    the caller's half names, where that knows less of the resource.
    """

    who: Principal
    actions: tuple[str, ...]
    on: str
    resources: tuple[str, ...]
    named: Named
    own: Conditions = ()
    theirs: Conditions = ()
    both: bool = True
    own_resources: tuple[str, ...] = ()

    def of_resource(self) -> Statement:
        """Return the resource's half."""
        of_role = self.on.startswith("arn:") and ":role/" in self.on
        return Statement(
            actions=self.actions,
            resources=() if of_role else self.resources,
            principals=(self.named,),
            conditions=self.theirs,
        )


class Note(NamedTuple):
    """What cannot be seen in the synthesized documents, and the ARN that it is about."""

    about: str
    text: str


class Documents:
    """What a link's grants ask for: the statements of each document.

    ``own`` are those of the roles that it gives something, ``theirs`` those of the ``resources``
    (buckets, keys and roles), of which ``handed_out`` are not made here. ``buckets`` are the ARNs
    of the declared ones, in their order, ``keys`` those of the keys by the buckets'. ``pairs`` are
    who was promised which bucket.

    ``boundaries`` are the permissions boundaries of roles, ``unseen`` the roles that have policies
    besides: what their names end with, or any that nobody looked up. ``notes`` say what of all this
    cannot be seen here, ``problems`` what is not as declared beside the documents. ``identities``
    are of those whom somebody else gives their half, which is made here or handed out.
    ``of_others`` are those of ``theirs`` that are for other links' roles.
    """

    def __init__(self, blocks: Blocks, link: AnyLink, accounts: Mapping[str, LinkAccount]) -> None:
        self._blocks, self._link, self._accounts = blocks, link, accounts
        self.grants: list[Grant] = []
        self.pairs: set[tuple[Principal, str]] = set()
        self.own: dict[Principal, list[Statement]] = defaultdict(list)
        self.theirs: dict[str, list[Statement]] = defaultdict(list)
        self.of_others: dict[str, list[Statement]] = defaultdict(list)
        self.resources: dict[str, Resource] = {}
        self.handed_out: dict[str, Resource] = {}
        self.boundaries: dict[Principal, str] = {}
        self.unseen: dict[Principal, str] = {}
        self.notes: list[Note] = []
        self.problems = list(self._elsewhere())
        self.keys: dict[str, str] = {}
        self._key_policies = imported(link)
        self._region = next(
            (accounts[a].region for _, a in accounts_in(link) if not accounts[a].foreign), ""
        )
        self.identities: dict[Principal, Identity] = {}
        self._named_as: dict[Principal, tuple[Named, Conditions]] = {}
        self._any_path: set[Principal] = set()
        named = link.ends if isinstance(link, ReplicationLink) else link.buckets
        labels = [bucket.label for bucket in named]
        self.buckets = [self._bucket(b, name) for b, name in zip(link.buckets, labels, strict=True)]

    def _elsewhere(self) -> Iterator[str]:
        """Yield the providers that may work in another account than is declared."""
        for provider in self._blocks.source.get("provider", {}).get("aws", []):
            declared = self._accounts.get(provider.get("alias", ""))
            asked = declared and declared.account_id
            if asked and provider.get("allowed_account_ids") != [asked]:
                yield f"provider aws.{provider['alias']}: is not limited to account {asked}"

    def _note(self, about: Principal | str, text: str) -> None:
        self.notes.append(Note(str(about), text))

    def _id(self, alias: str) -> str:
        if (id_ := self._blocks.accounts.get(alias)) is not None:
            return id_
        declared = self._accounts.get(alias)  # one that is only named has no provider
        return (declared and declared.account_id) or alias

    def _partition(self, alias: str) -> str:
        return partition(self._accounts[alias].region or self._region)

    def _bucket(self, declared: LinkBucket, label: str) -> str:
        if declared.owner is not None:
            return self._shared(declared)
        blocks, account = self._blocks, self._id(declared.account)
        start = f"arn:{self._partition(declared.account)}:s3:::"
        switches, new = self._link.switches, declared.existing is None
        arn = f"{start}{declared.name}" if not declared.new_prefix else f"{start}{declared.name}…"
        for address in blocks.of("aws_s3_bucket"):
            prefix = blocks.known(address, "bucket_prefix")
            if (prefix, blocks.account(address)) == (declared.new_prefix, account) and prefix:
                arn = blocks.attribute(address, "arn")
        restricts = new and switches.public_access_block
        self.resources[arn] = Bucket(arn=arn, account=account, restrict_public=restricts)
        if not new:
            self._owned_by_others(arn, f"bucket_policy_to_merge_{label}", declared.policy)
        elif switches.tls_only:
            self.theirs[arn].append(deny_without_tls(arn))
        if new and switches.access_logging:
            self._logs(declared, arn, label)
        if declared.key and declared.key != "none":
            self._key(declared, arn, label)
        return arn

    def _owned_by_others(self, arn: str, output: str, policy: str | None) -> None:
        """Add a resource that no block makes, with what is handed out for its policy."""
        resource = self.resources[arn]
        if policy == "create":
            self.handed_out.setdefault(arn, resource)
            return
        kind = POLICIES[arn.split(":")[2]]
        found = handed_out(self._blocks, output, kind, resource.account, arn)
        before = self.handed_out.get(arn)
        kept = before.policy.statements if before and before.policy else ()
        whole = replace(found, statements=(*kept, *found.statements))
        self.handed_out[arn] = replace(resource, policy=whole)
        if found.statements:
            self._note(
                arn,
                f"the output {output} has to be merged into the {kind} of {arn}, of which nothing "
                "else is known here" + self._whose(resource.account),
            )

    def _whose(self, account: str) -> str:
        """Return who has to do it, where nobody here can."""
        for alias, declared in self._accounts.items():
            if declared.foreign and declared.account_id == account:
                return f": {alias}, which is foreign, has to do that"
        return ""

    def _logs(self, declared: LinkBucket, arn: str, label: str) -> None:
        """Add where the access logs go, and that S3 may write them there."""
        blocks, account = self._blocks, self._id(declared.account)
        start, _, name = arn.rpartition(":::")
        to = [
            blocks.attribute(address, "target_bucket")
            for address in blocks.of("aws_s3_bucket_logging")
            if blocks.attribute(address, "bucket") == name
        ]
        if not to:
            self.problems.append(f"{arn}: its access logs go nowhere")
            return
        logs = f"{start}:::{to[0]}"
        theirs = self._accounts[declared.account].log_bucket
        own = not theirs
        restricts = own and self._link.switches.public_access_block
        self.resources[logs] = Bucket(arn=logs, account=account, restrict_public=restricts)
        if theirs:
            self._owned_by_others(logs, f"log_bucket_policy_to_merge_{label}", "merge")
        elif self._link.switches.tls_only:
            self.theirs[logs].append(deny_without_tls(logs))
        delivery = "logging.s3.amazonaws.com"
        self._grant(
            who=Principal(kind="service", name=delivery),
            actions=("s3:PutObject",),
            on=logs,
            resources=(f"{logs}/{name}/*",),
            named=service(delivery),
            theirs=(
                Condition(test="ArnLike", variable="aws:SourceArn", values=(arn,)),
                Condition(test="StringEquals", variable="aws:SourceAccount", values=(account,)),
            ),
        )

    def _key(self, declared: LinkBucket, arn: str, label: str) -> None:
        new = declared.key == "new"
        account = self._id(declared.account) if new else str(declared.key).split(":")[4]
        key = str(declared.key)
        if declared.existing is None:
            used = self._encrypted_with(arn)
            if not used or (not new and used != key):
                self.problems.append(f"{arn}: is not encrypted with its key")
            key = used if new else key
        self.keys[arn] = key
        self.resources[key] = Resource(arn=key, account=account)
        if key in self._key_policies:  # with what was there when it was taken over
            self.theirs[key] = self.theirs[key] or [*self._key_policies[key]]
            return
        if not new:
            self._owned_by_others(key, f"key_policy_to_merge_{label}", "merge")
            return
        root = (account_root(self._partition(declared.account), account),)
        self.theirs[key] += [
            Statement(actions=actions.KEY_ADMINISTRATION, resources=(key,), principals=root),
            Statement(
                actions=actions.KEY_USE,
                resources=(key,),
                principals=root,
                conditions=(self._via_s3(declared),),
            ),
        ]

    def _encrypted_with(self, arn: str) -> str:
        blocks, name = self._blocks, arn.rpartition(":::")[2]
        for address in blocks.of("aws_s3_bucket_server_side_encryption_configuration"):
            if blocks.attribute(address, "bucket") == name:
                rule = first(blocks.known(address, "rule"))
                by_default = first(rule.get("apply_server_side_encryption_by_default"))
                return blocks.text(str(by_default.get("kms_master_key_id") or ""))
        return ""

    def _on_key(
        self,
        who: Principal,
        bucket: LinkBucket,
        arn: str,
        granted: tuple[str, ...],
        also: Conditions = (),
        below: tuple[str, ...] = ("",),
    ) -> None:
        if arn not in self.keys or not granted:
            return
        named, by_arn = self._named_on(bucket, who)
        of_bucket = Condition(
            test="StringLike",
            variable="kms:EncryptionContext:aws:s3:arn",
            values=(arn, *(f"{arn}/{prefix}*" for prefix in below)),
        )
        limits = (self._via_s3(bucket), of_bucket, *also)
        key = self.keys[arn]
        self._grant(
            who=who,
            actions=granted,
            on=key,
            resources=(key,),
            named=named,
            own=limits,
            theirs=by_arn + limits,
            own_resources=self._keys_of(bucket),
        )

    def _keys_of(self, bucket: LinkBucket) -> tuple[str, ...]:
        """Return what the callers' half names, where another link makes the key."""
        if bucket.owner is None or bucket.encrypted_by != "new":
            return ()
        alias = bucket.account
        start = f"arn:{self._partition(alias)}:kms:{self._accounts[alias].region}"
        return (f"{start}:{self._id(alias)}:key/*",)

    def _via_s3(self, bucket: LinkBucket) -> Condition:
        account = self._accounts[bucket.account]
        region = str(bucket.key).split(":")[3] if account.foreign else account.region
        return Condition(
            test="StringEquals",
            variable="kms:ViaService",
            values=(f"s3.{region}.amazonaws.com",),
        )

    def _grant(self, **parts: Any) -> None:
        grant = Grant(**parts)
        self.grants.append(grant)
        if grant.who.kind in ("role", "user"):
            self.own[grant.who].append(
                Statement(
                    actions=grant.actions,
                    resources=grant.own_resources or grant.resources,
                    conditions=grant.own,
                )
            )
        if grant.both:
            self.theirs[grant.on].append(grant.of_resource())

    def _named(self, who: Principal) -> tuple[Named, Conditions]:
        """Return how a policy names somebody, and the conditions with it."""
        if who in self._named_as:
            return self._named_as[who]
        arn = str(who.arn)
        if not (isinstance(self._link, Link) and self._link.survive_role_recreation):
            return Named(type="AWS", identifiers=(arn,)), ()
        return account_root(who.partition, who.account), (self._by_arn("ArnEquals", arn),)

    def _named_on(self, bucket: LinkBucket, who: Principal) -> tuple[Named, Conditions]:
        """Return how a bucket's policies name somebody: by the ARN where another link has it."""
        if bucket.owner is None or who in self._named_as:
            return self._named(who)
        if who not in self._any_path:
            asked = self._by_arn("ArnEquals", str(who.arn))
        else:
            arns = arns_by_name(who.partition, who.account, who.kind, who.name, None)
            asked = self._by_arn("ArnLike", *arns)
        return account_root(who.partition, who.account), (asked,)

    def _shared(self, bucket: LinkBucket) -> str:
        """Add a bucket that another link makes; return its ARN."""
        raise NotImplementedError

    def _by_name(self, bucket: LinkBucket) -> str:
        """Add a bucket of which nothing else is known."""
        arn = f"arn:{self._partition(bucket.account)}:s3:::{bucket.name}"
        self.resources[arn] = Bucket(arn=arn, account=self._id(bucket.account))
        return arn

    @staticmethod
    def _by_arn(test: str, *arns: str) -> Condition:
        return Condition(test=test, variable="aws:PrincipalArn", values=arns)
