"""The two moments that a plan lies between, as one reader sees them."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from s3_cross_account.policy import Statement, account_root, document
from s3_links.declarations.named import label
from s3_links.synthesized.blocks import (
    UNNAMED,
    Blocks,
    aliases_of,
    declared_blocks,
    foreign_accounts,
    type_of,
)
from s3_links.synthesized.world import attachments, place_of, unmanaged_policies, world_of
from s3_links.world import World

from .insiders import insiders
from .joined import Beside, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_links.world import Document

    from .insiders import Insiders


class Moments:
    """Before and after a plan, given as ``terraform show -json`` prints it.

    ``source`` is the synthesized JSON of the stack, ``aliases`` the provider alias of each
    address, of those too that are only in the state. ``declared`` are those who are no outsiders,
    if not those of this stack alone. ``beside`` is what other stacks have of the buckets that this
    one shares with them: taken as declared, in both moments.
    """

    def __init__(
        self,
        plan: Mapping[str, Any],
        source: Mapping[str, Any],
        aliases: Mapping[str, str],
        declared: Insiders | None = None,
        beside: Beside | None = None,
    ) -> None:
        prior = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
        planned = plan["planned_values"].get("root_module", {})
        resources: list[Any] = list(prior.get("resources", []))
        changes = plan.get("resource_changes", [])
        aliases = dict(aliases)
        for entry in changes:
            moved = entry.get("previous_address")
            if moved in aliases:
                aliases.setdefault(entry["address"], aliases[moved])
        # What is looked up stays, and so does what Terraform only forgets.
        forgotten = {e["address"] for e in changes if e["change"]["actions"] == ["forget"]}
        kept = [r for r in resources if r["mode"] == "data" or r["address"] in forgotten]
        self._source = source
        self.beside = beside or Beside()
        self._declared = declared or insiders([source])
        left = [*kept, *planned.get("resources", [])]
        left += _given_back(resources, left)
        # An account that only one of them knows is the same in both.
        known = Blocks([*resources, *left], aliases, source).accounts
        self.before = Blocks(resources, aliases, source, known)
        self.after = Blocks(left, aliases, source, known)

    @classmethod
    def of_declared(cls, source: Mapping[str, Any], beside: Beside | None = None) -> Moments:
        """Return the moments of a stack that nobody has deployed: nothing, and all of it."""
        planned = {"root_module": {"resources": declared_blocks(source)}}
        return cls({"planned_values": planned}, source, aliases_of(source), beside=beside)

    def from_nothing(self) -> Moments:
        """Return the same as if nothing had been there before."""
        new = copy(self)
        new.before = Blocks([], self.after.aliases, self._source, self.after.accounts)
        new.worlds = (self.beside.world, self.worlds[1])
        return new

    @cached_property
    def worlds(self) -> tuple[World, World]:
        """What is evaluated of both."""
        unmanaged, attached = unmanaged_policies(self.before), attachments(self.before)
        before, after = (world_of(b, unmanaged, attached) for b in (self.before, self.after))
        if self.beside.world == World():
            return before, after
        return joined([before, self.beside.world]), joined([after, self.beside.world])

    @property
    def accounts(self) -> dict[str, str]:
        """The ids of all accounts by their aliases, as far as they are known."""
        return {**self.beside.accounts, **self.after.accounts}

    @cached_property
    def insiders(self) -> Insiders:
        """Who is no outsider: whom the stacks declare, and who works in this one's accounts."""
        accounts = self._declared.accounts | self.after.declared_accounts
        return replace(self._declared, accounts=accounts)

    def account(self, address: str) -> str:
        """Return the alias of the account that a block is in, or its id, or ``?``."""
        places = (blocks.place(address) for blocks in (self.before, self.after))
        return next((place for place in places if place != UNNAMED), UNNAMED)

    def owner(self, arn: str) -> str:
        """Return the account of a bucket that is declared and not looked at, or nothing."""
        bucket = arn.partition(":::")[2].partition("/")[0]
        outputs = self._source.get("output", {})
        foreign = foreign_accounts(self._source)
        aliases = {*self.after.aliases.values(), *foreign}
        if ":iam:" in arn or ":kms:" in arn:  # of somebody else, and told by itself
            return arn.split(":")[4]
        for alias in aliases if bucket else ():
            if f"bucket_name_{label(alias, bucket)}" in outputs:
                return self.after.accounts.get(alias, alias)
        # The end of a replication has no alias in its output; a foreign one can only be this end.
        end = outputs.get("bucket_name_destination", {}).get("value")
        return next(iter(foreign.values()), "") if bucket and bucket == end else ""

    def place(self, document: Document) -> str:
        """Return the address of the block that a document stands in."""
        return place_of(self.after, document) or place_of(self.before, document) or document.name


def _given_back(before: Iterable[Any], after: list[Any]) -> Iterable[Any]:
    """Yield the default policies that Terraform gives back to keys whose policies it deletes.

    Follows "Default key policy" in the AWS KMS Developer Guide.
    """
    policies, keys = "aws_kms_key_policy", "aws_kms_key"
    known = [(type_of(r["address"]), r.get("values") or {}) for r in after]
    written = {values.get("key_id") for type_, values in known if type_ == policies}
    kept = {values.get("key_id"): values for type_, values in known if type_ == keys}
    for resource in before:
        key = (resource.get("values") or {}).get("key_id")
        if type_of(resource["address"]) == policies and key in kept.keys() - written:
            _, partition, _, _, account, _ = str(kept[key]["arn"]).split(":", 5)
            owner = account_root(partition, account)
            leaves = Statement(actions=("kms:*",), resources=("*",), principals=(owner,))
            yield resource | {"values": {"key_id": key, "policy": json.dumps(document([leaves]))}}
