"""The declared links, deployed into emulated accounts: ``s3-links try``."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from s3_links.declarations.handed_over import BUCKET, KEY, TRUST
from s3_links.declarations.link import Link
from s3_links.declarations.named import label as label_of
from s3_links.declarations.replication import ReplicationLink
from s3_links.live.reader import Account, Reader
from s3_links.live.world import Live
from s3_links.operations.order import in_order, needed
from s3_links.operations.stack import Stack
from s3_links.operations.terraform import terraform
from s3_links.synthesized.blocks import Blocks, aliases_of
from s3_links.synthesized.state import outputs as outputs_of
from s3_links.synthesized.state import resources as resources_of
from s3_links.synthesized.world import world_of
from s3_links.world import Bucket, Resource, document, principal

from .access import Principal, root_of
from .emulator import REGION
from .grantees import EVERYTHING, OTHER, Grantee, grantee, identity_policies, take_over
from .installation import user_cache
from .providers import Providers
from .stand_in import make_role, stand_in
from .terraform import terraform_settings
from .together import state_of, write_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from s3_links.declarations.assumed import AssumedRole
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink
    from s3_links.world import Identity, World
    from s3_links.world import Principal as Who

    from .emulator import Emulator

_RULES = "replication_rules_to_merge_"


@dataclass(frozen=True)
class Deployed:
    """One link as it is deployed, and the accounts' owners."""

    name: str
    link: AnyLink
    blocks: Blocks
    outputs: Mapping[str, str]
    owners: Mapping[str, Principal]
    endpoint: str
    beside: Mapping[str, Deployed]
    """All that are deployed, by their names: some have this one's buckets."""

    @cached_property
    def grantees(self) -> list[Grantee]:
        """The consumers of the link."""
        consumers = self.link.consumers if isinstance(self.link, Link) else []
        found = (self.owners, self.blocks.accounts, self.outputs, self.endpoint)
        return [grantee(consumer, self.name, *found) for consumer in consumers]

    @cached_property
    def world(self) -> World:
        """The documents that are deployed, for the evaluator."""
        world = world_of(self.blocks)
        merged: dict[str, Resource] = {}
        for name, bucket in _labelled(self.link):
            account = self.account(bucket.account)
            if content := self.outputs.get(f"{BUCKET}{name}"):
                arn = f"arn:aws:s3:::{bucket.name}"
                policy = document("bucket policy", account, arn, content)
                merged[arn] = Bucket(arn=arn, account=account, policy=policy)
            if content := self.outputs.get(f"{KEY}{name}"):
                arn = str(bucket.key)
                policy = document("key policy", account, arn, content)
                merged[arn] = Resource(arn=arn, account=account, policy=policy)
            if bucket.owner:
                theirs = self.beside[bucket.owner.name]
                arns = [f"arn:aws:s3:::{bucket.name}"]
                arns += (
                    [theirs.key_of(bucket.owner.bucket)] if bucket.owner.bucket.encrypted else []
                )
                merged |= {arn: theirs.world.resources[arn] for arn in arns}
        return replace(
            world,
            resources={**world.resources, **merged},
            identities={**world.identities, **self._identities()},
        )

    def _identities(self) -> Mapping[Who, Identity]:
        """Read who is let in from the accounts: those that exist are stood in for, known here."""
        accounts = {
            self.account(alias): Account(alias=alias, id=self.account(alias), client=owner.client)
            for alias, owner in self.owners.items()
        }
        for one in self.grantees:
            account = Account(alias=one.account, id=one.account, client=one.owner.client)
            accounts.setdefault(one.account, account)
        live = Live(Reader(accounts.values()))
        for arn in (*(one.arn for one in self.grantees), self.outputs.get("assumed_role_arn")):
            if arn:
                live.identity(principal(arn))
        return live.world.identities

    def account(self, alias: str) -> str:
        """Return the id of an account."""
        return self.blocks.accounts[alias]

    def session(self, alias: str, role: str) -> Principal:
        """Return a session of a role, as the service that it trusts would hand it out."""
        return self.owners[alias].assume(f"arn:aws:iam::{self.account(alias)}:role/{role}")

    def roles(self) -> Iterator[tuple[str, Principal]]:
        """Yield a session of each role that reaches the buckets, by the role's name."""
        if not isinstance(self.link, Link):
            return
        role = self.link.assumed_role
        for one in self.grantees:
            session = one.session()
            yield one.consumer.name, session
            if role:
                with contextlib.suppress(ClientError):  # a condition that nobody here fulfils
                    yield role.name, self.assumed(session, role)

    def assumed(
        self, caller: Principal, role: AssumedRole, *, external: bool = True, passing: bool = True
    ) -> Principal:
        """Return whom a caller becomes by assuming the link's role, as it is to be asked for.

        Without ``external`` the external id is not given, without ``passing`` the roles are left
        out that are to be assumed before it.
        """
        for passed in role.through if passing else ():
            caller = caller.assume(self.outputs[f"role_arn_{passed.label}"])
        given = {"ExternalId": role.external_id} if external and role.external_id else {}
        return caller.assume(self.outputs["assumed_role_arn"], **given)

    def bucket_name(self, bucket: LinkBucket) -> str:
        """Return the name that a bucket has got."""
        return self.outputs[f"bucket_name_{bucket.label}"]

    def key_of(self, bucket: LinkBucket) -> str:
        """Return the ARN of a bucket's key."""
        if bucket.owner:
            return self.beside[bucket.owner.name].key_of(bucket.owner.bucket)
        if bucket.key_arn:
            return bucket.key_arn
        name = self.bucket_name(bucket)
        for address in self.blocks.of("aws_s3_bucket_server_side_encryption_configuration"):
            if self.blocks.attribute(address, "bucket") == name:
                (rule,) = self.blocks.known(address, "rule")
                (default,) = rule["apply_server_side_encryption_by_default"]
                return str(default["kms_master_key_id"])
        raise AssertionError(f"{name} has no key")


