"""A state as Terraform keeps it, which ``terraform state pull`` prints without the provider."""

from __future__ import annotations

import json
from typing import Any


def resources(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a state holds as ``terraform show -json`` would show it, which takes seconds."""
    return [
        {
            "address": _address(resource, instance),
            "mode": resource["mode"],
            "type": resource["type"],
            "values": instance["attributes"],
        }
        for resource in state["resources"]
        for instance in resource["instances"]
    ]


def _address(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    data = "data." if resource["mode"] == "data" else ""
    key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
    return f"{data}{resource['type']}.{resource['name']}{key}"


def outputs(state: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs' values."""
    return {name: output["value"] for name, output in state["outputs"].items()}
