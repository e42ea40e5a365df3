"""What an apply runs beside its changes: with the rights to change everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RUN_BY_READING = ("aws_lambda_invocation",)


def run(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield provisioners, data sources that are no lookup, and Terraform's actions.

    Nothing of what they do is in the values of a plan.
    """
    changes = plan.get("resource_changes", [])
    running = {
        entry["address"]
        for entry in changes
        if entry["change"]["actions"] not in (["no-op"], ["forget"])
    }
    for entry in changes:
        address, type_ = entry["address"], type_of(entry["address"]).removeprefix("data.")
        looks_up = type_.startswith("aws_") and type_ not in _RUN_BY_READING
        if entry["mode"] == "data" and address in running and not looks_up:
            yield f"{address}: what it runs is not evaluated"
    configured = plan.get("configuration", {}).get("root_module", {}).get("resources", [])
    for resource in configured:
        address = resource["address"]
        of = {address, *(one for one in running if one.startswith(f"{address}["))}
        if resource.get("provisioners") and running & of:
            yield f"{address}: what its provisioner does is not evaluated"
    for action in plan.get("action_invocations") or ():
        yield f"{action.get('address', 'an action')}: what it does is not evaluated"
