"""Synthesized links as the modules of one configuration, which Terraform deploys by one run.

A run of Terraform starts the provider once for each account, and once more to ask what it knows:
with a run for each link, that would be most of the time. Follows "Providers Within Modules" of the
Terraform documentation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def write_together(
    folder: Path,
    stacks: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Write to ``folder`` a configuration whose modules are these stacks, by their names.

    Each is as it was synthesized, but for its backend and its providers, which are those of all.
    Those that ``after`` names have to be there before it.
    """
    providers: dict[str, Any] = {}
    required: dict[str, Any] = {}
    modules: dict[str, Any] = {}
    imports = []
    for name, stack in stacks.items():
        own = {provider["alias"]: provider for provider in stack["provider"]["aws"]}
        assert all(providers.setdefault(alias, one) == one for alias, one in own.items())
        required = stack["terraform"]["required_providers"]
        given = {f"aws.{alias}": f"aws.{alias}" for alias in own}
        modules[name] = {"source": f"./{name}", "providers": given}
        if needed := (after or {}).get(name):
            modules[name]["depends_on"] = [f"module.{other}" for other in sorted(needed)]
        for block in stack.get("import", []):
            imports.append({"to": f"module.{name}.{block['to']}", "id": block["id"]})
        asked = {"aws": required["aws"] | {"configuration_aliases": list(given)}}
        _write(folder / name, _module(stack, {"required_providers": asked}))
    root = {
        "terraform": {"required_providers": required},
        "provider": {"aws": list(providers.values())},
        "module": modules,
        "output": {name: {"value": f"${{module.{name}}}"} for name in stacks},
    }
    _write(folder, root | ({"import": imports} if imports else {}))


def _module(stack: Mapping[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return a stack without what only a root may have."""
    kept = {name: part for name, part in stack.items() if name not in ("provider", "import")}
    own = {n: part for n, part in stack["terraform"].items() if n not in ("backend", "cloud")}
    return kept | {"terraform": own | settings}


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(content), encoding="utf-8")


def state_of(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a stack's own state would hold, of the state of all."""
    outputs = state["outputs"].get(name, {}).get("value", {})
    return {
        "resources": [r for r in state["resources"] if r.get("module") == f"module.{name}"],
        "outputs": {output: {"value": value} for output, value in outputs.items()},
    }
