"""The two moments that a plan lies between, as one reader sees them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import Blocks
from s3_links.synthesized.world import attachments, place_of, unmanaged_policies, world_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_links.world import Document, World

_ORGANIZATION = "aws:PrincipalOrgID"


class Moments:
    """Before and after a plan, given as ``terraform show -json`` prints it.

    ``source`` is the synthesized JSON of the stack, ``aliases`` the provider alias of each
    address, of those too that are only in the state.
    """

    def __init__(
        self, plan: Mapping[str, Any], source: Mapping[str, Any], aliases: Mapping[str, str]
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
        left = [*kept, *planned.get("resources", [])]
        # An account that only one of them knows is the same in both.
        known = Blocks([*resources, *left], aliases, source).accounts
        self.before = Blocks(resources, aliases, source, known)
        self.after = Blocks(left, aliases, source, known)

    @cached_property
    def worlds(self) -> tuple[World, World]:
        """What is evaluated of both."""
        unmanaged, attached = unmanaged_policies(self.before), attachments(self.before)
        before, after = (world_of(b, unmanaged, attached) for b in (self.before, self.after))
        return before, after

    @cached_property
    def organizations(self) -> set[str]:
        """The ids of the organizations that the stack itself names."""
        return set(_organizations(self._source))

    def place(self, document: Document) -> str:
        """Return the address of the block that a document stands in."""
        return place_of(self.after, document) or place_of(self.before, document) or document.name


def _organizations(content: Any) -> Iterable[str]:
    if isinstance(content, dict):
        if content.get("variable") == _ORGANIZATION:
            yield from content.get("values") or []
        for part in content.values():
            yield from _organizations(part)
    elif isinstance(content, list):
        for part in content:
            yield from _organizations(part)
