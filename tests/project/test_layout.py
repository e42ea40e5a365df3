"""The PyPI package ``constructs`` lives beside the folder; imports between packages go one way."""

import ast
import graphlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import constructs
import pytest

import s3_cross_account
from tests.conftest import PROJECT

ARROWS = {
    "s3_cross_account": set(),
    "world": {"s3_cross_account"},
    "declarations": {"s3_cross_account"},
    "synthesized": {"s3_cross_account", "world"},
    "reach": {"s3_cross_account", "synthesized", "world"},
    "live": {"s3_cross_account", "synthesized", "world"},
    "permissions": {"s3_cross_account", "declarations", "synthesized"},
    "stacks": {"s3_cross_account", "declarations", "permissions"},
    "failures": {"declarations"},
    "nodejs": {"failures"},
    "unchecked": set(),
    "synthesis": {
        *("s3_cross_account", "declarations", "failures", "nodejs", "stacks", "unchecked"),
    },
    "app": {
        *("s3_cross_account", "declarations", "failures", "nodejs", "stacks", "synthesis"),
        "unchecked",
    },
    "map": set(),
    "operations": {
        *("s3_cross_account", "declarations", "live", "map", "reach", "synthesis", "synthesized"),
        "world",
    },
    "cli": {"app", "declarations", "failures", "operations", "sandbox"},
    "__main__": {"cli"},
    "sandbox": {
        *("s3_cross_account", "declarations", "failures", "live", "operations", "reach"),
        *("synthesized", "world"),
    },
}
"""What each part of the house may import of the others."""

PURE = {
    *("access", "actions", "addresses", "condition_keys", "delivery", "delivery_services"),
    *("hardening", "policy", "prefixes", "reading", "replication_rule", "role_name"),
    *("delivery_template", "export_services", "notification_rule", "service_levels"),
    *("naming", "settings", "spelling", "through", "trusted_services"),
}
"""The vocabulary of the library: no Node.js, so nothing of its constructs."""


def test_the_folder_is_no_package() -> None:
    assert not (PROJECT / "constructs" / "__init__.py").exists()


def test_import_constructs_is_the_pypi_package() -> None:
    assert constructs.__file__ is not None
    assert "site-packages" in constructs.__file__
    assert constructs.Construct.__module__ == "constructs"


def test_the_library_is_imported_from_the_folder() -> None:
    assert s3_cross_account.__file__ is not None
    assert s3_cross_account.__file__.startswith(str(PROJECT / "constructs"))
    assert (PROJECT / "constructs" / "s3_cross_account" / "py.typed").exists()


def test_what_is_installed_comes_with_all_that_it_imports() -> None:
    imported = set[str]()
    sources = [PROJECT / "constructs" / "s3_cross_account", PROJECT / "s3_links"]
    for file in (file for source in sources for file in source.rglob("*.py")):
        if file.parent.name == "sandbox":  # the emulator and its tools are installed beside it
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module))
    # pydantic names the version of its core.
    own = {"s3_cross_account", "s3_links", "pydantic_core"}
    packages = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - own
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    declared = {re.split("[=<>.]", text)[0].replace("-", "_") for text in project["dependencies"]}
    assert packages | {"ruamel"} == declared


def test_no_nodejs_package_is_built_for_certain_versions_of_nodejs() -> None:
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if "hasInstallScript" in entry] == []


def imports(file: Path) -> set[str]:
    """Return the modules that a file of the house imports of it, by their whole names."""
    source = PROJECT / "constructs" if "constructs" in file.parts else PROJECT
    package = file.relative_to(source).with_suffix("").parts[:-1]
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("s3_links", "s3_cross_account")}


def part(module: str) -> str:
    """Return the part of the house that a module belongs to."""
    top, _, rest = module.partition(".")
    return rest.split(".")[0] if top == "s3_links" else top


def test_the_arrows_of_the_house_go_one_way() -> None:
    tuple(graphlib.TopologicalSorter(ARROWS).static_order())  # raises for a circle


@pytest.mark.parametrize("name", ARROWS)
def test_a_part_of_the_house_imports_only_what_is_below_it(name: str) -> None:
    library = PROJECT / "constructs" / name
    home = library if library.exists() else PROJECT / "s3_links" / name
    files = list(home.rglob("*.py")) or [home.with_suffix(".py")]
    imported = {part(module) for file in files for module in imports(file)} - {name}
    assert imported <= ARROWS[name], sorted(imported - ARROWS[name])


def test_every_part_of_the_house_has_its_arrows() -> None:
    found = {
        path.stem for path in (PROJECT / "s3_links").iterdir() if not path.name.startswith("__i")
    }
    assert found - {"__pycache__", "py"} <= set(ARROWS)


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize("name", ["operations", "reach", "live", "synthesized", "permissions"])
def test_what_evaluates_starts_no_nodejs(name: str) -> None:
    """It would wait for a second, and greet on each call."""
    files = sorted((PROJECT / "s3_links" / name).rglob("*.py"))
    modules = [
        ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
    ]
    told = f"import sys, {', '.join(modules)}; print(*{{'cdktf', 'jsii'}} & sys.modules.keys())"
    command = [sys.executable, "-c", told]
    folders = f"{PROJECT}:{PROJECT / 'constructs'}"
    env = os.environ | {"PYTHONPATH": folders}
    found = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("name", sorted(PURE))
def test_the_vocabulary_of_the_library_starts_no_nodejs(name: str) -> None:
    file = PROJECT / "constructs" / "s3_cross_account" / f"{name}.py"
    text = file.read_text()
    assert not re.search(r"^ *(from|import) (cdktf|constructs)\b", text, flags=re.M)
    assert {module.split(".")[1] for module in imports(file)} <= PURE