def deploy(
    stacks: Sequence[Stack],
    links: Mapping[str, AnyLink],
    emulator: Emulator,
    folder: Path,
    working: Callable[[str], Any],
) -> Iterator[Deployed]:
    """Deploy the links' stacks by one run of Terraform, and yield each as others complete it.

    What they expect to find is stood in for. The process's environment leads to the emulated
    accounts from here on.
    """
    ordered = in_order(stacks)
    os.environ.update(emulator.environment | terraform_settings(folder))
    providers = Providers(folder / "providers", user_cache() / "providers")
    os.environ.setdefault("TF_PLUGIN_CACHE_DIR", str(providers.folder))
    # Without a lock file Terraform would not take a provider from its cache.
    os.environ["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "true"
    sources = [stack.content for stack in stacks]
    os.environ.update(stand_in(emulator, folder, sources, [links[s.name] for s in stacks]))
    contents = {stack.name: stack.content for stack in ordered}
    named = ordered[0].name if len(ordered) == 1 else f"{len(ordered)} links"
    together = Stack(named, folder / "together" / "main.tf.json", contents, digest="")
    write_together(together.folder, contents, needed(stacks))
    with working(f"Deploying {named}"):
        terraform(together, "init")
        providers.keep()
        terraform(together, "apply", "-auto-approve")
        state = json.loads(terraform(together, "state", "pull"))
    deployed: dict[str, Deployed] = {}
    for stack in ordered:
        its_own = state_of(stack.name, state)
        deployed[stack.name] = _deployed(stack, links[stack.name], its_own, emulator, deployed)
    for one in deployed.values():
        for consumer in one.grantees:
            consumer.given()
    for one in deployed.values():
        _completed_by_others(one)
        yield one


def _deployed(
    stack: Stack,
    link: AnyLink,
    state: dict[str, Any],
    emulator: Emulator,
    beside: Mapping[str, Deployed],
) -> Deployed:
    blocks = Blocks(resources_of(state), aliases_of(stack.content), stack.content)
    regions = {provider["alias"]: provider["region"] for provider in stack.providers}
    owners = {
        alias: root_of(emulator.endpoint, id_, regions.get(alias, REGION))
        for alias, id_ in blocks.accounts.items()
    }
    for owner in owners.values():
        make_role(owner, OTHER, EVERYTHING)
    return Deployed(stack.name, link, blocks, outputs_of(state), owners, emulator.endpoint, beside)


def _completed_by_others(deployed: Deployed) -> None:
    """Do what others do for a link: with their buckets and in accounts without credentials."""
    link, outputs, owners = deployed.link, deployed.outputs, deployed.owners
    for label, bucket in _labelled(link):  # as the owner of its policy would merge them
        if text := outputs.get(f"{BUCKET}{label}"):
            owners[bucket.account].s3.put_bucket_policy(Bucket=bucket.name, Policy=text)
    for way in link.ways if isinstance(link, ReplicationLink) else ():
        if text := outputs.get(f"{_RULES}{way.source.label}"):
            source = way.source.bucket
            arn = f"arn:aws:iam::{deployed.account(source.account)}:role/{way.role}"
            _merge_rules(owners[source.account].s3, source.name, arn, json.loads(text))
    role = link.assumed_role if isinstance(link, Link) else None
    if role and (trust := outputs.get(f"{TRUST}{label_of(role.account, role.name)}")):
        policies = identity_policies(outputs, label_of(role.account, role.name))
        take_over(owners[role.account], outputs["assumed_role_arn"], policies, trust)


def _merge_rules(s3: Any, bucket: str, role: str, rules: list[Any]) -> None:
    """Merge rules into a configuration, whose role is the one that is declared for it."""
    there = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    ids = {rule["ID"] for rule in rules}
    there["Role"] = role
    there["Rules"] = [*rules, *(rule for rule in there["Rules"] if rule.get("ID") not in ids)]
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=there)


def _labelled(link: AnyLink) -> Iterator[tuple[str, LinkBucket]]:
    """Yield what each bucket is called in the names of outputs, and the bucket."""
    named = link.ends if isinstance(link, ReplicationLink) else link.buckets
    labels = [bucket.label for bucket in named]
    yield from zip(labels, link.buckets, strict=True)
